/** Lets the users' console output through, but never more than a person could read. */
export class OutputLines {
  readonly #perSecond: number
  readonly #emit: (line: string) => void
  #second = 0
  #count = 0
  #left = 0

  constructor(perSecond: number, emit: (line: string) => void) {
    this.#perSecond = perSecond
    this.#emit = emit
  }

  push(line: string): void {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) {
      this.flush()
      this.#second = second
      this.#count = 0
    }
    if (this.#count++ < this.#perSecond) this.#emit(line)
    else this.#left++
  }

  /** Says how many lines were left out. */
  flush(): void {
    if (this.#left > 0) this.#emit(`(${this.#left} more lines of output were left out)`)
    this.#left = 0
  }
}
