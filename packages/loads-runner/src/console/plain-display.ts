import type { RunView } from '@loads-runner/history'
import type { OutputStream } from '../world.ts'
import type { Display } from './display.ts'
import { fullBar, isComplete, percentOf } from './progress-bar.ts'
import { fitFields, startFields, statusFields } from './status-line.ts'

/** Milliseconds between two lines; rarer when a run lasts long. */
const earlyMs = 2000
const lateMs = 10_000
const lateAfterMs = 60_000
const lineWidth = 200

/** A line of figures now and then: for logs and pipes. */
export class PlainDisplay implements Display {
  readonly #stream: OutputStream
  #timer: NodeJS.Timeout | null = null
  #view: RunView | null = null
  #lastLineAt = 0

  constructor(stream: OutputStream) {
    this.#stream = stream
  }

  notice(text: string): void {
    this.#stream.write(`${text}\n`)
  }

  text(text: string): void {
    this.#stream.write(text)
  }

  async follow(view: RunView): Promise<void> {
    this.#view = view
    this.#lastLineAt = performance.now()
    this.#timer = setInterval(() => this.#line(view), earlyMs)
    this.#timer.unref()
  }

  leave(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    if (this.#view !== null && isComplete(this.#view)) this.#stream.write(`${fullBar()}\n`)
    this.#view = null
  }

  pause(): void {}

  resume(): void {}

  #line(view: RunView): void {
    const now = performance.now()
    const interval = view.elapsedMs() < lateAfterMs ? earlyMs : lateMs
    // A timer may fire a little early.
    if (now - this.#lastLineAt < interval - 100) return
    this.#lastLineAt = now
    this.#stream.write(
      `${percentOf(view).padStart(4)}  ${fitFields([...statusFields(view), ...startFields(view)], lineWidth)}\n`,
    )
  }
}
