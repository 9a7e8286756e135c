import type { OutputStream } from '../world.ts'

const escape = '\u001b['

/** One line of a region: the text decides how wide it is, the styled one is written. */
export interface RegionLine {
  text: string
  styled: string
}

/**
 * The last lines of a terminal, drawn again and again in place; other text scrolls away above them. Never saves and
 * restores the cursor's place, which is wrong once lines have scrolled.
 */
export class LiveRegion {
  readonly #stream: OutputStream
  /** Widths of the lines that are there now. */
  #drawn: number[] = []

  constructor(stream: OutputStream) {
    this.#stream = stream
  }

  /** The cursor stays behind the last line. No line may be wider than the terminal. */
  draw(lines: readonly RegionLine[]): void {
    const text = lines.map(({ styled }) => `${styled}${escape}0K`).join('\n')
    // In one go: a terminal shows no half of it.
    this.#stream.write(`${this.#toStart()}${text}${escape}0J`)
    this.#drawn = lines.map((line) => line.text.length)
  }

  /** Takes the lines away; the cursor is where the first of them began. */
  clear(): void {
    if (this.#drawn.length === 0) return
    const rows = this.#rows()
    // Line by line: a terminal may keep what is erased with all that is below it.
    const below = `${escape}1B${escape}2K`.repeat(rows - 1)
    this.#stream.write(`${this.#toStart()}${escape}2K${below}${rows > 1 ? `${escape}${rows - 1}A` : ''}`)
    this.#drawn = []
  }

  showCursor(visible: boolean): void {
    this.#stream.write(`${escape}${visible ? '?25h' : '?25l'}`)
  }

  /** A terminal that has become narrower has wrapped what was there. */
  #rows(): number {
    const width = this.#stream.columns || Infinity
    return this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / width)), 0)
  }

  #toStart(): string {
    const rows = this.#rows()
    return rows > 1 ? `\r${escape}${rows - 1}A` : '\r'
  }
}
