import {
  redacted,
  type RunRow,
  type RunSpec,
  type RunState,
  type SnapshotEvent,
} from '@loads-runner/protocol'
import type { Annotations } from './annotations.ts'
import type { Load } from './load.ts'
import type { Roster } from './roster.ts'

/** What a run is made of, as far as it is shown. */
export interface RunParts {
  runId: string
  spec: RunSpec
  state: RunState
  /** Epoch milliseconds. */
  submittedAt: number
  roster: Roster
  load: Load
  annotations: Annotations
}

/** A run that goes on, as a line of a list. */
export function rowOf({ runId, spec, state, submittedAt, roster, load }: RunParts): RunRow {
  const { names, project, user, labels } = spec
  return {
    runId,
    state,
    names,
    project,
    user,
    submittedAt,
    startedAt: load.figures.startedAt,
    endedAt: null,
    labels,
    agents: roster.ids(),
    hits: load.figures.aggregate.hits().count,
    verdict: null,
  }
}

/** The whole run so far, as one event. */
export function snapshotOf({ runId, spec, state, roster, load, annotations }: RunParts): SnapshotEvent {
  const { generator: _, ...sums } = load.figures.sums()
  return {
    type: 'snapshot',
    runId,
    state,
    spec: redacted(spec),
    startedAt: load.figures.startedAt,
    stage: load.stage,
    agents: roster.all().map((member) => member.view()),
    ...sums,
    thresholds: load.figures.thresholds.states(),
    annotations: annotations.all(),
    delta: load.figures.encodeTotals(),
  }
}
