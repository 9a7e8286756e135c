import {
  durationOf,
  Lanes,
  pauseAfter,
  RateSchedule,
  type ControlChange,
  type MovedUnit,
  type RateModel,
  type UnitRange,
} from '@loads-runner/testcase/load'
import { createRandom } from '@loads-runner/testcase'
import type { LoadUser, UserSurroundings } from '../load-user.ts'
import { Sleepers } from '../sleepers.ts'
import type { StageView } from '../stage-view.ts'
import { StartTimer } from '../start-timer.ts'
import type { Executor, ExecutorOptions } from './executor.ts'
import { LaneHeap } from './lane-heap.ts'
import { UserNumbers } from './user-numbers.ts'

/** After so many milliseconds of starting what has been due, the event loop turns once. */
const longestBurst = 5
/** A start that found its user free is made even if the generator was late by so much, however few may wait. */
const ownLatenessMs = 1000

/**
 * Open models: executions start when the schedule says so, whatever the target does.
 *
 *     schedule -> lanes of this thread -> due? -> a free user, or a new one, or wait for one -> too late: dropped
 *
 * Starts that wait are no list: they are the part of the schedule between what was taken and now. So however many wait,
 * they take no memory, and they are taken in their order. planned = started + dropped + waiting, always.
 */
export class Arrivals implements Executor {
  readonly #options: ExecutorOptions
  readonly #view: StageView
  readonly #around: UserSurroundings
  readonly #model: RateModel
  readonly #lanes: Lanes
  readonly #heap: LaneHeap
  readonly #numbers: UserNumbers
  readonly #timer: StartTimer
  readonly #sleepers = new Sleepers()
  readonly #begunAt = performance.now()
  readonly #endMs: number
  #schedule: RateSchedule
  /** Users without an execution: the last one is the next to be used, so that as few as possible are made. */
  readonly #free: LoadUser[] = []
  readonly #busy = new Set<LoadUser>()
  /** Since when there is a user for the next start; before that it is not the generator that is late. */
  #freeSince = 0
  #taken = 0
  #planned = 0
  #over = false
  #closing = false

  constructor(options: ExecutorOptions, model: RateModel) {
    this.#options = options
    this.#view = options.view
    this.#around = options.around
    this.#model = model
    const { run } = options.view
    this.#lanes = new Lanes(run.units)
    this.#heap = new LaneHeap(this.#lanes)
    this.#numbers = new UserNumbers(run.firstUnit, run.units, model.users)
    this.#endMs = durationOf(model) ?? Infinity
    this.#schedule = this.#scheduleOf([])
    this.#timer = new StartTimer(options.around.setup.spec.precise, () => this.#fire())
  }

  start(range: UnitRange, progress: Uint32Array): void {
    for (let index = 0; index < range.count; index++) this.#add(range.first + index, 0, progress, index)
    this.#fire()
  }

  join(units: readonly MovedUnit[], progress: Uint32Array): void {
    for (const [index, { unit, fromIteration }] of units.entries())
      this.#add(unit, fromIteration, progress, index)
    this.#over = false
    // What fell due elsewhere is late, but not for want of this generator's speed.
    this.#freeSince = performance.now() - this.#begunAt
    this.#fire()
  }

  get idle(): boolean {
    return this.#over && this.#busy.size === 0 && !this.#closing
  }

  /** What waits is dropped: nobody will start it. */
  drain(): void {
    this.#end()
  }

  cancel(): void {
    this.#end()
    for (const user of this.#busy) user.cancel()
  }

  timeOutSince(begunBefore: number): void {
    for (const user of this.#busy) user.timeOutSince(begunBefore)
  }

  beat(now: number): void {
    if (this.#over) return
    this.#dropLate(now - this.#begunAt)
    this.#plan(now - this.#begunAt)
    this.#settle(now - this.#begunAt)
  }

  control(changes: readonly ControlChange[]): void {
    this.#schedule = this.#scheduleOf(changes)
    this.#fire()
  }

  #scheduleOf(changes: readonly ControlChange[]): RateSchedule {
    return RateSchedule.of(this.#view.run, this.#model, this.#around.setup.spec.seed, changes)
  }

  #add(unit: number, turn: number, progress: Uint32Array, index: number): void {
    const place = unit - this.#view.run.firstUnit
    this.#heap.add(place, turn, progress, index)
    this.#numbers.add(place)
  }

  /** Starts what is due, as far as there are users for it. */
  #fire(): void {
    if (this.#over) return
    let now = performance.now() - this.#begunAt
    const begun = now
    this.#dropLate(now)
    for (;;) {
      const dueAt = this.#nextDue()
      if (dueAt > now || this.#around.draining) break
      const user = this.#takeUser()
      if (user === null) break
      if (dueAt >= this.#freeSince) this.#around.state.late((now - dueAt) * 1000)
      const ordinal = this.#takeStart()
      this.#around.state.add('arrived', 1)
      void this.#serve(user, ordinal, this.#begunAt + dueAt)
      now = performance.now() - this.#begunAt
      if (now - begun > longestBurst) {
        this.#timer.soon()
        return
      }
    }
    this.#settle(now)
  }

  /** When the first start that was not taken falls due. */
  #nextDue(): number {
    const top = this.#heap.top
    return top === undefined ? Infinity : this.#schedule.dueAt(top.next)
  }

  /** Takes the first start out of the schedule. Returns its ordinal. */
  #takeStart(): number {
    const ordinal = this.#view.firstOrdinal + this.#heap.top!.next
    this.#heap.advance()
    this.#taken++
    if (this.#taken > this.#planned) {
      this.#planned = this.#taken
      this.#around.state.add('planned', 1)
    }
    return ordinal
  }

  #takeUser(): LoadUser | null {
    const free = this.#free.pop()
    if (free !== undefined) return free
    const number = this.#numbers.take()
    return number === null ? null : this.#options.makeUser(number)
  }

  get #hasUser(): boolean {
    return this.#free.length > 0 || this.#numbers.left > 0
  }

