import type { Dialer } from '@loads-runner/protocol'

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'
export type Log = (level: LogLevel, text: string) => void

/** A process of ours that has gone. */
export interface ProcessExit {
  /** Id of the agent; null for the broker. */
  agent: string | null
  /** `exit code 1`, `signal SIGKILL`. */
  note: string
  /** The last lines it wrote. */
  logTail: string
}

/** Where a run happens: a broker that can be dialled, with agents. */
export interface Place {
  readonly dialer: Dialer
  /** Called for each process of ours that has gone, those from before this call included. */
  onExit(handler: (exit: ProcessExit) => void): void
  /** Ends everything that was started for this run, and nothing else. */
  stop(): Promise<void>
}
