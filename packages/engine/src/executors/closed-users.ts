import { rampUpOffset, type MovedUser, type UserRange } from '@loads-runner/testcase/load'
import type { LoadUser, UserPart, UserSurroundings } from '../load-user.ts'

/**
 * The closed model: a fixed number of users, each starting its next execution when the last one has ended.
 *
 * Runs the users of one stage on one load thread; users that are moved here join them.
 */
export class ClosedUsers {
  readonly stage: number
  readonly #around: UserSurroundings
  readonly #makeUser: (user: number) => LoadUser
  readonly #begunAt = performance.now()
  readonly #endsAt: number | null
  readonly #users = new Set<LoadUser>()
  #waiting = 0
  #onIdle: () => void

  /** @param onIdle called each time that the last of the users has ended */
  constructor(
    stage: number,
    around: UserSurroundings,
    makeUser: (user: number) => LoadUser,
    onIdle: () => void,
  ) {
    this.stage = stage
    this.#around = around
    this.#makeUser = makeUser
    this.#onIdle = onIdle
    const { durationMs } = this.#profile.stages[stage]!
    this.#endsAt = durationMs === null ? null : this.#begunAt + durationMs
    // Users that pause or wait for their ramp-up must not outlast the stage.
    if (durationMs !== null) setTimeout(() => this.#around.pause.wakeAll(), durationMs).unref()
  }

  start(range: UserRange, progress: Uint32Array): void {
    const users = Array.from({ length: range.count }, (_, place) => ({
      user: range.first + place,
      fromIteration: 0,
    }))
    this.#begin(users, progress)
  }

  /** Users that go on where they stopped elsewhere. */
  join(users: readonly MovedUser[], progress: Uint32Array): void {
    this.#begin(users, progress)
  }

  get idle(): boolean {
    return this.#waiting === 0
  }

  drain(): void {
    for (const user of this.#users) user.drain()
  }

  cancel(): void {
    for (const user of this.#users) user.cancel()
  }

  timeOutSince(begunBefore: number): void {
    for (const user of this.#users) user.timeOutSince(begunBefore)
  }

  get #profile() {
    return this.#around.setup.spec.profile
  }

  #begin(users: readonly { user: number; fromIteration: number }[], progress: Uint32Array): void {
    this.#waiting += users.length
    for (const [place, { user, fromIteration }] of users.entries()) {
      void this.#run(user, fromIteration, (done) => (progress[place] = done)).finally(() => {
        this.#waiting -= 1
        if (this.idle) this.#onIdle()
      })
    }
    if (users.length === 0 && this.idle) queueMicrotask(() => this.idle && this.#onIdle())
  }

  async #run(user: number, fromIteration: number, onProgress: (done: number) => void): Promise<void> {
    const offset = this.#begunAt + rampUpOffset(this.#profile, this.stage, user) - performance.now()
    if (offset > 0) await this.#around.pause.sleep(offset)
    if (this.#around.draining) return
    const part: UserPart = {
      user,
      stage: this.stage,
      fromIteration,
      iterations: this.#profile.stages[this.stage]!.iterations,
      endsAt: this.#endsAt,
      onProgress,
    }
    const one = this.#makeUser(user)
    this.#users.add(one)
    try {
      await one.run(part)
    } finally {
      this.#users.delete(one)
    }
  }
}
