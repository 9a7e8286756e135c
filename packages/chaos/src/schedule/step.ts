import type { CutMode } from '../partition/cut.ts'
import type { FaultRequest } from '../rules/rule.ts'

/** One line of a schedule: when what is done to whom, and for how long. Plain data, so that it can be handed to another process. */
export interface ScheduleStep {
  /** 1, 2, 3 ... its place in the schedule. */
  id: number
  name: string
  trigger: StepTrigger
  /** Milliseconds; null: until its phase ends, or the schedule. */
  forMs: number | null
  /** Begins again so many milliseconds after it began; null: once. */
  everyMs: number | null
  /** How often at most; null: as long as there is time. */
  times: number | null
  action: StepAction
}

export type StepTrigger =
  /** Milliseconds since the start of the load. */
  | { when: 'time'; atMs: number }
  /** Requests, or bytes of both directions, that came to proxies since then: all of them together. */
  | { when: 'requests' | 'bytes'; count: number; of: readonly string[] }
  | { when: 'phase'; phase: string }

export type StepAction =
  | { what: 'fault'; proxies: readonly string[]; request: FaultRequest }
  | {
      what: 'behavior'
      proxies: readonly string[]
      behavior: string
      attributes: Readonly<Record<string, unknown>>
    }
  /** Not listening, as `enabled: false`. */
  | { what: 'down'; proxies: readonly string[] }
  | { what: 'partition'; groups: readonly (readonly string[])[]; mode: CutMode }

/** What a step has done. */
export interface StepEvent {
  state: 'begins' | 'ends' | 'failed'
  /** `id` of the step. */
  step: number
  name: string
  /** 1, 2, 3 ... of the times that the step begins. */
  run: number
  /** Proxies, or endpoints that are parted. */
  whom: readonly string[]
  /** Epoch milliseconds. */
  at: number
  /** Milliseconds since the start of the schedule. */
  sinceMs: number
  /** Milliseconds after the time that was planned; where that was no time, after it was due. */
  lateMs: number
  /** What went wrong. */
  detail: string | null
}
