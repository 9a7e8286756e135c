import { Aggregate, ThresholdWatch } from '@loads-runner/metrics'
import type { Delta, Threshold, ThresholdStanding } from '@loads-runner/metrics'
import type { CommitEvent } from '@loads-runner/protocol'
import type { SearchStep, StepOutcome } from './search.ts'

/** What a commit tells, besides its delta. */
export type StepCommit = Pick<
  CommitEvent,
  'windows' | 'elapsedMs' | 'started' | 'planned' | 'dropped' | 'activeUsers' | 'generator'
>

/** One condition of the objective over one step. */
export interface StepStanding {
  expression: string
  /** Null: too little was recorded to say. */
  value: number | null
  ok: boolean | null
  samples: number
}

/** A step that was measured. */
export interface StepFigures {
  target: number
  purpose: SearchStep['purpose']
  outcome: StepOutcome
  /** Where the generator fell short; which conditions had too few samples. */
  reasons: string[]
  /** Seconds that were measured. */
  seconds: number
  /** Executions started per second. */
  startedPerSecond: number
  users: number
  dropped: number
  hits: number
  /** Service time of all hits, of executions where there are no hits. Milliseconds; null: no samples. */
  p50: number | null
  p95: number | null
  p99: number | null
  /** The highest quantile with 10 samples beyond it. */
  trustedTo: number
  /** Share of finished executions that ended in an error or a failure; null: none finished. */
  badShare: number | null
  standings: StepStanding[]
}

export interface StepMeterOptions {
  thresholds: readonly Threshold[]
  step: Pick<SearchStep, 'target' | 'purpose'>
  controls: 'users' | 'rate'
  /** The most users that there may be. */
  mostUsers: number
  /** Starts of a rate come at random. */
  poisson: boolean
  /** By the run's clock: commits before that are not of the step. */
  fromMs: number
  /** Milliseconds to measure at least; and at most, where quantiles need more samples. */
  leastMs: number
  mostMs: number
}

/** Event-loop lag and lateness above this, in milliseconds, in more than a part of the windows: the generator's limit. */
const lagMs = 10
const lagShare = 0.2
/** Less than this part of the asked rate was made. */
const achievedShare = 0.98
/** A request passes through the event loop so often: so many times its lag may be in a time that was measured. */
const lagsPerRequest = 3

/** Measures one step from the commits of a run: the figures of the target, and whether the generator could follow. */
export class StepMeter {
  readonly #options: StepMeterOptions
  readonly #aggregate = new Aggregate()
  readonly #agents = new Set<string>()
  #watch: ThresholdWatch | null = null
  #before: StepCommit | null = null
  #last: StepCommit | null = null
  /** Sum of the windows of all agents. */
  #spanMs = 0
  #commits = 0
  #lagging = 0
  #late = 0
  #worstLagMs = 0

  constructor(options: StepMeterOptions) {
    this.#options = options
  }

