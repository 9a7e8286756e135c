import { DeltaDecoder } from '@loads-runner/metrics'
import type { Delta, Threshold } from '@loads-runner/metrics'
import type { RunEvent, RunSpec } from '@loads-runner/protocol'
import type { ExternallyControlled } from '@loads-runner/testcase/load'
import { RunnerError, UsageError } from '../errors.ts'
import type { RunPilot } from '../start-run.ts'
import type { WatchedRun } from '../watch-run.ts'
import { CapacitySearch } from './search.ts'
import type { Capacity, SearchStep } from './search.ts'
import { StepMeter } from './step-meter.ts'
import type { StepCommit, StepFigures } from './step-meter.ts'

export interface PilotOptions {
  thresholds: readonly Threshold[]
  /** Milliseconds that a step is measured. */
  stepMs: number
  /** The highest load to try; null: as far as users, or a million a second, go. */
  most: number | null
  tolerance: number
  /** The first load to try; null: what the plan begins with, or a low one. */
  start: number | null
  /** The duration of the plan bounds the search; else that is of other runs of the tests. */
  bounded: boolean
  onStep: (figures: StepFigures, number: number) => void
  now?: () => number
}

/** A change holds so long after it was asked for. */
const leadMs = 300
/** Commits come so long after the windows in them, at most. */
const commitDelayMs = 600
/** A disturbed step is measured again so often. */
const mostRepeats = 3
const firstRate = 10
const mostRate = 1_000_000
/** Quantiles may need more samples than a step gives: it goes on for so many times its length. */
const prolonged = 4

type Commit = StepCommit & { delta: Delta }

/** Drives a run through the steps of a search, and measures them. */
export class CapacityPilot implements RunPilot {
  readonly steps: StepFigures[] = []
  readonly #options: PilotOptions
  readonly #now: () => number
  #model: ExternallyControlled | null = null
  #scenario = ''
  #windowMs = 1000
  #search: CapacitySearch | null = null
  #run: WatchedRun | null = null
  #runId = ''
  #decoder = new DeltaDecoder()
  readonly #commits: Commit[] = []
  #wake: (() => void) | null = null
  #over = false
  #disturbed = false
  #driving: Promise<void> | null = null
  #elapsedMs = 0
  #elapsedAt: number

  constructor(options: PilotOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#elapsedAt = this.#now()
  }

  get controls(): 'users' | 'rate' {
    return this.#model?.controls ?? 'rate'
  }

  /** What is known so far; null before the run was planned. */
  get answer(): Capacity | null {
    return this.#search?.answer ?? null
  }

  /** The search came to its end: the run was not stopped before. */
  get complete(): boolean {
    return this.#search !== null && this.#search.next === null
  }

