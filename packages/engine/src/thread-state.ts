/**
 * Counters of one load thread in shared memory: the thread writes, the session's main thread reads. What is written
 * stays readable when the thread is blocked or dead.
 */
const fields = ['started', 'finished', 'interrupted', 'activeUsers', 'beats'] as const
type Field = (typeof fields)[number]

export class ThreadState {
  readonly buffer: SharedArrayBuffer
  readonly #counts: Uint32Array
  readonly #lag: Float64Array

  constructor(buffer = new SharedArrayBuffer(8 + fields.length * 4)) {
    this.buffer = buffer
    this.#lag = new Float64Array(buffer, 0, 1)
    this.#counts = new Uint32Array(buffer, 8)
  }

  add(field: Field, amount: number): void {
    this.#counts[fields.indexOf(field)]! += amount
  }

  get(field: Field): number {
    return this.#counts[fields.indexOf(field)]!
  }

  /** 99th percentile of the event loop's lag lately, in milliseconds. */
  get eventLoopLagMs(): number {
    return this.#lag[0]!
  }

  set eventLoopLagMs(value: number) {
    this.#lag[0] = value
  }

  /** Executions under way. */
  get running(): number {
    return this.get('started') - this.get('finished') - this.get('interrupted')
  }
}
