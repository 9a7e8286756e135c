import type { RunEvent } from '@loads-runner/protocol'
import { DashboardError } from './errors.ts'
import type { RunModel } from './model.ts'
import { RunModeler } from './run-modeler.ts'
import { reportTiers, type Tiers } from './timeline.ts'

export interface BuildOptions {
  /** 'all': points of 1 s only, however long the run was. Default: {@link reportTiers}. */
  points?: 'all' | Tiers
}

/**
 * The model of a run that is over. One whose end nobody has recorded is in the state `ended`, and has no summary.
 *
 * @throws {DashboardError} DASHBOARD_EVENTS: the events do not begin with a snapshot
 */
export async function buildModel(
  events: AsyncIterable<RunEvent> | Iterable<RunEvent>,
  { points = reportTiers }: BuildOptions = {},
): Promise<RunModel> {
  const tiers = points === 'all' ? { onesMs: Infinity, tensMs: Infinity } : points
  // No clock: the run is where its events say it was.
  const modeler = new RunModeler({ tiers, now: () => 0 })
  for await (const event of events) modeler.apply(event)
  if (!modeler.begun)
    throw new DashboardError(
      'DASHBOARD_EVENTS',
      'these events do not begin with a snapshot of a run: give the whole event stream of a run',
    )
  modeler.cutShort()
  const model = modeler.model()
  if (model.summary !== null) return model
  // What it was doing last, it does no longer: its broker was lost, or killed.
  const note = 'nobody has recorded its end: these are its figures up to then'
  return { ...model, head: { ...model.head, state: 'ended', note } }
}
