import type { MovedUser, UserRange } from '@loads-runner/testcase/load'

/**
 * Finished iterations of some users of one load thread, in shared memory: the thread writes, the session's main thread
 * reads what moved since it last looked.
 */
export class UserProgress {
  /** User numbers, by place in the block. */
  readonly #users: UserRange | number[]
  readonly block: SharedArrayBuffer
  readonly #done: Uint32Array
  readonly #seen: Uint32Array

  private constructor(users: UserRange | number[], block: SharedArrayBuffer) {
    this.#users = users
    this.block = block
    this.#done = new Uint32Array(block)
    this.#seen = new Uint32Array(this.#done)
  }

  static ofRange(range: UserRange): UserProgress {
    return new UserProgress(range, new SharedArrayBuffer(4 * range.count))
  }

  static ofMoved(users: readonly MovedUser[]): UserProgress {
    const progress = new UserProgress(
      users.map((each) => each.user),
      new SharedArrayBuffer(4 * users.length),
    )
    for (const [place, each] of users.entries()) {
      progress.#done[place] = each.fromIteration
      progress.#seen[place] = each.fromIteration
    }
    return progress
  }

  /** Appends `user, iterations` for each user that moved on since the last call. */
  collect(into: number[]): void {
    for (let place = 0; place < this.#done.length; place++) {
      const done = this.#done[place]!
      if (done === this.#seen[place]) continue
      this.#seen[place] = done
      into.push(Array.isArray(this.#users) ? this.#users[place]! : this.#users.first + place, done)
    }
  }
}
