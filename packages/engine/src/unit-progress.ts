import type { MovedUnit, UnitRange } from '@loads-runner/testcase/load'

/**
 * What some units of one load thread have done, in shared memory: the thread writes, the session's main thread
 * reads what moved since it last looked.
 */
export class UnitProgress {
  /** Unit numbers, by place in the block. */
  readonly #units: UnitRange | number[]
  readonly block: SharedArrayBuffer
  readonly #done: Uint32Array
  readonly #seen: Uint32Array

  private constructor(units: UnitRange | number[], block: SharedArrayBuffer) {
    this.#units = units
    this.block = block
    this.#done = new Uint32Array(block)
    this.#seen = new Uint32Array(this.#done)
  }

  static ofRange(range: UnitRange): UnitProgress {
    return new UnitProgress(range, new SharedArrayBuffer(4 * range.count))
  }

  static ofMoved(units: readonly MovedUnit[]): UnitProgress {
    const progress = new UnitProgress(
      units.map((each) => each.unit),
      new SharedArrayBuffer(4 * units.length),
    )
    for (const [place, each] of units.entries()) {
      progress.#done[place] = each.fromIteration
      progress.#seen[place] = each.fromIteration
    }
    return progress
  }

  /** Appends `unit, done` for each unit that moved on since the last call. */
  collect(into: number[]): void {
    for (let place = 0; place < this.#done.length; place++) {
      const done = this.#done[place]!
      if (done === this.#seen[place]) continue
      this.#seen[place] = done
      into.push(Array.isArray(this.#units) ? this.#units[place]! : this.#units.first + place, done)
    }
  }
}
