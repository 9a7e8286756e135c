/** How a service ended: an exit code, or the signal that ended it. Both null: it never ran. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Something that a cluster runs: a broker, an agent, a user's database. Runs once; a restart is a new service. */
export interface Service {
  readonly name: string
  /** True from the start until the service has ended. */
  readonly running: boolean
  /** Resolves when the service is ready. Rejects with an error that holds the end of its log. */
  start(): Promise<void>
  /** Resolves when the service and everything that it started have ended, for whatever reason. */
  wait(): Promise<Exit>
  /** Ends the service and everything that it started. Any number of calls, at any time. */
  stop(): Promise<void>
}

/** `exit code 3`, `signal SIGKILL`. */
export function describeExit(exit: Exit): string {
  if (exit.signal !== null) return `signal ${exit.signal}`
  return exit.code === null ? 'no exit code' : `exit code ${exit.code}`
}
