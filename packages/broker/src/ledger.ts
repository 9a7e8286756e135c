import type { SessionLedger } from '@loads-runner/protocol'

/**
 * The executions of one agent. `reported` had their outcome in a committed window: finished or interrupted.
 * Always: started = reported + lost.
 */
export interface AgentLedger {
  /**
   * Executions it was given, those moved to it included, those moved away not, and in open models those that fell due;
   * 0 for closed stages bounded by time.
   */
  planned: number
  started: number
  finished: number
  reported: number
  lost: number
  /** Open models: fell due and never started. */
  dropped: number
}

/** Closes the books of one agent: what started and was never reported is lost. */
export function closeLedger(planned: number, last: SessionLedger): AgentLedger {
  const reported = last.finished + last.interrupted
  // A session that reports more ends than starts is wrong about its starts: an end needs one.
  const started = Math.max(last.started, reported)
  return {
    planned,
    started,
    finished: last.finished,
    reported,
    lost: started - reported,
    dropped: last.dropped,
  }
}

export function sumLedgers(ledgers: Iterable<AgentLedger>): AgentLedger {
  const sum: AgentLedger = { planned: 0, started: 0, finished: 0, reported: 0, lost: 0, dropped: 0 }
  for (const ledger of ledgers) {
    sum.planned += ledger.planned
    sum.started += ledger.started
    sum.finished += ledger.finished
    sum.reported += ledger.reported
    sum.lost += ledger.lost
    sum.dropped += ledger.dropped
  }
  return sum
}
