import { ChaosError } from '../errors.ts'
import type { Timer } from '../faults/stage.ts'
import type { FaultScope } from '../proxy/fault-scope.ts'
import { realClock, type ScheduleClock } from './clock.ts'
import { Counts } from './counts.ts'
import { Doer, messageOf } from './doer.ts'
import { foldedPhase, isScenario } from './phase.ts'
import type { ScheduleStep, StepEvent } from './step.ts'
import type { PartitionTarget, ScheduleTarget } from './target.ts'
import { Turns } from './turns.ts'

/** How long a proxy may take to do what a step says. */
const mostMs = 15_000

export interface FaultScheduleOptions {
  /** A proxy by its name: a `Proxy`, or a `RemoteProxy`. */
  target: (proxy: string) => ScheduleTarget
  /** Where steps part endpoints. */
  partitions?: PartitionTarget
  clock?: ScheduleClock
  /** When it throws it is told no more: faults must be taken back, whoever listens. */
  onStep?: (event: StepEvent) => void
}

/** What could not be undone: faults that may still be there. */
export interface ScheduleRemains {
  notUndone: readonly { step: number; name: string; detail: string }[]
}

/** A step that has begun, or is about to. */
interface Run {
  step: ScheduleStep
  /** 1, 2, 3 ... */
  ordinal: number
  /** By the clock. */
  dueAt: number
  isEnding: boolean
  scopes: Promise<FaultScope[] | null>
  timer: Timer | null
  ended: Promise<void> | null
}

/** Does to proxies what a list of steps says, next to a load. Whatever happens, `stop` takes all of it back. */
export class FaultSchedule {
  readonly #steps: readonly ScheduleStep[]
  readonly #clock: ScheduleClock
  #onStep: (event: StepEvent) => void
  readonly #doer: Doer
  readonly #counts: Counts
  /** Those that are not over, in order of their beginning. */
  readonly #runs = new Set<Run>()
  readonly #runsOf = new Map<ScheduleStep, number>()
  /** Of steps that are to begin, by step. */
  readonly #timers = new Map<ScheduleStep, Timer>()
  readonly #phases = new Set<string>()
  readonly #notUndone: { step: number; name: string; detail: string }[] = []
  #startedAt: number | null = null
  #stopped: Promise<ScheduleRemains> | null = null

