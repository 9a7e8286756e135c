import type { Definition } from '@loads-runner/metrics'
import type { MovedUser, UserRange } from '@loads-runner/testcase/load'
import type { Manifest } from './bundle-archive.ts'
import type { LogLevel, SessionSpec } from './session-spec.ts'

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
  | { type: 'start-stage'; stage: number; range: UserRange; progress: SharedArrayBuffer }
  | { type: 'add-users'; users: MovedUser[]; progress: SharedArrayBuffer }
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
  /** No user of this stage runs any more on this thread. */
  | { type: 'stage-done'; stage: number }
  | { type: 'log'; level: LogLevel; text: string }
  | { type: 'ended' }

/** The thread's end of the line. */
export interface ThreadPort {
  post(message: FromThread): void
}
