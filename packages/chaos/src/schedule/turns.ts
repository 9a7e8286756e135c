import { ChaosError } from '../errors.ts'
import type { ScheduleClock } from './clock.ts'

/** Work on one proxy is done in turn, on different ones side by side; what takes too long is given up. */
export class Turns {
  readonly #clock: ScheduleClock
  readonly #mostMs: number
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(clock: ScheduleClock, mostMs: number) {
    this.#clock = clock
    this.#mostMs = mostMs
  }

  /**
   * @param givenUp told when that happens, with what may still come true
   * @throws {ChaosError} CHAOS_STATE when it takes too long, and what `work` throws
   */
  take<T>(whose: string, work: () => Promise<T>, givenUp: (late: Promise<T>) => void = () => {}): Promise<T> {
    const before = this.#last.get(whose) ?? Promise.resolve()
    const done = before.then(() => this.#inTime(work, givenUp))
    const settled = done.then(
      () => {},
      () => {},
    )
    this.#last.set(whose, settled)
    void settled.then(() => {
      if (this.#last.get(whose) === settled) this.#last.delete(whose)
    })
    return done
  }

  #inTime<T>(work: () => Promise<T>, givenUp: (late: Promise<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // What is called may throw at once in place of rejecting.
      const working = Promise.resolve().then(work)
      const timer = this.#clock.after(this.#mostMs, () => {
        const seconds = this.#mostMs / 1000
        reject(new ChaosError('CHAOS_STATE', `no answer within ${seconds} s; is the proxy there?`))
        givenUp(working)
      })
      working.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}
