import type { Delta } from '@loads-runner/metrics'
import type { SessionLedger } from './session-spec.ts'

/** What load threads have done, read from their memory while they go on. */
export interface Reading {
  ledger: SessionLedger
  /** Pairs of unit and iterations. */
  progress: number[]
  delta: Delta
}

export interface ReadingSources {
  ledger: () => SessionLedger
  /** Adds the units that moved on since it was last called. */
  progress: (into: number[]) => void
  /** What was recorded since it was last called. */
  cut: () => Delta
}

/** Where executions end all the time there is no quiet moment: then the three may differ by a few. */
const mostReadings = 5

/**
 * Reads until no execution began or ended meanwhile, so that ledger, progress and figures tell of the same executions.
 * They matter together when this is the last that is heard of an agent: what its progress lacks is made once more
 * elsewhere, and must not be in its figures.
 */
export function readSteadily({ ledger, progress, cut }: ReadingSources): Reading {
  const reading: Reading = { ledger: ledger(), progress: [], delta: cut() }
  progress(reading.progress)
  for (let readings = 1; readings < mostReadings; readings++) {
    const now = ledger()
    if (isSame(now, reading.ledger)) break
    reading.ledger = now
    reading.delta.merge(cut())
    progress(reading.progress)
  }
  return reading
}

function isSame(one: SessionLedger, other: SessionLedger): boolean {
  return (
    one.started === other.started && one.finished === other.finished && one.interrupted === other.interrupted
  )
}
