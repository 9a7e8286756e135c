import {
  durationOf,
  pauseAfter,
  Ranks,
  type ControlChange,
  type MovedUnit,
  type UnitRange,
} from '@loads-runner/testcase/load'
import { createRandom } from '@loads-runner/testcase'
import type { ExecutionEnd, LoadUser, UserPart, UserSurroundings } from '../load-user.ts'
import { Sleepers } from '../sleepers.ts'
import type { StageView } from '../stage-view.ts'
import type { Executor, ExecutorOptions } from './executor.ts'

/** A unit of a closed model: one user and what it does next. */
export interface Member {
  readonly unit: number
  /** Of the user in its stage: what decides when it ramps up. */
  readonly rank: number
  /** Where its progress is counted. */
  readonly progress: Uint32Array
  readonly place: number
  /** Number of the next execution of this user. */
  iteration: number
  /** performance.now() after which a running execution is cut; Infinity: the stage's end decides. */
  cutAt: number
  /** When its last execution should have begun by its pace (performance.now()). */
  pacedFrom: number
  user: LoadUser | null
}

/** What a member's next execution is called. */
export interface Turn {
  iteration: number
  ordinal: number
}

/**
 * What closed models have in common: each user starts its next execution when the last one has ended. Models say when
 * a user may start, what the execution is called, and how it is counted.
 */
