import type { HeldBytes } from './held-bytes.ts'
import type { Flow, Timer } from './stage.ts'

/** Who has bytes for a lane. */
export interface Vehicle {
  readonly flow: Flow
  readonly held: HeldBytes
}

/** Bytes of a piece at most, and for how many milliseconds of the lane. */
const largestPiece = 16 * 1024
const pieceMs = 20

/**
 * A line of a certain rate. Time on it is given out piece by piece, in turn to all who have bytes: a piece passes when the
 * line has been busy with it long enough. Timers that are late take nothing from the rate, since each piece begins when the
 * one before it was due to end.
 */
export class Lane {
  /** Bytes a millisecond: kilobytes a second. */
  #rate: number
  /** In order of their turns; all have bytes. */
  readonly #waiting = new Set<Vehicle>()
  /** When the line has done all that has passed. */
  #doneAt = -Infinity
  /** Who holds the timer: it ends with that connection. */
  #timer: { timer: Timer; vehicle: Vehicle } | null = null

  constructor(rate: number) {
    this.#rate = rate
  }

  /** There are bytes. */
  enter(vehicle: Vehicle): void {
    if (this.#waiting.size === 0) this.#doneAt = vehicle.flow.now()
    this.#waiting.add(vehicle)
    if (this.#timer === null) this.#wait()
  }

  /** It has no bytes for the lane any more. */
  leave(vehicle: Vehicle): void {
    this.#waiting.delete(vehicle)
    if (this.#timer?.vehicle === vehicle) this.#wait()
  }

  change(rate: number): void {
    if (rate === this.#rate) return
    this.#passDue()
    this.#rate = rate
    const [first] = this.#waiting
    if (first !== undefined) this.#doneAt = first.flow.now()
    this.#wait()
  }

  #wait(): void {
    this.#stopWaiting()
    const [first] = this.#waiting
    if (first === undefined || this.#rate === 0) return
    const ms = Math.max(0, this.#doneAt + this.#pieceOf(first) / this.#rate - first.flow.now())
    this.#timer = { vehicle: first, timer: first.flow.after(ms, () => this.#onTimer()) }
  }

  #stopWaiting(): void {
    this.#timer?.timer.cancel()
    this.#timer = null
  }

  #onTimer(): void {
    this.#timer = null
    this.#passDue()
    this.#wait()
  }

  #passDue(): void {
    if (this.#rate === 0) return
    let [vehicle] = this.#waiting
    const now = vehicle?.flow.now() ?? 0
    while (vehicle !== undefined) {
      const piece = this.#pieceOf(vehicle)
      const doneAt = this.#doneAt + piece / this.#rate
      if (doneAt > now) return
      this.#doneAt = doneAt
      vehicle.held.pass(piece)
      // It may have left meanwhile.
      if (this.#waiting.delete(vehicle) && !vehicle.held.isEmpty) this.#waiting.add(vehicle)
      ;[vehicle] = this.#waiting
    }
  }

  #pieceOf({ held }: Vehicle): number {
    return Math.min(held.length, largestPiece, this.#rate * pieceMs)
  }
}
