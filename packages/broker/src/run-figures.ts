import { Catalogue, type Aggregate } from '@loads-runner/metrics'
import type { CommitEvent, RunEvent, RunSpec } from '@loads-runner/protocol'
import { isOpen } from '@loads-runner/testcase/load'
import type { Clock } from './clock.ts'
import { CommitLoop, type CommitFigures } from './commit-loop.ts'
import { GeneratorHealth } from './generator-health.ts'
import type { Journal } from './journal.ts'
import type { Member } from './member.ts'
import { Progress } from './respread.ts'
import type { Roster } from './roster.ts'
import { ThresholdGuard } from './threshold-guard.ts'
import { WindowStream, type TakenWindow } from './window-intake.ts'

export interface RunFiguresOptions {
  spec: RunSpec
  clock: Clock
  journal: Journal
  roster: Roster
  onBadWindow: (reason: string) => void
  onCommit: (windows: readonly TakenWindow[], event: CommitEvent) => void
  /** How the thresholds stand has changed, or has not been said for a while. */
  onThresholds: (event: Extract<RunEvent, { type: 'thresholds' }>) => void
  /** A threshold was crossed that is to end the run. */
  onAbort: (reason: string) => void
  onDefect: (error: unknown) => void
}

/** Everything that is counted in one run: what windows bring in, and the sums that go out. */
export class RunFigures {
  readonly health: GeneratorHealth
  readonly progress: Progress
  readonly thresholds: ThresholdGuard
  readonly #options: RunFiguresOptions
  readonly #catalogue: Catalogue
  readonly #commits: CommitLoop
  #startedAt: number | null = null
  #startedMs = 0
  #endedMs: number | null = null
  #catalogueSent = false

  constructor(options: RunFiguresOptions) {
    const { spec, clock, journal, roster, onThresholds, onAbort, onDefect } = options
    this.#options = options
    this.health = new GeneratorHealth(hasOpenModel(spec))
    this.thresholds = new ThresholdGuard({ spec, clock, onStates: onThresholds, onAbort })
    this.progress = new Progress(spec.profile)
    this.#catalogue = new Catalogue(spec.maxSeries)
    this.#commits = new CommitLoop({
      clock,
      journal,
      windowMs: spec.windowMs,
      warmUpMs: spec.warmUpMs,
      incarnationOf: (agent) => roster.byId(agent)?.agent.identity.incarnation ?? '',
      figures: () => this.sums(),
      complete: (agents) => roster.everyWorking((member) => agents.has(member.id)),
      onCommit: (windows, event) => this.#onCommit(windows, event),
      onDefect,
    })
  }

  get aggregate(): Aggregate {
    return this.#commits.aggregate
  }

  /** What was recorded before figures began to count, in seconds of the run; null where the run has no warm-up. */
  get warmUp(): { seconds: number; aggregate: Aggregate } | null {
    const { warmUpMs } = this.#options.spec
    if (warmUpMs === 0) return null
    const { aggregate, endMs } = this.#commits.warmUp
    return { aggregate, seconds: Math.round(Math.min(this.elapsedMs(), Math.max(warmUpMs, endMs))) / 1000 }
  }

  get overflowed(): boolean {
    return this.#catalogue.overflowed
  }

  /** Epoch milliseconds at which load began; null before that. */
  get startedAt(): number | null {
    return this.#startedAt
  }

  /** Commits what waits without further delay. @returns whether everything that was taken is committed */
  settle(): boolean {
    this.#commits.hurry()
    return this.#commits.idle
  }

  startClock(): void {
    this.#startedAt = this.#options.clock.now()
    this.#startedMs = this.#options.clock.monotonic()
  }

  stopClock(): void {
    this.#endedMs ??= this.#options.clock.monotonic()
  }

  /** Milliseconds of load so far; 0 before it. */
  elapsedMs(): number {
    if (this.#startedAt === null) return 0
    return Math.max(0, (this.#endedMs ?? this.#options.clock.monotonic()) - this.#startedMs)
  }

  streamFor(agent: string): WindowStream {
    return new WindowStream(agent, this.#catalogue, this.#options.onBadWindow)
  }

  /** Writes windows of one agent, in order, into its books. Hand them to `commit` then. */
  note(member: Member, windows: readonly TakenWindow[]): void {
    for (const { window, hits, readable } of windows) {
      member.ledger = window.ledger
      member.activeUsers = window.final ? 0 : window.activeUsers
      this.progress.take(window.progress)
      member.hits += hits
      // The last window of a stage may be so short that it shows no pace.
      const spanMs = Math.max(window.toMs - window.fromMs, this.#options.spec.windowMs, 1)
      if (readable) member.hitsPerMs = Math.max(member.hitsPerMs ?? 0, hits / spanMs)
      this.health.take(member.id, member.workers, window, window.fromMs < this.#options.spec.warmUpMs)
      if (window.final) member.finalTaken = true
    }
    if (!this.#catalogue.full || this.#catalogueSent) return
    this.#catalogueSent = true
    for (const each of this.#options.roster) this.sendCatalogue(each)
  }

  /** Adds noted windows to the totals, with the next commit. May end the run, when nothing else is waited for. */
  commit(windows: readonly TakenWindow[]): void {
    if (windows.length > 0) this.#commits.add(windows)
  }

  /** Tells an agent which names the run has room for, once there is room for no more. */
  sendCatalogue(member: Member): void {
    if (!this.#catalogueSent || !member.working) return
    member.send({ type: 'catalogue', runId: member.runId, series: this.#catalogue.ids() })
  }

  /** Sums over all agents, lost ones included, as of now. */
  sums(): CommitFigures {
    const { clock, roster } = this.#options
    const sums = { activeUsers: 0, started: 0, finished: 0, interrupted: 0, planned: 0, dropped: 0 }
    const live: string[] = []
    for (const member of roster) {
      if (member.live) live.push(member.id)
      sums.activeUsers += member.activeUsers
      sums.started += member.ledger.started
      sums.finished += member.ledger.finished
      sums.interrupted += member.ledger.interrupted
      sums.planned += member.planned
      sums.dropped += member.ledger.dropped
    }
    const generator = this.health.latest(live)
    return { at: clock.now(), elapsedMs: this.elapsedMs(), ...sums, generator }
  }

  /** A stage begins in so many milliseconds, or has ended. */
  stageBegins(stage: number, inMs: number): void {
    this.thresholds.beginStage(stage, this.elapsedMs() + inMs)
  }

  stageEnded(stage: number): void {
    this.thresholds.endStage(stage, this.elapsedMs())
  }

  /** No execution starts any more: the last stages are over, or a stop was asked for. */
  loadEnded(): void {
    this.thresholds.endLoad(this.elapsedMs())
  }

  #onCommit(windows: readonly TakenWindow[], event: CommitEvent): void {
    const { roster, onCommit } = this.#options
    if (event.warmUp) this.thresholds.warmUp(event.dropped)
    else {
      const live = roster.all().filter((member) => member.live)
      const ids = live.map((member) => member.id)
      this.thresholds.observe({ windows, elapsedMs: this.elapsedMs(), live: ids, dropped: event.dropped })
    }
    onCommit(windows, event)
  }

  encodeTotals(): Uint8Array {
    return this.#commits.encodeTotals()
  }

  close(): void {
    this.#commits.close()
  }
}

function hasOpenModel({ profile }: RunSpec): boolean {
  return profile.scenarios.some(({ stages }) => stages.some(isOpen))
}
