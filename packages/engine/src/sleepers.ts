/** Sleeping that can be cut short: by the end of a stage, of the run, or by an operator. */
export class Sleepers {
  readonly #sleepers = new Map<NodeJS.Timeout, () => void>()

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => {
          this.#sleepers.delete(timer)
          resolve()
        },
        // Node cuts fractions off: who is woken too early would be early by up to a millisecond.
        Math.min(Math.ceil(milliseconds), longestMs),
      )
      this.#sleepers.set(timer, resolve)
    })
  }

  wakeAll(): void {
    for (const [timer, resolve] of this.#sleepers) {
      clearTimeout(timer)
      resolve()
    }
    this.#sleepers.clear()
  }
}

/** Longer than that a timer cannot be set: who sleeps looks at the time again. */
const longestMs = 2 ** 31 - 1
