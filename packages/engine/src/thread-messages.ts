import type { Definition } from '@loads-runner/metrics'
import type { ControlChange, MovedUnit, UnitRange } from '@loads-runner/testcase/load'
import type { Tags } from '@loads-runner/testcase'
import type { Manifest } from './bundle-archive.ts'
import type { LogLevel, SessionSpec, UsedRows } from './session-spec.ts'

/** Everything between a session's main thread and its load threads. */

export interface ThreadSetup {
  index: number
  runId: string
  agent: string
  spec: SessionSpec
  /** Directory of the unpacked bundle. */
  directory: string
  manifest: Manifest
  /** Memory of a ThreadState. */
  state: SharedArrayBuffer
}

export type ToThread =
  | { type: 'arm'; data: string }
  | { type: 'start-stage'; stage: number; range: UnitRange; progress: SharedArrayBuffer }
  /** Units of one stage. */
  | { type: 'add-units'; stage: number; units: MovedUnit[]; progress: SharedArrayBuffer }
  | { type: 'control'; stage: number; changes: ControlChange[] }
  /** The answer to a `lease-rows` with this number. */
  | { type: 'rows'; request: number; first: number; count: number }
  | { type: 'restrict'; series: string[] }
  | { type: 'stop'; mode: 'drain' | 'cancel' }
  /** Cancel what still runs of a stage whose time is over. */
  | { type: 'cut-stage'; stage: number }
  /** No user runs any more: tearDownAgent, then `ended`. */
  | { type: 'end' }

export type FromThread =
  | { type: 'loaded' }
  | { type: 'cannot-run'; exitCode: number; message: string }
  | { type: 'armed' }
  | { type: 'define'; definition: Definition }
  /** No user of this stage runs any more on this thread. `begun`: how often units of it were given to the thread. */
  | { type: 'stage-done'; stage: number; begun: number }
  | { type: 'lease-rows'; request: number; feed: string; size: number; count: number }
  | { type: 'rows-used'; rows: UsedRows[] }
  | { type: 'log'; level: LogLevel; text: string }
  | { type: 'note'; text: string; tags: Tags }
  /** More notes than a thread may publish. */
  | { type: 'notes-left-out'; count: number }
  | { type: 'ended' }

/** The thread's end of the line. */
export interface ThreadPort {
  post(message: FromThread): void
}