  /**
   * The plan as the search needs it.
   *
   * @throws {UsageError} when the run is not one that a single number can drive
   */
  plan(spec: RunSpec): RunSpec {
    const { scenarios } = spec.profile
    const [scenario] = scenarios
    const [stage] = scenario?.stages ?? []
    if (scenarios.length !== 1 || scenario === undefined || stage?.type !== 'externally-controlled') {
      const names = scenarios.map(({ name }) => name).join(', ')
      throw new UsageError(
        `--find-capacity drives one scenario with one load; this run has ${names}: name the tests of one of them`,
      )
    }
    const { most: asked, tolerance } = this.#options
    const isRate = stage.controls === 'rate'
    const most = asked ?? (isRate ? mostRate : stage.users)
    const start = Math.min(
      most,
      this.#options.start ?? (isRate && stage.start > 0 ? stage.start : isRate ? firstRate : 1),
    )
    this.#search = new CapacitySearch({ start, least: Math.min(1, start), most, tolerance, whole: !isRate })
    this.#model = {
      ...stage,
      durationMs: this.#options.bounded ? stage.durationMs : null,
      start: this.#search.next!.target,
      users: isRate ? stage.users : Math.max(stage.users, most),
    }
    this.#scenario = scenario.name
    this.#windowMs = spec.windowMs
    return {
      ...spec,
      profile: { scenarios: [{ ...scenario, stages: [this.#model] }] },
      // The search looks beyond what the target can do: that is no failure of the run.
      thresholds: [],
      warmUpMs: 0,
    }
  }

  begin(run: WatchedRun, runId: string): void {
    this.#run = run
    this.#runId = runId
  }

  take(event: RunEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.#decoder = new DeltaDecoder()
        this.#decoder.decode(event.delta)
        this.#setElapsed(event.elapsedMs)
        // Commits between were missed: the step is measured again.
        this.#disturbed = true
        if (event.state === 'running') this.#drive()
        return
      case 'state':
        if (event.state === 'running') {
          // Said again with each stage; the clock starts once.
          if (this.#driving === null) this.#setElapsed(0)
          this.#drive()
        } else if (event.state === 'draining') this.#end()
        return
      case 'agent':
        if (event.agent.state === 'lost' || event.agent.state === 'fenced') this.#disturbed = true
        return
      case 'commit':
        this.#setElapsed(event.elapsedMs)
        this.#commits.push({ ...event, delta: this.#decoder.decode(event.delta) })
        this.#wake?.()
        return
      case 'finished':
        this.#end()
    }
  }

  /** Waits for what the search still does. @throws what it threw */
  async close(): Promise<void> {
    this.#end()
    await this.#driving
  }

  #drive(): void {
    this.#driving ??= this.#searchOn()
    // Said by `close`.
    this.#driving.catch(() => this.#stop().catch(() => {}))
  }

  async #searchOn(): Promise<void> {
    const search = this.#search!
    for (let step = search.next; step !== null; step = search.next) {
      if (step.coolDown !== null && !(await this.#coolDown(step.coolDown))) return
      const figures = await this.#measure(step)
      if (figures === null) return
      search.take(figures.outcome)
      this.steps.push(figures)
      this.#options.onStep(figures, this.steps.length)
    }
    await this.#stop()
  }

  /** @returns null when the run has ended before */
  async #measure(step: SearchStep): Promise<StepFigures | null> {
    const { stepMs, thresholds } = this.#options
    const { controls, users, spacing } = this.#model!
    const leastMs = step.purpose === 'hold' ? 2 * stepMs : stepMs
    for (let attempt = 1; ; attempt++) {
      await this.#control(step.target)
      this.#disturbed = false
      const settleMs = Math.max(this.#windowMs, stepMs / 5)
      const meter = new StepMeter({
        thresholds,
        step,
        controls,
        mostUsers: users,
        poisson: spacing === 'poisson',
        fromMs: this.#elapsed() + leadMs + settleMs + this.#windowMs + commitDelayMs,
        leastMs,
        mostMs: prolonged * leastMs,
      })
      let figures: StepFigures | null = null
      while (figures === null && (!this.#disturbed || attempt > mostRepeats)) {
        const commit = await this.#nextCommit()
        if (commit === null) return null
        figures = meter.take(commit, commit.delta)
      }
      if (figures !== null) return figures
    }
  }

  /** Lets the target recover, and starts that wait for a user come to an end. @returns false when the run has ended */
  async #coolDown(target: number): Promise<boolean> {
    await this.#control(target)
    const { stepMs } = this.#options
    const least = this.#elapsed() + leadMs + Math.max(2 * this.#windowMs, stepMs / 2) + commitDelayMs
    const most = least + 4 * stepMs + this.#model!.maxLateMs
    for (;;) {
      const commit = await this.#nextCommit()
      if (commit === null) return false
      if (commit.elapsedMs < least) continue
      const waiting = commit.planned - commit.started - commit.dropped
      if (this.controls === 'users' || waiting <= Math.max(1, target / 2) || commit.elapsedMs > most)
        return true
    }
  }

  /** Sets the load. A broker that is out of reach is waited for: the watching of the run ends that wait. */
  async #control(target: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const request = { runId: this.#runId, scenario: this.#scenario, target, paused: false }
        await this.#run!.connection.request('control', request)
        return
      } catch (error) {
        const isLost = error instanceof RunnerError && error.code === 'RUNNER_BROKER_LOST'
        if (this.#over) return
        if (!isLost || attempt === mostRepeats) throw error
        await this.#nextCommit()
      }
    }
  }

  async #stop(): Promise<void> {
    if (this.#over) return
    await this.#run!.connection.request('stop', { runId: this.#runId, mode: 'drain', reason: 'complete' })
  }

  async #nextCommit(): Promise<Commit | null> {
    while (this.#commits.length === 0) {
      if (this.#over) return null
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = null
    }
    return this.#commits.shift()!
  }

  #end(): void {
    this.#over = true
    this.#wake?.()
  }

  #setElapsed(elapsedMs: number): void {
    this.#elapsedMs = elapsedMs
    this.#elapsedAt = this.#now()
  }

  /** By the run's clock. */
  #elapsed(): number {
    return this.#elapsedMs + (this.#now() - this.#elapsedAt)
  }
}
