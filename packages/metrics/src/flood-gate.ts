/**
 * Lets so many things pass in each second and counts the rest: what anybody may send, nobody can flood. That some were
 * left out is then said in one line, once a second at most.
 */
export class FloodGate {
  readonly #most: number
  #sinceMs = -Infinity
  #passed = 0
  #leftOut = 0
  /** When the first of those was left out. */
  #leftOutMs = 0

  /** @param most in a second */
  constructor(most: number) {
    this.#most = most
  }

  /** One comes. @param nowMs by any clock that never jumps; the same for all calls */
  passes(nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= 1000) {
      this.#sinceMs = nowMs
      this.#passed = 0
    }
    if (this.#passed < this.#most) {
      this.#passed++
      return true
    }
    this.leaveOut(1, nowMs)
    return false
  }

  /** So many did not even come here. */
  leaveOut(count: number, nowMs: number): void {
    if (this.#leftOut === 0) this.#leftOutMs = nowMs
    this.#leftOut += count
  }

  /** How many were left out, each counted once; 0 until the first of them is a second old. `Infinity`: now. */
  leftOut(nowMs: number): number {
    if (this.#leftOut === 0 || nowMs - this.#leftOutMs < 1000) return 0
    const count = this.#leftOut
    this.#leftOut = 0
    return count
  }
}
