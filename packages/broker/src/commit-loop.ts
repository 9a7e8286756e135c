import { Aggregate, Delta, DeltaEncoder } from '@loads-runner/metrics'
import type { CommitEvent, CommittedWindow } from '@loads-runner/protocol'
import type { Clock } from './clock.ts'
import type { Journal } from './journal.ts'
import type { TakenWindow } from './window-intake.ts'

/** A window waits this long at most for others to be committed with it. */
const maxWaitMs = 500
/** Two commits are this far apart at least, unless a final window is waiting. */
const minGapMs = 100

/** A window that waits for its commit. */
interface Waiting {
  taken: TakenWindow
  isEarly: boolean
  /** Number of the window's length of the run that it lies in. */
  slot: number
}

/** What a commit says about the run, besides the windows themselves. */
export type CommitFigures = Pick<
  CommitEvent,
  | 'at'
  | 'activeUsers'
  | 'elapsedMs'
  | 'started'
  | 'finished'
  | 'interrupted'
  | 'planned'
  | 'dropped'
  | 'generator'
>

export interface CommitLoopOptions {
  clock: Clock
  journal: Journal
  /** Milliseconds. */
  windowMs: number
  /** Windows that begin before this time of the run, in milliseconds, are of its warm-up. */
  warmUpMs: number
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
 * time, so totals, journal and event stream have one and the same order. Windows of the warm-up have commits and totals
 * of their own.
 *
 * All windows of a commit lie in the same window's length of the run, so that what is shown second by second is the same
 * for all readers. Agents cut their windows at the same times of the run, so one that is in time waits for no other one.
 */
export class CommitLoop {
  readonly #options: CommitLoopOptions
  #aggregate = new Aggregate()
  #warmUp = new Aggregate()
  /** Milliseconds of the run at which the last window of the warm-up ended. */
  #warmUpEndMs = 0
  /** Agents that have sent what counts: what they send later counts too, whatever its times. */
  readonly #warm = new Set<string>()
  readonly #encoder = new DeltaEncoder()
  /** By agent: the slot of its last window. An older one never follows, whatever its times. */
  readonly #slots = new Map<string, number>()
  #pending: Waiting[] = []
  #pendingAgents = new Set<string>()
  #urgent = false
  #underWay = false
  #lastCommitMs = -Infinity
  #cancelTimer: (() => void) | null = null
  #closed = false

  constructor(options: CommitLoopOptions) {
    this.#options = options
  }

  /** The totals of everything committed, but for the warm-up. */
  get aggregate(): Aggregate {
    return this.#aggregate
  }

  /** The totals of the warm-up, and the time of the run up to which it went. */
  get warmUp(): { aggregate: Aggregate; endMs: number } {
    return { aggregate: this.#warmUp, endMs: this.#warmUpEndMs }
  }

  /** Nothing waits and nothing is under way. */
  get idle(): boolean {
    return this.#pending.length === 0 && !this.#underWay
  }

  /** All totals but those of the warm-up, with all definitions, in the numbering of the commits: what a late reader starts from. */
  encodeTotals(): Uint8Array {
    return this.#encoder.encodeFull(this.#aggregate.toDelta())
  }

  add(windows: readonly TakenWindow[]): void {
    for (const taken of windows) {
      this.#pending.push(this.#placed(taken))
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
    this.#warmUp = new Aggregate()
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
    const { windows, isWarmUp } = this.#take()
    this.#lastCommitMs = this.#options.clock.monotonic()

    const merged = new Delta()
    for (const { delta } of windows) merged.merge(delta)
    const event = this.#event(windows, merged, isWarmUp)
    this.#underWay = true
    if (!this.#options.journal.active) return this.#settle(windows, merged, event)
    const record = { ...event, details: windows.map(({ agent, window }) => detailsOf(agent, window)) }
    void this.#options.journal
      .write(record)
      .then(() => this.#safely(() => this.#settle(windows, merged, event)))
  }

  #placed(taken: TakenWindow): Waiting {
    const { windowMs, warmUpMs } = this.#options
    const { agent, window } = taken
    const isEarly = window.fromMs < warmUpMs && !this.#warm.has(agent)
    if (!isEarly) this.#warm.add(agent)
    const slot = Math.max(slotOf(window, Math.max(1, windowMs)), this.#slots.get(agent) ?? 0)
    this.#slots.set(agent, slot)
    return { taken, isEarly, slot }
  }

  /** What waits of the oldest slot, that of the warm-up first: the rest has the next commits, at once. */
  #take(): { windows: TakenWindow[]; isWarmUp: boolean } {
    let first = this.#pending[0]!
    for (const each of this.#pending) if (isBefore(each, first)) first = each
    const windows: TakenWindow[] = []
    const rest: Waiting[] = []
    for (const each of this.#pending) {
      if (isBefore(first, each)) rest.push(each)
      else windows.push(each.taken)
    }
    this.#pending = rest
    this.#pendingAgents = new Set(rest.map(({ taken }) => taken.agent))
    this.#urgent = rest.length > 0
    return { windows, isWarmUp: first.isEarly }
  }

  #settle(windows: readonly TakenWindow[], merged: Delta, event: CommitEvent): void {
    if (this.#closed) return
    if (event.warmUp) {
      this.#warmUp.apply(merged)
      for (const { window } of windows) this.#warmUpEndMs = Math.max(this.#warmUpEndMs, window.toMs)
    } else this.#aggregate.apply(merged)
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

  #event(windows: readonly TakenWindow[], merged: Delta, warmUp: boolean): CommitEvent {
    const { incarnationOf, figures } = this.#options
    return {
      type: 'commit',
      ...figures(),
      windows: windows
        .filter((each) => each.readable)
        .map((each) => committed(each, incarnationOf(each.agent))),
      warmUp,
      delta: this.#encoder.encode(merged),
    }
  }
}

/**
 * A window ends a little after a full one; where a stage or the load ended in between, it is shorter; after a standstill
 * it is longer, and the end of it says where it belongs. So the middle of it, or of the end of it, says it best.
 */
function slotOf({ fromMs, toMs }: TakenWindow['window'], windowMs: number): number {
  return Math.floor((toMs - Math.min(Math.max(0, toMs - fromMs), windowMs) / 2) / windowMs)
}

function isBefore(one: Waiting, other: Waiting): boolean {
  return one.isEarly === other.isEarly ? one.slot < other.slot : one.isEarly
}

function committed({ agent, window, hits }: TakenWindow, incarnation: string): CommittedWindow {
  const { number, fromMs, toMs, activeUsers, generator } = window
  const { eventLoopLagMs, cpu, latenessMs } = generator
  return { agent, incarnation, number, fromMs, toMs, activeUsers, hits, eventLoopLagMs, cpu, latenessMs }
}

/** What only a broker that comes back needs: where users were, and what its books said. */
function detailsOf(agent: string, window: TakenWindow['window']): object {
  const { number, final, activeUsers, ledger, progress } = window
  return { agent, number, final, activeUsers, ledger, progress }
}
