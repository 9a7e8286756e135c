import type { LogLevel, SessionOptions, SessionWindow, StopMode } from '@loads-runner/engine'
import type { SeriesDelta } from '@loads-runner/metrics'
import type { Tags } from '@loads-runner/testcase'
import type { ControlChange, MovedUnit } from '@loads-runner/testcase/load'

/** Between an agent and the process of one of its sessions, over the pipe that ties their lives together. */

export type ToSession =
  /** maxSilenceMs: how long load may go on when the agent says nothing. */
  | { type: 'prepare'; options: SessionOptions; maxSilenceMs: number }
  | { type: 'arm'; data: string }
  | { type: 'start-stage'; stage: number }
  | { type: 'add-units'; units: MovedUnit[] }
  | { type: 'control'; stage: number; changes: ControlChange[] }
  | { type: 'rows'; feed: string; first: number; count: number }
  | { type: 'restrict-to'; series: string[] }
  | { type: 'finish' }
  | { type: 'stop'; mode: StopMode }
  | { type: 'close' }
  /** The agent lives. Answered in the same word. */
  | { type: 'alive' }

/** A window as it crosses the pipe: the class of its delta is lost there, its content is not. */
export type PlainWindow = Omit<SessionWindow, 'delta'> & { delta: SeriesDelta[] }

export type FromSession =
  | { type: 'prepared'; workers: number }
  | { type: 'armed' }
  /** The answer to prepare or arm when they fail. */
  | { type: 'failed'; exitCode: number; message: string }
  | { type: 'stage-done'; stage: number }
  | { type: 'window'; window: PlainWindow }
  | { type: 'lease-rows'; feed: string; size: number; count: number }
  | { type: 'log'; level: LogLevel; text: string }
  | { type: 'note'; text: string; tags: Tags }
  | { type: 'lost'; reason: string }
  | { type: 'closed' }
  | { type: 'alive' }