  /** Runs executions with one user as long as starts wait for it. */
  async #serve(user: LoadUser, ordinal: number, intendedAt: number): Promise<void> {
    const { state } = this.#around
    this.#busy.add(user)
    state.add('activeUsers', 1)
    for (;;) {
      const end = await user.execute(0, ordinal, intendedAt)
      if (end === 'unusable') {
        await user.end()
        this.#noteFree()
        this.#numbers.giveBack(user.user)
        break
      }
      await this.#rest(user, ordinal, intendedAt)
      const next = this.#takeWaiting()
      if (next === null) {
        this.#noteFree()
        this.#free.push(user)
        break
      }
      ordinal = next.ordinal
      intendedAt = next.intendedAt
    }
    this.#busy.delete(user)
    state.add('activeUsers', -1)
    if (this.#over) void this.#close()
    else this.#fire()
  }

  /** A user is about to be free. */
  #noteFree(): void {
    if (!this.#hasUser) this.#freeSince = performance.now() - this.#begunAt
  }

  async #rest(user: LoadUser, ordinal: number, intendedAt: number): Promise<void> {
    const { pause, name } = this.#view.run.scenario
    if (pause.type !== 'none' && !this.#over) {
      const { seed } = this.#around.setup.spec
      const random = () => createRandom(seed, `pause/${name}/${ordinal}`)
      const pauseMs = pauseAfter(pause, random, user.endedAt - intendedAt)
      if (pauseMs > 0) return this.#sleepers.sleep(pauseMs)
    }
    await this.#around.breathe(user.endedAt)
  }

  /** The start that has waited longest for a user. */
  #takeWaiting(): { ordinal: number; intendedAt: number } | null {
    if (this.#over || this.#around.draining) return null
    const now = performance.now() - this.#begunAt
    this.#dropLate(now)
    const dueAt = this.#nextDue()
    if (dueAt > now) return null
    // With others free it was the timer that had not come to it.
    if (this.#hasUser && dueAt >= this.#freeSince) this.#around.state.late((now - dueAt) * 1000)
    this.#around.state.add('arrived', 1)
    return { ordinal: this.#takeStart(), intendedAt: this.#begunAt + dueAt }
  }

  #dropLate(now: number): void {
    for (;;) {
      const dueAt = this.#nextDue()
      const foundUser = dueAt >= this.#freeSince && this.#hasUser
      const maxLateMs = foundUser ? Math.max(this.#model.maxLateMs, ownLatenessMs) : this.#model.maxLateMs
      if (dueAt + maxLateMs >= now) return
      this.#drop()
    }
  }

  #drop(): void {
    this.#takeStart()
    this.#around.state.add('dropped', 1)
  }

  /** Brings the count of what has fallen due up to date. */
  #plan(now: number): void {
    const due = this.#schedule.dueBy(now)
    let planned = this.#taken
    for (const lane of this.#heap.all)
      planned += Math.max(0, this.#lanes.turnsIn(lane.place, due) - lane.turn)
    this.#around.state.add('planned', planned - this.#planned)
    this.#planned = planned
  }

  /** Sets the timer for what comes next; ends when nothing does. */
  #settle(now: number): void {
    const dueAt = this.#nextDue()
    if (now >= this.#endMs && dueAt > now) return this.#end()
    if (dueAt > now) this.#timer.at(this.#begunAt + Math.min(dueAt, this.#endMs))
    else if (!this.#hasUser) this.#timer.stop()
    return undefined
  }

  #end(): void {
    if (this.#over) return
    const now = performance.now() - this.#begunAt
    while (this.#nextDue() <= now) this.#drop()
    this.#plan(now)
    this.#over = true
    this.#timer.stop()
    this.#sleepers.wakeAll()
    void this.#close()
  }

  /** When the last execution has ended, users end too. */
  async #close(): Promise<void> {
    if (!this.#over || this.#busy.size > 0 || this.#closing) return
    this.#closing = true
    const users = this.#free.splice(0)
    await Promise.all(users.map((user) => user.end()))
    for (const user of users) this.#numbers.giveBack(user.user)
    this.#closing = false
    // Lanes may have come meanwhile.
    if (this.idle) this.#options.onIdle()
  }
}
