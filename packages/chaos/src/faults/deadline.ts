import type { Flow, Timer } from './stage.ts'

/** Something that happens some time after a start, which may turn out to be sooner or later than was thought. */
export class Deadline {
  readonly #flow: Flow
  readonly #fire: () => void
  #startedAt: number | null = null
  #timer: Timer | null = null

  constructor(flow: Flow, fire: () => void) {
    this.#flow = flow
    this.#fire = fire
  }

  /** The first call counts. */
  start(ms: number): void {
    if (this.#startedAt !== null) return
    this.#startedAt = this.#flow.now()
    this.#timer = this.#flow.after(ms, this.#fire)
  }

  /** So many milliseconds after the start in place of what was said. */
  change(ms: number): void {
    if (this.#timer === null || this.#startedAt === null) return
    this.#timer.cancel()
    this.#timer = this.#flow.after(Math.max(0, this.#startedAt + ms - this.#flow.now()), this.#fire)
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
