/** Tests that never wait must still let the event loop turn: every so many milliseconds. */
const longestWithoutTurn = 10

/**
 * Knows for how long the event loop has not turned. Executions that wait for a target let it turn by themselves, and
 * must not be held up for it: a turn is only waited for when there really was none.
 *
 *     execution ends -> is an immediate pending?  no: order one          (once per turn of the loop)
 *                                                 yes, for 10 ms: wait for it
 */
export class Breath {
  #orderedAt = 0
  #pending = false
  #turned: Promise<void> | null = null
  #onTurn: (() => void) | null = null

  /** Null: go on. All who are held up wait for the same turn: one that went on alone would keep the loop from it. */
  take(now: number): Promise<void> | null {
    if (!this.#pending) {
      this.#pending = true
      this.#orderedAt = now
      setImmediate(this.#turn)
      return null
    }
    if (now - this.#orderedAt < longestWithoutTurn) return null
    return (this.#turned ??= new Promise((resolve) => (this.#onTurn = resolve)))
  }

  readonly #turn = (): void => {
    this.#pending = false
    this.#onTurn?.()
    this.#onTurn = null
    this.#turned = null
  }
}
