/**
 * The order in which a user runs its tests: a fixed cycle in which each test stands as often as its weight says, spread
 * as evenly as can be. (Smooth weighted round-robin, as in nginx's upstream balancing.) Each user begins the cycle at a
 * place of its own, so that users do not march in step. Pure: the same on any number of agents.
 */
export class TestCycle {
  readonly #order: readonly number[]

  /** @param weights one per test, integers of 0 or more; at least one above 0 */
  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const credit = weights.map(() => 0)
    const order: number[] = []
    for (let turn = 0; turn < total; turn++) {
      let best = -1
      for (const [index, weight] of weights.entries()) {
        credit[index]! += weight
        if (weight > 0 && (best < 0 || credit[index]! > credit[best]!)) best = index
      }
      credit[best]! -= total
      order.push(best)
    }
    this.#order = order
  }

  get length(): number {
    return this.#order.length
  }

  /** Index of the test that a user runs in an iteration. */
  testFor(user: number, iteration: number): number {
    return this.#order[(user + iteration) % this.#order.length]!
  }
}
