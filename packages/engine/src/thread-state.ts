import { bucketCount, bucketOf } from '@loads-runner/metrics'

/**
 * Counters of one load thread in shared memory: the thread writes, the session's main thread reads. What is written
 * stays readable when the thread is blocked or dead.
 */
const fields = [
  'started',
  'finished',
  'interrupted',
  'activeUsers',
  'beats',
  /** Of open models: starts that fell due, those of them that were made, and those that never will be. */
  'planned',
  'arrived',
  'dropped',
  /** Hits for which no local port was left. */
  'portsExhausted',
] as const
export type ThreadCount = (typeof fields)[number]

const index = Object.fromEntries(fields.map((field, place) => [field, place])) as Record<ThreadCount, number>
const lag = 0
const gc = 1
const doubles = 2

export class ThreadState {
  readonly buffer: SharedArrayBuffer
  readonly #counts: Uint32Array
  readonly #doubles: Float64Array
  /** How late starts were although a user was free: a histogram that only grows. */
  readonly lateness: Uint32Array

  constructor(buffer = new SharedArrayBuffer(8 * doubles + 4 * (fields.length + bucketCount))) {
    this.buffer = buffer
    this.#doubles = new Float64Array(buffer, 0, doubles)
    this.#counts = new Uint32Array(buffer, 8 * doubles, fields.length)
    this.lateness = new Uint32Array(buffer, 8 * doubles + 4 * fields.length)
  }

  add(field: ThreadCount, amount: number): void {
    this.#counts[index[field]]! += amount
  }

  get(field: ThreadCount): number {
    return this.#counts[index[field]]!
  }

  /** A start that could have been made when it was due came so much later. */
  late(micros: number): void {
    this.lateness[bucketOf(micros)]! += 1
  }

  /** 99th percentile of the event loop's lag lately, in milliseconds. */
  get eventLoopLagMs(): number {
    return this.#doubles[lag]!
  }

  set eventLoopLagMs(value: number) {
    this.#doubles[lag] = value
  }

  /** Milliseconds spent collecting garbage since the start. */
  get gcMs(): number {
    return this.#doubles[gc]!
  }

  set gcMs(value: number) {
    this.#doubles[gc] = value
  }

  /** Executions under way. */
  get running(): number {
    return this.get('started') - this.get('finished') - this.get('interrupted')
  }
}
