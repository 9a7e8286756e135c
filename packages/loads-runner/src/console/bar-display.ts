import type { Options, SingleBar } from 'cli-progress'
import type { RunView } from '../run-view.ts'
import type { OutputStream } from '../world.ts'
import { BarTerminal } from './bar-terminal.ts'
import type { Display } from './display.ts'
import { fullBar, fullBarSize, isComplete, percentOf } from './progress-bar.ts'
import { fitFields, statusFields } from './status-line.ts'

/** Redraws per second: figures change twice a second, the clock once. */
const framesPerSecond = 5
const leastBarSize = 12
const unknownWidth = 80
/** The terminal shows ^C behind the line, and the last column would wrap. */
const margin = 3

/** A bar with live figures on the last line of a terminal; notices scroll away above it. */
export class BarDisplay implements Display {
  readonly #stream: OutputStream
  readonly #terminal: BarTerminal
  #bar: SingleBar | null = null
  #view: RunView | null = null
  #drawn = false

  constructor(stream: OutputStream) {
    this.#stream = stream
    this.#terminal = new BarTerminal(stream)
  }

  notice(text: string): void {
    this.text(`${text}\n`)
  }

  text(text: string): void {
    if (this.#drawn) this.#terminal.clearLine()
    this.#stream.write(text)
    if (this.#drawn) this.#bar?.render()
  }

  async follow(view: RunView): Promise<void> {
    // A CommonJS module whose names Node does not all find.
    const { Format, SingleBar } = (await import('cli-progress')).default
    this.#view = view
    const options = {
      terminal: this.#terminal,
      fps: framesPerSecond,
      barsize: fullBarSize,
      barCompleteChar: '=',
      barIncompleteChar: '-',
      hideCursor: true,
      linewrap: null,
      clearOnComplete: true,
      forceRedraw: true,
      format: (given: Options) => {
        const { bar, figures } = barLine(view, this.#stream.columns || unknownWidth)
        return `[${Format.BarFormat(view.progress(), { ...given, barsize: bar })}] ${figures}`
      },
    }
    this.#bar = new SingleBar(options as Options)
    this.resume()
  }

  leave(): void {
    this.pause()
    if (this.#view !== null && isComplete(this.#view)) this.#stream.write(`${fullBar()}\n`)
    this.#bar = null
    this.#view = null
  }

  pause(): void {
    this.#drawn = false
    this.#bar?.stop()
  }

  resume(): void {
    if (this.#bar === null || this.#drawn) return
    this.#drawn = true
    this.#bar.start(1, 0)
  }
}

/** How a line of `width` is shared: the size of the bar, and the text after it. */
export function barLine(view: RunView, width: number): { bar: number; figures: string } {
  const percent = percentOf(view).padStart(4)
  // Brackets, a blank, the percentage, two blanks.
  const room = width - leastBarSize - percent.length - 5 - margin
  const fields = fitFields(statusFields(view), room)
  const figures = `${percent}  ${fields}`.trimEnd()
  const bar = Math.max(1, Math.min(fullBarSize, width - figures.length - 3 - margin))
  return { bar, figures }
}
