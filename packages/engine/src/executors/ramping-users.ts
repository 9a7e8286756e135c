import {
  UserLine,
  type ControlChange,
  type ExternallyControlled,
  type Interval,
  type RampingUsers as RampingUsersModel,
} from '@loads-runner/testcase/load'
import type { UserPart } from '../load-user.ts'
import { ClosedLoop, type Member, type Turn } from './closed-loop.ts'
import type { ExecutorOptions } from './executor.ts'

/**
 * A number of users that follows a line, planned or drawn by an operator. A user that comes above the line ends its
 * execution (it is cut when that takes longer than the scenario's graceful stop) and rests until the line is above it.
 */
export class RampingUsers extends ClosedLoop {
  readonly #model: RampingUsersModel | ExternallyControlled
  #line: UserLine
  #intervals = new WeakMap<Member, Interval[]>()

  constructor(options: ExecutorOptions, model: RampingUsersModel | ExternallyControlled) {
    super(options)
    this.#model = model
    this.#line = new UserLine(model)
  }

  override control(changes: readonly ControlChange[]): void {
    this.#line = new UserLine(this.#model, changes)
    this.#intervals = new WeakMap()
    const now = performance.now()
    for (const member of this.members) this.#setCut(member, now)
    this.sleepers.wakeAll()
  }

  protected dueAt(member: Member, now: number): number | null {
    if (now >= this.endsAt) return null
    const at = now - this.begunAt
    const interval = this.#activeOf(member).find((each) => each.toMs > at)
    if (interval !== undefined) return this.begunAt + interval.fromMs
    // The stage goes on to its end, whoever rests; an operator may want this one again.
    return this.endsAt
  }

  protected take(member: Member): Turn {
    const { run, firstOrdinal } = this.view
    this.#setCut(member, performance.now())
    const iteration = member.iteration++
    return { iteration, ordinal: firstOrdinal + iteration * run.units + member.unit - run.firstUnit }
  }

  protected count(member: Member, turn: Turn): void {
    member.progress[member.place] = turn.iteration + 1
  }

  protected partOf(member: Member): Pick<UserPart, 'iterations' | 'endsAt'> {
    const now = performance.now()
    this.#setCut(member, now)
    const toMs = this.#activeUntil(member, now)
    return { iterations: null, endsAt: toMs === null || toMs === Infinity ? null : this.begunAt + toMs }
  }

  /** When what it runs now has gone on for long enough. The end of the stage is the session's to watch. */
  #setCut(member: Member, now: number): void {
    const toMs = this.#activeUntil(member, now)
    const { gracefulStopMs } = this.view.run.scenario
    if (toMs !== null) member.cutAt = this.begunAt + toMs + gracefulStopMs
    else if (member.cutAt > now + gracefulStopMs) member.cutAt = now + gracefulStopMs
  }

  #activeOf(member: Member): readonly Interval[] {
    let intervals = this.#intervals.get(member)
    if (intervals === undefined) this.#intervals.set(member, (intervals = this.#line.activeOf(member.rank)))
    return intervals
  }

  #activeUntil(member: Member, now: number): number | null {
    const at = now - this.begunAt
    const interval = this.#activeOf(member).find((each) => each.fromMs <= at && each.toMs > at)
    return interval?.toMs ?? null
  }
}
