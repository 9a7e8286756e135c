import type { Delta } from '@loads-runner/metrics'

/** Lengths of intervals in milliseconds, shortest first; each is a multiple of the one before. */
export const intervalSpansMs = [1_000, 10_000, 60_000] as const

/** How one agent did in an interval. */
export interface AgentShare {
  agent: string
  incarnation: string
  /** At the end of the interval. */
  activeUsers: number
  hits: number
  windows: number
  /** The worst of its windows, in milliseconds. */
  eventLoopLagMs: number
  /** The mean of its windows; 1 is one core. */
  cpu: number
  /** The worst of its windows, in milliseconds. */
  latenessMs: number
}

/** What was recorded in some time of a run, over all agents: what outputs write and pages draw. */
export interface Interval {
  /** One of {@link intervalSpansMs}. */
  spanMs: number
  /** Milliseconds of the run at which it begins: a multiple of `spanMs`. */
  fromMs: number
  /** Milliseconds since the epoch at which it begins, by the broker's clock. */
  at: number
  /** How much of it was load, in milliseconds: less than `spanMs` in the last one of a run. Rates divide by it. */
  loadMs: number
  /** All series that changed in it, histograms included, merged over agents. */
  delta: Delta
  /** It lies in the warm-up: what it holds is in no total. */
  warmUp: boolean
  /** At its end. */
  activeUsers: number
  /** Since the start of the run, at its end. Open models: executions that fell due, that began, that were dropped. */
  planned: number
  started: number
  finished: number
  dropped: number
  agents: AgentShare[]
  /** 0 at first. Late figures hand the interval out again, whole, with the next number. */
  revision: number
}
