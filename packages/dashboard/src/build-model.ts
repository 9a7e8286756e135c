import type { RunEvent } from '@loads-runner/protocol'
import type { RunModel } from './model.ts'
import { DashboardError } from './errors.ts'

/** How long points stay short, in milliseconds back from the end: longer ones take their place before that. */
export interface Tiers {
  /** Points of 1 s. */
  onesMs: number
  /** Points of 10 s; those of 60 s come before them. */
  tensMs: number
}

export interface BuildOptions {
  /** 'all': points of 1 s only, however long the run was. Default: {@link reportTiers}. */
  points?: 'all' | Tiers
}

/**
 * The model of a run that is over (or as far as its events go).
 *
 * @throws {DashboardError} DASHBOARD_EVENTS: the events do not begin with a snapshot
 */
export async function buildModel(
  events: AsyncIterable<RunEvent> | Iterable<RunEvent>,
  options: BuildOptions = {},
): Promise<RunModel> {
  void options
  for await (const event of events) void event
  throw new DashboardError('DASHBOARD_EVENTS', 'not built yet')
}
