import { AsyncLocalStorage } from 'node:async_hooks'
import type { UserContext } from '../context.ts'

/** A virtual user whose clients are measured by themselves, and how its hits are named. */
export interface RunningUser {
  readonly context: UserContext
  /** The test's own server: its hits are named by path alone. */
  readonly origin: string | null
  /** Diagnostics channels that its class wants to be measured by; see `Selection`. */
  readonly wants: ReadonlySet<string>
}

/**
 * Made when the first instrumented user runs: on Node 20 its promise hooks cost every await of the thread, which no
 * class should pay for that did not ask.
 */
let storage: AsyncLocalStorage<RunningUser | null> | null = null

export function runAs<T>(user: RunningUser, action: () => T): T {
  storage ??= new AsyncLocalStorage()
  return storage.run(user, action)
}

/** The user on whose behalf this code runs, if its class wants this channel measured. */
export function runningUser(channel: string): RunningUser | null {
  const user = storage?.getStore() ?? null
  return user !== null && user.wants.has(channel) ? user : null
}

/** Runs what is counted already: sessions of ours, and what `this.measure` measures. */
export function outsideInstrumentation<T>(action: () => T): T {
  const user = storage?.getStore() ?? null
  return user === null ? action() : storage!.run(null, action)
}