  /** Takes the next commit; its figures when the step is measured. */
  take(commit: StepCommit, delta: Delta): StepFigures | null {
    const { fromMs, leastMs, mostMs, thresholds } = this.#options
    if (commit.elapsedMs < fromMs || commit.windows.length === 0) {
      if (this.#last === null) this.#before = commit
      return null
    }
    const begins = Math.min(...commit.windows.map((window) => window.fromMs))
    const ends = Math.max(...commit.windows.map((window) => window.toMs))
    this.#watch ??= new ThresholdWatch(thresholds, { startMs: begins })
    this.#watch.apply(delta, begins, ends)
    const previous = this.#last ?? this.#before
    if (previous !== null) this.#watch.drop(Math.max(0, commit.dropped - previous.dropped), begins, ends)
    this.#aggregate.apply(delta)
    for (const window of commit.windows) {
      this.#agents.add(window.agent)
      this.#spanMs += window.toMs - window.fromMs
    }
    this.#commits++
    const { eventLoopLagMs, latenessMs } = commit.generator
    if (eventLoopLagMs > lagMs) this.#lagging++
    this.#worstLagMs = Math.max(this.#worstLagMs, eventLoopLagMs)
    if (latenessMs > lagMs) this.#late++
    this.#before ??= { ...commit, started: 0, planned: 0, dropped: 0 }
    this.#last = commit
    const measuredMs = this.#spanMs / this.#agents.size
    if (measuredMs < leastMs) return null
    const figures = this.#figures(commit, measuredMs / 1000)
    return figures.outcome === 'unclear' && measuredMs < mostMs ? null : figures
  }

  #figures(last: StepCommit, seconds: number): StepFigures {
    const { step } = this.#options
    const before = this.#before!
    const startedPerSecond = Math.max(0, last.started - before.started) / seconds
    const dropped = Math.max(0, last.dropped - before.dropped)
    const judged = this.#watch!.standings()
    const standings = judged.map(({ threshold, value, ok, samples }) => {
      return { expression: threshold.expression, value, ok, samples }
    })
    const overload = this.#overload()
    const shortfall = this.#shortfall(startedPerSecond, seconds, dropped, last.activeUsers)
    const outcome = outcomeOf(judged, overload.length > 0 ? this.#worstLagMs : 0, shortfall)
    const times = this.#times()
    const tests = this.#aggregate.tests()
    const reasons = outcome === 'failed' ? [] : [...overload, ...shortfall]
    if (outcome === 'unclear') {
      for (const { expression, ok, samples } of standings)
        if (ok === null) reasons.push(`too few samples for ${expression}: ${samples}`)
    }
    return {
      target: step.target,
      purpose: step.purpose,
      outcome,
      reasons,
      seconds,
      startedPerSecond,
      users: last.activeUsers,
      dropped,
      hits: this.#aggregate.hits().count,
      p50: times.p50,
      p95: times.p95,
      p99: times.p99,
      trustedTo: times.trustedTo,
      badShare: tests.finished === 0 ? null : (tests.errors + tests.failures) / tests.finished,
      standings,
    }
  }

  #times() {
    const hits = this.#aggregate.serviceTime().stats()
    if (hits.count > 0) return hits
    // Tests without hits of their own: their executions are what can be slow.
    const [first, ...others] = this.#aggregate.executions().map(({ duration }) => duration)
    if (first === undefined) return hits
    for (const other of others) first.merge(other)
    return first.stats()
  }

  /** The generator was too busy to measure well. */
  #overload(): string[] {
    const reasons: string[] = []
    if (this.#lagging > lagShare * this.#commits) reasons.push(`event loops lagged over ${lagMs} ms`)
    if (this.#late > lagShare * this.#commits) reasons.push(`starts over ${lagMs} ms late with a user free`)
    return reasons
  }

  /** It did not make what was asked for. */
  #shortfall(startedPerSecond: number, seconds: number, dropped: number, activeUsers: number): string[] {
    const { controls, mostUsers, poisson, step } = this.#options
    const reasons: string[] = []
    if (controls === 'users') {
      if (activeUsers < achievedShare * step.target)
        reasons.push(`${activeUsers} of ${step.target} users ran`)
      return reasons
    }
    if (dropped > 0 && activeUsers >= achievedShare * mostUsers)
      reasons.push(`${dropped} starts dropped with all ${mostUsers} users busy`)
    const due = step.target * seconds
    // Of few starts one more or less is much; of random ones, three standard deviations.
    const slack = 2 + (poisson ? 3 * Math.sqrt(due) : 0)
    if (startedPerSecond * seconds < achievedShare * due - slack)
      reasons.push(`${startedPerSecond.toFixed(1)} of ${step.target} executions started per second`)
    return reasons
  }
}

function outcomeOf(
  standings: readonly ThresholdStanding[],
  worstLagMs: number,
  shortfall: readonly string[],
): StepOutcome {
  const failed = standings.filter(({ ok }) => ok === false)
  // Times that a busy generator has measured are partly its own: what they fail at by no more than that says nothing of
  // the target. What holds in spite of it, holds. A slow target keeps users busy: what it fails at stands, whatever was
  // missing then.
  if (failed.length > 0) return failed.every((each) => isExcused(each, worstLagMs)) ? 'limited' : 'failed'
  if (shortfall.length > 0) return 'limited'
  return standings.some(({ ok }) => ok === null) ? 'unclear' : 'held'
}

/** Would the condition hold without the lag of the generator? */
function isExcused({ threshold, value }: ThresholdStanding, worstLagMs: number): boolean {
  if (worstLagMs === 0 || threshold.dimension !== 'time' || value === null) return false
  return threshold.operator.startsWith('<') && value - lagsPerRequest * worstLagMs < threshold.limit
}
