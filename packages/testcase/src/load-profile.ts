/**
 * How much load a run makes and when: pure data, plus the pure functions that share it out.
 *
 * The broker divides a profile's users over agents with it, an agent divides its share over workers, so the two
 * can never disagree on who runs which user.
 */

/** One step of a run. A stage begins when every user of the stage before it has ended. */
export interface Stage {
  /** Virtual users of the whole cluster in this stage. */
  users: number
  /** Executions per user; null when the stage is bounded by time. */
  iterations: number | null
  /** Milliseconds after which no new execution starts; null when the stage is bounded by iterations. */
  durationMs: number | null
}

export interface LoadProfile {
  stages: Stage[]
  /** Milliseconds over which the users of each stage start, spread evenly. */
  rampUpMs: number
  /** Milliseconds between two executions of one user. */
  delayMs: number
}

/** `count` users with consecutive numbers. Users are numbered through all stages: stage 1 begins where stage 0 ended. */
export interface UserRange {
  first: number
  count: number
}

/** A user that goes on where it stopped elsewhere (on a lost agent or in a dead worker). */
export interface MovedUser {
  user: number
  stage: number
  /** Iterations of this user that are already reported, that is: the number of the next one. */
  fromIteration: number
}

/** What one agent (or one worker) runs: one range per stage, empty ranges included. */
export interface Share {
  ranges: UserRange[]
}

/** Splits `count` things into `parts` runs that differ by one at most: 10 over 3 is 4+3+3. */
export function splitEvenly(count: number, parts: number): UserRange[] {
  const ranges: UserRange[] = []
  const base = Math.floor(count / parts)
  const longer = count % parts
  let first = 0
  for (let part = 0; part < parts; part++) {
    const size = base + (part < longer ? 1 : 0)
    ranges.push({ first, count: size })
    first += size
  }
  return ranges
}

/** The shares of `parts` agents, in order: `shares[i].ranges[stage]`. */
export function shareOut(profile: LoadProfile, parts: number): Share[] {
  const shares: Share[] = Array.from({ length: parts }, () => ({ ranges: [] }))
  let base = 0
  for (const stage of profile.stages) {
    for (const [part, range] of splitEvenly(stage.users, parts).entries()) {
      shares[part]!.ranges.push({ first: base + range.first, count: range.count })
    }
    base += stage.users
  }
  return shares
}

/** The stage that a user number belongs to; -1 when the profile has no such user. */
export function stageOfUser(profile: LoadProfile, user: number): number {
  let end = 0
  for (const [index, stage] of profile.stages.entries()) {
    end += stage.users
    if (user < end) return index
  }
  return -1
}

/** The number of the first user of a stage. */
export function firstUserOf(profile: LoadProfile, stage: number): number {
  return profile.stages.slice(0, stage).reduce((sum, each) => sum + each.users, 0)
}

/** Milliseconds after the start of its stage at which a user starts. The same on any number of agents. */
export function rampUpOffset(profile: LoadProfile, stage: number, user: number): number {
  const users = profile.stages[stage]?.users ?? 0
  if (profile.rampUpMs === 0 || users < 2) return 0
  return ((user - firstUserOf(profile, stage)) / users) * profile.rampUpMs
}

/** Executions planned for a stage over all its users; null when it is bounded by time. */
export function plannedExecutions(stage: Stage): number | null {
  return stage.iterations === null ? null : stage.users * stage.iterations
}
