import type { LoadProfile, MovedUser, Share } from '@loads-runner/testcase/load'

/** What becomes of the users of a lost agent: pure arithmetic. */

/** Finished iterations of every user of a run, as its agents reported them. */
export class Progress {
  readonly #users: number
  /** Made with the first figures: a run that waits costs nothing. */
  #iterations: Uint32Array | null = null

  constructor(profile: LoadProfile) {
    this.#users = totalUsers(profile)
  }

  /** Pairs of user and finished iterations, as windows carry them. Counts only grow; unknown users are ignored. */
  take(pairs: readonly number[]): void {
    if (pairs.length === 0) return
    const iterations = (this.#iterations ??= new Uint32Array(this.#users))
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      const user = pairs[index]!
      const finished = pairs[index + 1]!
      if (user < this.#users && finished > iterations[user]!) iterations[user] = finished
    }
  }

  of(user: number): number {
    return this.#iterations?.[user] ?? 0
  }
}

/** What one agent has to run: its share of the plan, and users it took over. */
export interface Holding {
  share: Share
  moved: readonly MovedUser[]
}

export function totalUsers(profile: LoadProfile): number {
  return profile.stages.reduce((sum, stage) => sum + stage.users, 0)
}

/** Executions of a share; stages bounded by time count 0. */
export function plannedOf(profile: LoadProfile, share: Share): number {
  return share.ranges.reduce((sum, range, stage) => {
    return sum + range.count * (profile.stages[stage]?.iterations ?? 0)
  }, 0)
}

/** Executions that a user still has to make from where it goes on; 0 in stages bounded by time. */
export function remainingExecutions(profile: LoadProfile, moved: MovedUser): number {
  const iterations = profile.stages[moved.stage]?.iterations ?? null
  return iterations === null ? 0 : Math.max(0, iterations - moved.fromIteration)
}

/**
 * The users of `holding` that have not ended, in stages from `stage` on, each from its last reported iteration.
 * A user of a stage bounded by time always goes on: the stage's clock, not its count, ends it.
 */
export function remainingUsers(
  profile: LoadProfile,
  holding: Holding,
  stage: number,
  progress: Progress,
): MovedUser[] {
  const remaining: MovedUser[] = []
  const keep = (user: number, of: number, atLeast: number) => {
    const moved = { user, stage: of, fromIteration: Math.max(progress.of(user), atLeast) }
    const bounded = profile.stages[of]?.iterations ?? null
    if (bounded === null || moved.fromIteration < bounded) remaining.push(moved)
  }
  for (let of = stage; of < profile.stages.length; of++) {
    const range = holding.share.ranges[of]
    if (range === undefined) continue
    for (let user = range.first; user < range.first + range.count; user++) keep(user, of, 0)
  }
  for (const moved of holding.moved) {
    if (moved.stage >= stage) keep(moved.user, moved.stage, moved.fromIteration)
  }
  return remaining
}

/** Deals users out like cards, so that each part gets its fair share of every stage. */
export function deal(users: readonly MovedUser[], parts: number): MovedUser[][] {
  const dealt: MovedUser[][] = Array.from({ length: parts }, () => [])
  for (const [index, user] of users.entries()) dealt[index % parts]!.push(user)
  return dealt
}

/** Users that were moved to an agent and that it never took up: they were on their way while it was ending. */
export function untouchedUsers(
  profile: LoadProfile,
  moved: readonly MovedUser[],
  progress: Progress,
): MovedUser[] {
  return moved.filter(
    (user) => remainingExecutions(profile, user) > 0 && progress.of(user.user) <= user.fromIteration,
  )
}
