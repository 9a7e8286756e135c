import type { UserContext } from '../context.ts'
import { instrumentNet } from './net.ts'
import { instrumentNodeHttp } from './node-http.ts'
import { instrumentNodeHttp2 } from './node-http2.ts'
import { runAs, type RunningUser } from './running-user.ts'
import { selectionOf, type Instrument } from './selection.ts'
import { instrumentTracing } from './tracing.ts'
import { instrumentUndici } from './undici.ts'

const users = new WeakMap<UserContext, RunningUser>()
/** Channels that this thread listens to: each once, for all users, and to the end of the thread. */
const subscribed = new Set<string>()

const builtIn: Readonly<Record<string, () => void>> = {
  undici: instrumentUndici,
  http: instrumentNodeHttp,
  http2: instrumentNodeHttp2,
  net: instrumentNet,
}

/**
 * Whether a class wants clients other than those of Loads measured (`static instrument`). Its user code has to run in
 * {@link runInstrumented} then.
 *
 * @throws {UsageError} a `static instrument` that is neither true nor a list of what is known
 */
export function isInstrumented(testClass: { name: string; instrument?: Instrument }): boolean {
  return selectionOf(testClass) !== null
}

/** Prepares a user for {@link runInstrumented}, if its class wants it. */
export function prepareUser(
  context: UserContext,
  testClass: { name: string; instrument?: Instrument; serverUrl?: string },
): void {
  const wants = selectionOf(testClass)
  if (wants === null) return
  for (const channel of wants) {
    if (subscribed.has(channel)) continue
    subscribed.add(channel)
    const listen = builtIn[channel]
    if (listen === undefined) instrumentTracing(channel)
    else listen()
  }
  const server = context.target.serverUrl ?? testClass.serverUrl ?? ''
  users.set(context, { context, origin: URL.canParse(server) ? new URL(server).origin : null, wants })
}

/**
 * Runs code of a user whose class is instrumented: requests of any client that publishes them, made in this code and in
 * whatever it starts, are hits of that user. Runs the code as it is where the class is not.
 *
 * @param context the one that was given to `attachUser`
 */
export function runInstrumented<T>(context: UserContext, action: () => T): T {
  const user = users.get(context)
  return user === undefined ? action() : runAs(user, action)
}
