import { styleText } from 'node:util'
import type { RunView } from '@loads-runner/history'
import type { OutputStream } from '../world.ts'
import { wantsColor } from './color.ts'
import type { Display } from './display.ts'
import { liveLines } from './live-lines.ts'
import type { LiveLine } from './live-lines.ts'
import { LiveRegion } from './live-region.ts'
import type { RegionLine } from './live-region.ts'
import { fullBar, fullBarSize, isComplete, percentOf } from './progress-bar.ts'
import { fitFields, statusFields } from './status-line.ts'

/** Figures change twice a second, the clock once. Milliseconds. */
const frameMs = 200
const leastBarSize = 12
const unknownWidth = 80
const unknownHeight = 24
/** The terminal shows ^C behind the line, and the last column would wrap. */
const margin = 3

type BarFormat = (progress: number, options: object) => string

/** A bar with live figures on the last line of a terminal, more figures above it; notices scroll away above both. */
export class BarDisplay implements Display {
  readonly #stream: OutputStream
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #region: LiveRegion
  #format: BarFormat | null = null
  #view: RunView | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(stream: OutputStream, env: Readonly<Record<string, string | undefined>> = process.env) {
    this.#stream = stream
    this.#env = env
    this.#region = new LiveRegion(stream)
  }

  notice(text: string): void {
    this.text(`${text}\n`)
  }

  text(text: string): void {
    this.#region.clear()
    this.#stream.write(text)
    if (this.#timer !== null) this.#draw()
  }

  async follow(view: RunView): Promise<void> {
    // A CommonJS module whose names Node does not all find.
    const { Format } = (await import('cli-progress')).default
    this.#format = Format.BarFormat as BarFormat
    this.#view = view
    this.resume()
  }

  leave(): void {
    this.pause()
    if (this.#view !== null && isComplete(this.#view)) this.#stream.write(`${fullBar()}\n`)
    this.#view = null
  }

  pause(): void {
    if (this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
    this.#region.clear()
    this.#region.showCursor(true)
  }

  resume(): void {
    if (this.#view === null || this.#timer !== null) return
    this.#timer = setInterval(() => this.#draw(), frameMs)
    this.#region.showCursor(false)
    this.#draw()
  }

  #draw(): void {
    const view = this.#view!
    const width = this.#stream.columns || unknownWidth
    const { bar, figures } = barLine(view, width)
    const options = {
      barCompleteString: '='.repeat(fullBarSize),
      barIncompleteString: '-'.repeat(fullBarSize),
      barGlue: '',
      barsize: bar,
    }
    const text = `[${this.#format!(view.progress(), options)}] ${figures}`
    const inColor = wantsColor(this.#stream, this.#env)
    const room = Math.max(0, (this.#stream.rows || unknownHeight) - 2)
    const above = fitLines(liveLines(view), width - 1, room).map((line) => regionLine(line, inColor))
    this.#region.draw([...above, { text, styled: text }])
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

/** As many lines as there is room for, none wider than the terminal. */
export function fitLines(lines: readonly LiveLine[], width: number, height: number): LiveLine[] {
  return lines.slice(0, height).map((line) => {
    if (line.text.length <= width) return line
    return { ...line, text: width > 1 ? `${line.text.slice(0, width - 1)}…` : '' }
  })
}

const styles = { good: 'green', bad: 'red', doubtful: 'yellow', dim: 'dim' } as const

function regionLine({ text, style }: LiveLine, inColor: boolean): RegionLine {
  if (!inColor || style === 'plain') return { text, styled: text }
  return { text, styled: styleText(styles[style], text, { validateStream: false }) }
}
