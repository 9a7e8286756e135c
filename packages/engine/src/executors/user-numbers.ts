/** Numbers of the users that some lanes own, one lane after the other. Numbers that are given back come first. */
export class UserNumbers {
  readonly #firstUnit: number
  readonly #lanes: number
  readonly #users: number
  readonly #owned: { next: number }[] = []
  readonly #returned: number[] = []
  #left = 0
  #turn = 0

  /** @param users of the stage on all agents */
  constructor(firstUnit: number, lanes: number, users: number) {
    this.#firstUnit = firstUnit
    this.#lanes = lanes
    this.#users = users
  }

  /** @param lane counted in its stage: it owns lane, lane + lanes, lane + 2 * lanes ... */
  add(lane: number): void {
    this.#owned.push({ next: lane })
    this.#left += Math.ceil((this.#users - lane) / this.#lanes)
  }

  get left(): number {
    return this.#left
  }

  take(): number | null {
    if (this.#left === 0) return null
    this.#left--
    const returned = this.#returned.pop()
    if (returned !== undefined) return returned
    for (;;) {
      const lane = this.#owned[this.#turn++ % this.#owned.length]!
      if (lane.next >= this.#users) continue
      const user = this.#firstUnit + lane.next
      lane.next += this.#lanes
      return user
    }
  }

  giveBack(user: number): void {
    this.#returned.push(user)
    this.#left++
  }
}
