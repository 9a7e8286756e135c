import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { defaultTarget, type UserContext } from './context.ts'
import { prepareUser } from './instrument/index.ts'
import { UserProxies, type Proxies } from './proxies.ts'
import { createRandom } from './random.ts'
import { Scopes } from './scopes.ts'
import type { SessionSet } from './sessions/session-set.ts'
import { standaloneFeeds } from './standalone-feeds.ts'
import { StandaloneMeter } from './standalone-meter.ts'

/**
 * What ties a test instance to its virtual user. It hangs on the instance under registered symbols, so that an engine
 * and a test that loaded two copies of this package still understand each other.
 */
const contextKey = Symbol.for('loads.context')
const sessionsKey = Symbol.for('loads.sessions')
const scopesKey = Symbol.for('loads.scopes')
const proxiesKey = Symbol.for('loads.userProxies')

interface Linked {
  [contextKey]?: UserContext
  [sessionsKey]?: SessionSet
  [scopesKey]?: Scopes
  [proxiesKey]?: UserProxies
}

/** Gives a test its user, before setUpUser. Without it a test makes itself a context of its own when first asked. */
export function attachUser(test: object, context: UserContext): void {
  hide(test, contextKey, context)
  // What a constructor may have opened with a context of its own is not this user's.
  hide(test, sessionsKey, undefined)
  hide(test, scopesKey, undefined)
  prepareUser(context, test.constructor)
}

export function contextOf(test: object): UserContext {
  const linked = test as Linked
  if (linked[contextKey] === undefined) hide(test, contextKey, standaloneContext())
  return linked[contextKey]!
}

export function sessionsOf(test: object, create: () => SessionSet): SessionSet {
  const linked = test as Linked
  if (linked[sessionsKey] === undefined) hide(test, sessionsKey, create())
  return linked[sessionsKey]!
}

export function scopesOf(test: object): Scopes {
  const linked = test as Linked
  if (linked[scopesKey] === undefined) hide(test, scopesKey, new Scopes(contextOf(test)))
  return linked[scopesKey]!
}

/** @throws {UsageError} nothing here speaks to proxies */
export function proxiesOf(test: object): Proxies {
  const linked = test as Linked
  if (linked[proxiesKey] === undefined) hide(test, proxiesKey, new UserProxies())
  return linked[proxiesKey]!.handles
}

/** Ends a user, after tearDownUser: closes its connections and sockets, takes back its faults. Never throws. */
export async function releaseUser(test: object): Promise<void> {
  const { [sessionsKey]: sessions, [proxiesKey]: proxies } = test as Linked
  try {
    await Promise.all([sessions?.close(), proxies?.close()])
  } catch {
    // Nobody is left to hear it; what mattered was thrown in the test.
  }
}

/** Ends setUpUser: what it opened stays open for all executions of the user. */
export function keepUserSockets(test: object): void {
  const { [sessionsKey]: sessions, [proxiesKey]: proxies } = test as Linked
  sessions?.keepSockets()
  proxies?.keep()
}

/**
 * Ends an execution: closes the sockets and streams that it opened, leaves its steps and tags, and throws the first
 * error of a socket (or of its callback) that the test has not seen; else, outside a run, that checks failed.
 *
 * @throws {Error} that error, as it was thrown
 * @throws {AssertionError} checks of a test failed that no engine runs
 */
export function settleExecution(test: object): void {
  const linked = test as Linked
  linked[scopesKey]?.reset()
  linked[sessionsKey]?.settle()
  const meter = linked[contextKey]?.meter
  if (meter instanceof StandaloneMeter) meter.settle()
}

/** Takes back what an execution did to proxies and left; undefined where it left nothing, as nearly always. */
export function restoreProxies(test: object): Promise<void> | undefined {
  return (test as Linked)[proxiesKey]?.settle()
}

/** For tests that are run as plain code, by mocha or by hand: nothing but checks is counted, the server comes from the environment. */
function standaloneContext(): UserContext {
  const seed = randomBytes(6).readUIntBE(0, 6)
  return {
    user: 0,
    iteration: 0,
    executionId: 'local/0/0',
    scenario: 'local',
    ordinal: 0,
    tags: null,
    directory: process.cwd(),
    feeds: standaloneFeeds(),
    random: createRandom(seed, 'local/0/0'),
    params: {},
    run: { id: 'local', seed, agent: hostname(), data: null },
    signal: new AbortController().signal,
    meter: new StandaloneMeter(),
    target: { ...defaultTarget, serverUrl: process.env['LOADS_SERVER_URL'] || null },
    // There is no run that it could be a note of.
    annotate: () => {},
  }
}

function hide(test: object, key: symbol, value: unknown): void {
  Object.defineProperty(test, key, { value, configurable: true, writable: true })
}
