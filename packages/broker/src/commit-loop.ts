import { Aggregate, Delta, DeltaEncoder } from '@loads-runner/metrics'
import type { CommitEvent } from '@loads-runner/protocol'
import type { Clock } from './clock.ts'
import type { Journal } from './journal.ts'
import type { TakenWindow } from './window-intake.ts'

/** A window waits this long at most for others to be committed with it. */
const maxWaitMs = 500
/** Two commits are this far apart at least, unless a final window is waiting. */
const minGapMs = 100

/** What a commit says about the run, besides the windows themselves. */
export type CommitFigures = Pick<
  CommitEvent,
  'at' | 'activeUsers' | 'elapsedMs' | 'started' | 'finished' | 'interrupted' | 'generator'
>

export interface CommitLoopOptions {
  clock: Clock
  journal: Journal
  incarnationOf: (agent: string) => string
  /** Figures of this moment, when every taken window counts. */
  figures: () => CommitFigures
  /** Does every agent at work have a window waiting? Then there is nothing to wait for. */
  complete: (agents: ReadonlySet<string>) => boolean
  /** The windows are on disk and in the totals: acknowledge them, publish the event. */
  onCommit: (windows: readonly TakenWindow[], event: CommitEvent) => void
  /** Something of the above threw, in a timer or after a write, where nobody else would hear of it. */
  onDefect: (error: unknown) => void
}

/**
 * The group commit of one run: windows of all its agents that arrived within half a second are merged, written to the
 * journal as one record, added to the totals and only then acknowledged and published. One commit is under way at a
 * time, so totals, journal and event stream have one and the same order.
 */
export class CommitLoop {
  readonly #options: CommitLoopOptions
  #aggregate = new Aggregate()
  readonly #encoder = new DeltaEncoder()
  #pending: TakenWindow[] = []
  #pendingAgents = new Set<string>()
  #urgent = false
  #underWay = false
  #lastCommitMs = -Infinity
  #cancelTimer: (() => void) | null = null
  #closed = false

  constructor(options: CommitLoopOptions) {
    this.#options = options
  }

  /** The totals of everything committed. */
  get aggregate(): Aggregate {
    return this.#aggregate
  }

  /** Nothing waits and nothing is under way. */
  get idle(): boolean {
    return this.#pending.length === 0 && !this.#underWay
  }

  /** All totals with all definitions, in the numbering of the commits: what a late reader starts from. */
  encodeTotals(): Uint8Array {
    return this.#encoder.encodeFull(this.#aggregate.toDelta())
  }

  add(windows: readonly TakenWindow[]): void {
    for (const taken of windows) {
      this.#pending.push(taken)
      this.#pendingAgents.add(taken.agent)
      if (taken.window.final) this.#urgent = true
    }
    this.#schedule()
  }

  /** Commits what waits without waiting for more. */
  hurry(): void {
    if (this.#pending.length === 0) return
    this.#urgent = true
    this.#schedule()
  }

  /** Ends it and forgets the totals: no timer fires and nothing is committed any more. */
  close(): void {
    this.#closed = true
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#pending = []
    this.#aggregate = new Aggregate()
  }

  #schedule(): void {
    if (this.#closed || this.#pending.length === 0 || this.#underWay) return
    const sinceLast = this.#options.clock.monotonic() - this.#lastCommitMs
    if (this.#urgent) return this.#commit()
    if (this.#options.complete(this.#pendingAgents)) {
      if (sinceLast >= minGapMs) return this.#commit()
      this.#cancelTimer?.()
      this.#cancelTimer = this.#options.clock.after(minGapMs - sinceLast, () =>
        this.#safely(() => this.#commit()),
      )
      return
    }
    this.#cancelTimer ??= this.#options.clock.after(maxWaitMs, () => this.#safely(() => this.#commit()))
  }

  #commit(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    if (this.#pending.length === 0 || this.#underWay) return
    const windows = this.#pending
    this.#pending = []
    this.#pendingAgents = new Set()
    this.#urgent = false
    this.#lastCommitMs = this.#options.clock.monotonic()

    const merged = new Delta()
    for (const { delta } of windows) merged.merge(delta)
    const event = this.#event(windows, merged)
    this.#underWay = true
    if (!this.#options.journal.active) return this.#settle(windows, merged, event)
    const record = { ...event, details: windows.map(({ agent, window }) => detailsOf(agent, window)) }
    void this.#options.journal
      .write(record)
      .then(() => this.#safely(() => this.#settle(windows, merged, event)))
  }

  #settle(windows: readonly TakenWindow[], merged: Delta, event: CommitEvent): void {
    if (this.#closed) return
    this.#aggregate.apply(merged)
    this.#underWay = false
    this.#options.onCommit(windows, event)
    this.#schedule()
  }

  #safely(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.onDefect(error)
    }
  }

  #event(windows: readonly TakenWindow[], merged: Delta): CommitEvent {
    const { incarnationOf, figures } = this.#options
    return {
      type: 'commit',
      ...figures(),
      windows: windows
        .filter((each) => each.readable)
        .map(({ agent, window: { number, fromMs, toMs } }) => {
          return { agent, incarnation: incarnationOf(agent), number, fromMs, toMs }
        }),
      delta: this.#encoder.encode(merged),
    }
  }
}

/** What only a broker that comes back needs: where users were, and what its books said. */
function detailsOf(agent: string, window: TakenWindow['window']): object {
  const { number, final, activeUsers, ledger, progress } = window
  return { agent, number, final, activeUsers, ledger, progress }
}