export abstract class ClosedLoop<T extends Turn = Turn> implements Executor {
  protected readonly view: StageView
  protected readonly around: UserSurroundings
  protected readonly begunAt = performance.now()
  /** No execution starts after this time (performance.now()); Infinity: something else bounds the stage. */
  protected readonly endsAt: number
  protected readonly members = new Set<Member>()
  protected readonly sleepers = new Sleepers()
  readonly #ranks: Ranks
  readonly #options: ExecutorOptions
  #cancelled = false

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.view = options.view
    this.around = options.around
    const { model, units } = options.view.run
    this.#ranks = new Ranks(units)
    const durationMs = durationOf(model)
    this.endsAt = durationMs === null ? Infinity : this.begunAt + durationMs
    // Users that pause or wait for their ramp-up must not outlast the stage.
    if (durationMs !== null) wakeAfter(this.sleepers, durationMs)
  }

  start(range: UnitRange, progress: Uint32Array): void {
    const units = Array.from({ length: range.count }, (_, place) => ({
      unit: range.first + place,
      fromIteration: 0,
    }))
    this.#begin(units, progress)
  }

  join(units: readonly MovedUnit[], progress: Uint32Array): void {
    this.#begin(units, progress)
  }

  get idle(): boolean {
    return this.members.size === 0
  }

  drain(): void {
    this.sleepers.wakeAll()
    for (const { user } of this.members) user?.drain?.()
  }

  cancel(): void {
    this.#cancelled = true
    this.sleepers.wakeAll()
    for (const { user } of this.members) user?.cancel()
  }

  timeOutSince(begunBefore: number): void {
    for (const { user } of this.members) user?.timeOutSince(begunBefore)
  }

  beat(now: number): void {
    for (const member of this.members) {
      if (member.cutAt > now) continue
      member.cutAt = Infinity
      member.user?.cut()
    }
  }

  control(_changes: readonly ControlChange[]): void {}

  /** When the member may start an execution (performance.now()): in the past is now; null: never any more. */
  protected abstract dueAt(member: Member, now: number): number | null
  /** Takes the member's next execution; null: there is none left. */
  protected abstract take(member: Member): T | null
  /** An execution has ended, and was not cut. */
  protected abstract count(member: Member, turn: T): void
  /** What an external runner makes by itself from now on. */
  protected abstract partOf(member: Member): Pick<UserPart, 'iterations' | 'endsAt'>
  /** The member is there before its first turn. */
  protected added(_member: Member): void {}

  protected get stopped(): boolean {
    return this.#cancelled || this.around.draining
  }

  #begin(units: readonly { unit: number; fromIteration: number }[], progress: Uint32Array): void {
    const { firstUnit } = this.view.run
    const added: Member[] = units.map(({ unit, fromIteration }, place) => ({
      unit,
      rank: this.#ranks.of(unit - firstUnit),
      progress,
      place,
      iteration: fromIteration,
      cutAt: Infinity,
      pacedFrom: this.begunAt,
      user: null,
    }))
    for (const member of added) {
      this.members.add(member)
      this.added(member)
    }
    for (const member of added) void this.#run(member).finally(() => this.#leave(member))
    if (units.length === 0) queueMicrotask(() => this.idle && this.#options.onIdle())
  }

  #leave(member: Member): void {
    this.members.delete(member)
    if (this.idle) this.#options.onIdle()
  }

  async #run(member: Member): Promise<void> {
    const { state } = this.around
    let active = false
    let now = performance.now()
    while (!this.stopped) {
      const dueAt = this.dueAt(member, now)
      if (dueAt === null) break
      if (dueAt > now) {
        if (active) state.add('activeUsers', -1)
        active = false
        await this.sleepers.sleep(dueAt - now)
        now = performance.now()
        continue
      }
      if (!active) {
        state.add('activeUsers', 1)
        active = true
        member.pacedFrom = now
      }
      const user = (member.user ??= this.#options.makeUser(member.unit))
      if (user.runPart !== undefined) {
        if (!(await this.#runPart(member, user.runPart))) break
        now = performance.now()
        continue
      }
      const turn = this.take(member)
      if (turn === null) break
      const end = await user.execute(turn.iteration, turn.ordinal, null)
      now = user.endedAt
      if (!this.#goesOn(member, turn, end)) break
      const pauseMs = this.#pauseAfter(member, turn, now)
      if (pauseMs > 0) {
        if (this.stopped || this.dueAt(member, now) === null) break
        await this.sleepers.sleep(pauseMs)
        now = performance.now()
      } else {
        const breath = this.around.breathe(now)
        if (breath !== null) {
          await breath
          now = performance.now()
        }
      }
    }
    await member.user?.end()
    if (active) state.add('activeUsers', -1)
  }

  #goesOn(member: Member, turn: T, end: ExecutionEnd): boolean {
    if (end !== 'interrupted') this.count(member, turn)
    return end === 'finished' || (end === 'interrupted' && !this.stopped)
  }

  /** An external runner does its part in one go. Returns false when it is over for good. */
  async #runPart(member: Member, runPart: (part: UserPart) => Promise<void>): Promise<boolean> {
    const { iterations, endsAt } = this.partOf(member)
    await runPart({
      fromIteration: member.iteration,
      iterations,
      endsAt,
      onProgress: (done) => {
        member.iteration = done
        member.progress[member.place] = done
      },
    })
    if (iterations !== null || endsAt === this.endsAt) return false
    // One that ended before its time rests until then.
    const left = endsAt === null ? 0 : endsAt - performance.now()
    if (left > 0 && !this.stopped) await this.sleepers.sleep(left)
    return true
  }

  #pauseAfter(member: Member, turn: Turn, now: number): number {
    const { pause, name } = this.view.run.scenario
    if (pause.type === 'none') return 0
    const { seed } = this.around.setup.spec
    const random = () => createRandom(seed, `pause/${name}/${member.unit}/${turn.iteration}`)
    const pauseMs = pauseAfter(pause, random, now - member.pacedFrom)
    // What a timer is late by must not add up: the next start is counted from when this one was due.
    member.pacedFrom = now + pauseMs
    return pauseMs
  }
}

/** Without keeping the thread alive for it. */
export function wakeAfter(sleepers: Sleepers, milliseconds: number): void {
  if (milliseconds > 2 ** 31 - 1) return
  // A timer may be early by a part of a millisecond.
  setTimeout(() => sleepers.wakeAll(), milliseconds + 1).unref()
}
