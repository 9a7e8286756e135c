import type { Delta } from '@loads-runner/metrics'

/** How figures are called: by long names, or by short names with tags. */
export interface LineStyle {
  /** What was counted in this time, zeros left out. Sums of these over a run are its totals. */
  counters(delta: Delta): string[]
  /** The same of the warm-up, which is in no total. */
  warmUpCounters(delta: Delta): string[]
  /** How things are: users, and quantiles of what was recorded in the last seconds. */
  gauges(recent: readonly Delta[], activeUsers: number): string[]
}
