/** Sleeping that the end of a run can cut short. */
export class Pause {
  readonly #sleepers = new Map<NodeJS.Timeout, () => void>()

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#sleepers.delete(timer)
        resolve()
      }, milliseconds)
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
