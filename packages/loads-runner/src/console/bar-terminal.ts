import type { OutputStream } from '../world.ts'

const escape = '\u001b['

/**
 * What cli-progress asks of a terminal, on one of our streams. Unlike its own it never saves and restores the cursor's
 * place, which is wrong once lines have scrolled above the bar.
 */
export class BarTerminal {
  readonly #stream: OutputStream

  constructor(stream: OutputStream) {
    this.#stream = stream
  }

  cursorSave(): void {}

  cursorRestore(): void {}

  cursor(visible: boolean): void {
    this.#control(visible ? '?25h' : '?25l')
  }

  /** Only columns: the bar is one line. */
  cursorTo(column: number | null): void {
    this.#control(`${(column ?? 0) + 1}G`)
  }

  cursorRelative(): void {}

  cursorRelativeReset(): void {
    this.cursorTo(0)
  }

  clearRight(): void {
    this.#control('0K')
  }

  clearLine(): void {
    this.cursorTo(0)
    this.#control('2K')
  }

  clearBottom(): void {
    this.#control('0J')
  }

  newline(): void {
    this.#stream.write('\n')
  }

  write(text: string): void {
    this.#stream.write(text)
  }

  lineWrapping(): void {}

  isTTY(): boolean {
    // Asked by cli-progress before it draws; a terminal that has been closed swallows what is written.
    return true
  }

  getWidth(): number {
    return this.#stream.columns || 80
  }

  #control(sequence: string): void {
    this.#stream.write(escape + sequence)
  }
}