  constructor(steps: readonly ScheduleStep[], options: FaultScheduleOptions) {
    const { target, partitions = null, clock = realClock, onStep = () => {} } = options
    this.#steps = steps
    this.#clock = clock
    this.#onStep = onStep
    this.#doer = new Doer(target, partitions, new Turns(clock, mostMs))
    this.#counts = new Counts(steps, {
      target,
      clock,
      due: (step) => this.#begin(step, clock.now()),
      failed: (step, error) => this.#tell('failed', step, 0, clock.now(), error.message),
    })
  }

  /**
   * The load begins.
   *
   * @throws {ChaosError} CHAOS_STATE a second time
   */
  start(): void {
    if (this.#startedAt !== null || this.#stopped !== null)
      throw new ChaosError('CHAOS_STATE', 'a schedule starts once: make another one of its steps')
    this.#startedAt = this.#clock.now()
    for (const step of this.#steps)
      if (step.trigger.when === 'time') this.#plan(step, this.#startedAt + step.trigger.atMs)
    this.#counts.start()
  }

  /**
   * The load comes to a phase: its steps begin. The one before ends, with its steps that have no `for`; scenarios
   * (`scenario NAME`) go on until `phaseEnds`. Before the start nothing happens.
   */
  phase(name: string): void {
    const phase = foldedPhase(name)
    if (!this.#isRunning || this.#phases.has(phase)) return
    if (!isScenario(phase)) for (const each of this.#phases) if (!isScenario(each)) this.#phaseEnds(each)
    this.#phases.add(phase)
    const now = this.#clock.now()
    for (const step of this.#steps)
      if (step.trigger.when === 'phase' && step.trigger.phase === phase) this.#begin(step, now)
  }

  phaseEnds(name: string): void {
    this.#phaseEnds(foldedPhase(name))
  }

  /** Undoes everything, the latest first, and tells what could not be undone. Twice is harmless. */
  stop(): Promise<ScheduleRemains> {
    this.#stopped ??= this.#undo()
    return this.#stopped
  }

  get #isRunning(): boolean {
    return this.#startedAt !== null && this.#stopped === null
  }

  async #undo(): Promise<ScheduleRemains> {
    this.#counts.stop()
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    await Promise.all([...this.#runs].reverse().map((run) => this.#end(run, this.#clock.now())))
    // What failed before may succeed now.
    await Promise.all([...this.#runs].reverse().map((run) => this.#endAgain(run)))
    for (const { id, name } of this.#doer.lost())
      this.#notUndone.push({ step: id, name, detail: 'it was asked for, and never answered' })
    return { notUndone: this.#notUndone }
  }

  #phaseEnds(phase: string): void {
    if (!this.#phases.delete(phase)) return
    for (const step of this.#steps) {
      if (step.trigger.when !== 'phase' || step.trigger.phase !== phase) continue
      this.#timers.get(step)?.cancel()
      this.#timers.delete(step)
      if (step.forMs !== null) continue
      for (const run of this.#runs) if (run.step === step) void this.#end(run, this.#clock.now())
    }
  }

  /** @param at by the clock */
  #plan(step: ScheduleStep, at: number): void {
    const timer = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#timers.delete(step)
      if (this.#isRunning) this.#begin(step, at)
    })
    this.#timers.set(step, timer)
  }

  #begin(step: ScheduleStep, dueAt: number): void {
    const ordinal = (this.#runsOf.get(step) ?? 0) + 1
    this.#runsOf.set(step, ordinal)
    const run: Run = {
      step,
      ordinal,
      dueAt,
      isEnding: false,
      scopes: Promise.resolve(null),
      timer: null,
      ended: null,
    }
    this.#runs.add(run)
    run.scopes = this.#do(run)
    if (step.forMs !== null) {
      const endAt = dueAt + step.forMs
      run.timer = this.#clock.after(Math.max(0, endAt - this.#clock.now()), () => void this.#end(run, endAt))
    }
    if (step.everyMs !== null && (step.times === null || ordinal < step.times))
      this.#plan(step, dueAt + step.everyMs)
  }

  /** Null: there is nothing to end. */
  async #do(run: Run): Promise<FaultScope[] | null> {
    const { step, dueAt, ordinal } = run
    const { scopes, failure } = await this.#doer.begin(step, () => !run.isEnding)
    if (failure !== null) this.#tell('failed', step, ordinal, dueAt, failure)
    else if (scopes.length > 0) this.#tell('begins', step, ordinal, dueAt, null)
    // Its end came before its turn.
    else if (this.#stopped === null)
      this.#tell('failed', step, ordinal, dueAt, 'the proxy was busy until it was over')
    if (scopes.length > 0) return scopes
    run.timer?.cancel()
    this.#runs.delete(run)
    return null
  }

  #end(run: Run, dueAt: number): Promise<void> {
    run.isEnding = true
    run.timer?.cancel()
    run.ended ??= this.#take(run, (error) =>
      this.#tell(error === null ? 'ends' : 'failed', run.step, run.ordinal, dueAt, error),
    )
    return run.ended
  }

  #endAgain(run: Run): Promise<void> {
    return this.#take(run, (detail) => {
      if (detail === null) this.#tell('ends', run.step, run.ordinal, this.#clock.now(), null)
      else this.#notUndone.push({ step: run.step.id, name: run.step.name, detail })
    })
  }

  async #take(run: Run, done: (error: string | null) => void): Promise<void> {
    const scopes = await run.scopes
    if (scopes === null) return
    const ends = await Promise.allSettled(scopes.map((scope) => scope.end()))
    const failed = ends.find((each) => each.status === 'rejected')
    if (failed === undefined) this.#runs.delete(run)
    done(failed === undefined ? null : messageOf(failed.reason))
  }

  #tell(
    state: StepEvent['state'],
    { id, name, action }: ScheduleStep,
    run: number,
    dueAt: number,
    detail: string | null,
  ): void {
    const now = this.#clock.now()
    const whom = action.what === 'partition' ? action.groups.flat() : action.proxies
    const sinceMs = now - this.#startedAt!
    try {
      this.#onStep({ state, step: id, name, run, whom, at: Date.now(), sinceMs, lateMs: now - dueAt, detail })
    } catch {
      this.#onStep = () => {}
    }
  }
}
