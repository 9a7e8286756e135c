import type { Lanes } from '@loads-runner/testcase/load'

/** A lane of an open model that this thread walks. */
export interface Lane {
  /** Counted in its stage. */
  readonly place: number
  /** Starts of the lane that were made or dropped before. */
  turn: number
  /** Number of its next start in the schedule. */
  next: number
  readonly progress: Uint32Array
  readonly index: number
}

/** The lanes of a thread, the one with the earliest start on top: a binary heap. */
export class LaneHeap {
  readonly #lanes: Lanes
  readonly #heap: Lane[] = []

  constructor(lanes: Lanes) {
    this.#lanes = lanes
  }

  get top(): Lane | undefined {
    return this.#heap[0]
  }

  get all(): readonly Lane[] {
    return this.#heap
  }

  add(place: number, turn: number, progress: Uint32Array, index: number): void {
    this.#heap.push({ place, turn, next: this.#lanes.startOf(place, turn), progress, index })
    let child = this.#heap.length - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (this.#heap[parent]!.next <= this.#heap[child]!.next) return
      this.#swap(parent, child)
      child = parent
    }
  }

  /** The top lane's start is made or dropped: its next one takes its turn. */
  advance(): void {
    const lane = this.#heap[0]!
    lane.turn++
    lane.next += this.#lanes.count
    lane.progress[lane.index] = lane.turn
    let parent = 0
    for (;;) {
      let least = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < this.#heap.length && this.#heap[child]!.next < this.#heap[least]!.next) least = child
      }
      if (least === parent) return
      this.#swap(parent, least)
      parent = least
    }
  }

  #swap(a: number, b: number): void {
    const lane = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = lane
  }
}
