import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { defaultTarget, type UserContext } from './context.ts'
import { silentMeter } from './meter.ts'
import { createRandom } from './random.ts'
import type { SessionSet } from './sessions/session-set.ts'
import { standaloneFeeds } from './standalone-feeds.ts'

/**
 * What ties a test instance to its virtual user. It hangs on the instance under registered symbols, so that an engine
 * and a test that loaded two copies of this package still understand each other.
 */
const contextKey = Symbol.for('loads.context')
const sessionsKey = Symbol.for('loads.sessions')

interface Linked {
  [contextKey]?: UserContext
  [sessionsKey]?: SessionSet
}

/** Gives a test its user, before setUpUser. Without it a test makes itself a context of its own when first asked. */
export function attachUser(test: object, context: UserContext): void {
  hide(test, contextKey, context)
  // What a constructor may have opened with a context of its own is not this user's.
  hide(test, sessionsKey, undefined)
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

/** Ends a user, after tearDownUser: closes its connections and sockets. Never throws. */
export async function releaseUser(test: object): Promise<void> {
  try {
    await (test as Linked)[sessionsKey]?.close()
  } catch {
    // Nobody is left to hear it; what mattered was thrown in the test.
  }
}

/** Ends setUpUser: what it opened stays open for all executions of the user. */
export function keepUserSockets(test: object): void {
  ;(test as Linked)[sessionsKey]?.keepSockets()
}

/**
 * Ends an execution: closes the WebSockets that it opened, and throws the first error of a WebSocket (or of its callback) that the test has not seen.
 *
 * @throws {Error} that error, as it was thrown
 */
export function settleExecution(test: object): void {
  ;(test as Linked)[sessionsKey]?.settle()
}

/** For tests that are run as plain code, by mocha or by hand: nothing is counted, the server comes from the environment. */
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
    meter: silentMeter,
    target: { ...defaultTarget, serverUrl: process.env['LOADS_SERVER_URL'] || null },
  }
}

function hide(test: object, key: symbol, value: unknown): void {
  Object.defineProperty(test, key, { value, configurable: true, writable: true })
}
