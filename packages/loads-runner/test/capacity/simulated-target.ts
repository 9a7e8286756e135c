import { Aggregate, DeltaEncoder, Recorder, WindowCutter } from '@loads-runner/metrics'
import type { Delta } from '@loads-runner/metrics'
import type { RunEvent } from '@loads-runner/protocol'
import type { StepCommit } from '../../src/capacity/step-meter.ts'

/** How a target answers at a load: service time of its hits, share of executions that err. */
export interface Answering {
  millis: number
  errorShare?: number
  /** Executions that start per second; default: the rate that is asked for, or a hundred for each user. */
  startedPerSecond?: number
  droppedPerSecond?: number
  lagMs?: number
}

/** A run in virtual time: each second of it is a commit of one agent, made of real figures. */
export class SimulatedRun {
  target: number
  readonly #answer: (target: number) => Answering
  readonly #controls: 'users' | 'rate'
  readonly #cutter = new WindowCutter()
  readonly #recorder = new Recorder({ maxSeries: 100, define: (definition) => this.#cutter.add(definition) })
  readonly #encoder = new DeltaEncoder()
  #second = 0
  #started = 0
  #dropped = 0
  #finished = 0

  constructor(start: number, controls: 'users' | 'rate', answer: (target: number) => Answering) {
    this.target = start
    this.#controls = controls
    this.#answer = answer
  }

  /** The next second: what was recorded in it. */
  second(): { commit: StepCommit; delta: Delta; event: RunEvent } {
    const users = this.#controls === 'users'
    const {
      millis,
      errorShare = 0,
      droppedPerSecond = 0,
      lagMs = 0,
      startedPerSecond,
    } = this.#answer(this.target)
    const starts = Math.round(startedPerSecond ?? (users ? this.target * 100 : this.target))
    for (let each = 0; each < starts; each++) {
      const isError = each < errorShare * starts
      this.#recorder.hit('http', 'T.test', 'GET /', 'GET', '200', false, millis * 1000, 10, 10, null)
      this.#recorder.execution('T.test', isError ? 'error' : 'success', millis * 1000, {})
    }
    this.#started += starts
    this.#finished += starts
    this.#dropped += droppedPerSecond
    const delta = this.#cutter.cut()
    const fromMs = this.#second * 1000
    this.#second++
    const alive = { activeUsers: 0, hits: starts, eventLoopLagMs: lagMs, cpu: 0.1, latenessMs: 0 }
    const window = {
      agent: 'a',
      incarnation: 'i',
      number: this.#second,
      fromMs,
      toMs: fromMs + 1000,
      ...alive,
    }
    const commit = {
      windows: [window],
      elapsedMs: this.#second * 1000 + 200,
      started: this.#started,
      planned: this.#started + this.#dropped,
      dropped: this.#dropped,
      activeUsers: users ? this.target : 10,
      generator: { eventLoopLagMs: lagMs, cpu: 0.1, latenessMs: 0 },
    }
    const event: RunEvent = {
      type: 'commit',
      at: 0,
      ...commit,
      finished: this.#finished,
      interrupted: 0,
      warmUp: false,
      delta: this.#encoder.encode(delta),
    }
    return { commit, delta, event }
  }

  /** What a subscriber is told first. */
  emptyDelta(): Uint8Array {
    return this.#encoder.encodeFull(new Aggregate().toDelta())
  }
}
