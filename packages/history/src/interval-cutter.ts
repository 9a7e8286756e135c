import type { Delta } from '@loads-runner/metrics'
import type { CommitEvent, CommittedWindow, SnapshotEvent } from '@loads-runner/protocol'
import { intervalSpansMs, type Interval } from './interval.ts'
import { atRest, IntervalSums, later, standingOf, type Standing } from './interval-sums.ts'
import { KeptIntervals } from './kept-intervals.ts'

const secondMs = 1_000
/** Figures may be so late before an interval is handed out without them: in seconds of the run. */
const graceSeconds = 2
/** A longer silence is left out: the process, or its machine, was stopped. In seconds. */
const longestSilence = 3_600
/** How many intervals are kept for late figures, by span. */
const keptOf = { 1_000: 120, 10_000: 60, 60_000: 60 } as const

export interface IntervalCutterOptions {
  /** Which of {@link intervalSpansMs} are wanted. */
  spansMs: readonly number[]
  /** Called for each closed interval, shorter spans first, and again for each that late figures have changed. */
  onInterval: (interval: Interval) => void
}

/**
 * Makes closed intervals of the commits of a run. A commit belongs to the second that the middle of its windows lies in.
 * A second is closed as soon as a commit of two seconds later has come, {@link tick} says that two seconds have passed
 * since its end, or the run has ended; figures that come after that hand out the next revision of the intervals that
 * they belong to. A second without any commit is an interval, too: silence is a rate of 0. Longer intervals are the sums
 * of their seconds.
 *
 * Deltas are taken and handed out without copying: neither side may change them.
 *
 *     const cutter = new IntervalCutter({ spansMs: [1_000, 10_000], onInterval: (interval) => draw(interval) })
 *     view.onCommit = (event, delta) => cutter.commit(event, delta, view.startedAt)
 *     for await (const event of events) {
 *       if (event.type === 'snapshot') cutter.begin(event)
 *       view.apply(event)
 *     }
 *     cutter.end(view.elapsedMs())
 */
export class IntervalCutter {
  /** Commits that came too late for some interval, or lie before the first: what they hold is in none of those. */
  tooLate = 0
  readonly #onInterval: (interval: Interval) => void
  readonly #tiers: Tier[]
  #startedAt: number | null = null
  #warmUpMs = 0
  /** What lies before this second is not known. */
  #firstSecond = 0
  /** The first second that is not closed. */
  #nextSecond = 0
  readonly #open = new Map<number, IntervalSums>()
  /** Closed seconds in which no figure counts. */
  readonly #warmUpSeconds = new Set<number>()
  #standing: Standing = atRest

  constructor({ spansMs, onInterval }: IntervalCutterOptions) {
    this.#onInterval = onInterval
    // Seconds are what the longer ones are made of.
    this.#tiers = intervalSpansMs
      .filter((spanMs) => spanMs === secondMs || spansMs.includes(spanMs))
      .map((spanMs) => ({
        spanMs,
        open: null,
        kept: spansMs.includes(spanMs) ? new KeptIntervals(keptOf[spanMs]) : null,
      }))
  }

  /**
   * A snapshot: intervals begin at its time; what it holds itself is in none. Of a second one in mid-run (events were
   * skipped) too: the seconds between are not known, so there are no intervals of them. Without it they begin at 0.
   */
  begin(snapshot: Pick<SnapshotEvent, 'elapsedMs' | 'startedAt' | 'spec'>): void {
    this.#warmUpMs = snapshot.spec.warmUpMs
    this.#startedAt ??= snapshot.startedAt
    const second = Math.floor(snapshot.elapsedMs / secondMs)
    this.#open.clear()
    this.#firstSecond = second
    this.#nextSecond = Math.max(this.#nextSecond, second)
  }

  /** @param startedAt epoch milliseconds at which load began; null: it follows from the event */
  commit(event: CommitEvent, delta: Delta, startedAt: number | null): void {
    this.#startedAt ??= startedAt ?? event.at - event.elapsedMs
    const second = this.#secondOf(event)
    if (second < this.#firstSecond) {
      this.tooLate++
      return
    }
    if (second < this.#nextSecond) return this.#commitLate(second, event, delta)
    let sums = this.#open.get(second)
    if (sums === undefined) this.#open.set(second, (sums = new IntervalSums(second * secondMs, secondMs)))
    sums.part(event.warmUp).take(delta, event.windows)
    sums.standing = later(sums.standing ?? atRest, standingOf(event))
    if (!event.warmUp) sums.countsFromMs = Math.min(sums.countsFromMs, beginOf(event.windows, sums.fromMs))
    sums.lastMs = Math.max(sums.lastMs, ...event.windows.map(({ toMs }) => toMs))
    this.#closeUpTo(second - graceSeconds)
  }

  /** The run has come so far: what should be complete by now is closed, also where nobody has said anything. */
  tick(elapsedMs: number, startedAt: number | null = null): void {
    this.#startedAt ??= startedAt
    this.#closeUpTo(Math.floor(elapsedMs / secondMs) - graceSeconds - 1)
  }

  /** Load is over after so many milliseconds: everything is closed. */
  end(elapsedMs: number): void {
    const lastWithFigures = Math.max(-1, ...this.#open.keys())
    // A part of a second in which nothing was recorded is not worth an interval.
    const last = Math.max(lastWithFigures, Math.floor(elapsedMs / secondMs) - 1)
    this.#closeUpTo(last, elapsedMs)
    for (const tier of this.#tiers.keys()) this.#closeLong(tier)
  }

  /** The second that most windows of a commit lie in: an agent that stood still may bring a long one with them. */
  #secondOf({ windows, elapsedMs }: CommitEvent): number {
    const middles = windows.map(({ fromMs, toMs }) => (fromMs + toMs) / 2).sort((one, other) => one - other)
    const middle = middles[(middles.length - 1) >> 1] ?? Math.max(0, elapsedMs - secondMs / 2)
    // The broker's clock is the one to trust: windows of the future would close everything before them.
    return Math.floor(Math.min(middle, elapsedMs + graceSeconds * secondMs) / secondMs)
  }

  #closeUpTo(last: number, endMs = Infinity): void {
    if (this.#startedAt === null || last < this.#nextSecond) return
    while (this.#nextSecond <= last) {
      this.#skipSilence(last)
      this.#closeSecond(this.#nextSecond++, endMs)
    }
  }

  #skipSilence(last: number): void {
    if (last - this.#nextSecond < longestSilence) return
    const next = Math.min(last, ...this.#open.keys())
    if (next - this.#nextSecond >= longestSilence) this.#nextSecond = next
  }

  #closeSecond(second: number, endMs: number): void {
    const fromMs = second * secondMs
    const sums = this.#open.get(second) ?? new IntervalSums(fromMs, secondMs)
    this.#open.delete(second)
    this.#standing = sums.standing = later(this.#standing, sums.standing ?? this.#standing)
    const loadMs = clip(Math.max(endMs, sums.lastMs) - fromMs)
    const { counted, warmUp } = sums
    if (counted.hasWindows) {
      // In the second in which the warm-up ends, figures count for a part of it only.
      const lostMs = warmUp.hasWindows ? sums.countsFromMs - fromMs : 0
      counted.loadMs = clip(loadMs - lostMs)
    } else if (warmUp.hasWindows || fromMs < this.#warmUpMs) {
      warmUp.loadMs = loadMs
      this.#warmUpSeconds.add(second)
    } else counted.loadMs = loadMs

    this.#close(0, sums)
  }

  /** An interval is complete: the next longer one has it from here on. */
  #close(tier: number, sums: IntervalSums): void {
    const longer = this.#tiers[tier + 1]
    if (longer !== undefined) {
      if (longer.open?.covers(sums.fromMs) === false) this.#closeLong(tier + 1)
      longer.open ??= new IntervalSums(beginningOf(sums.fromMs, longer.spanMs), longer.spanMs)
      longer.open.merge(sums)
    }
    this.#handOut(this.#tiers[tier]!, sums)
    if (longer !== undefined && longer.open!.toMs <= sums.toMs) this.#closeLong(tier + 1)
  }

  #closeLong(tier: number): void {
    const { open } = this.#tiers[tier]!
    this.#tiers[tier]!.open = null
    if (open !== null) this.#close(tier, open)
  }

  #handOut({ kept }: Tier, sums: IntervalSums): void {
    if (kept === null) return
    const interval = sums.show(this.#startedAt!)
    kept.add(sums)
    this.#onInterval(interval)
  }

  /** Figures of a second that is closed. */
  #commitLate(second: number, event: CommitEvent, delta: Delta): void {
    const atMs = second * secondMs
    // In the second in which the warm-up ends, the figures that count may be the late ones.
    const isFirst = !event.warmUp && this.#warmUpSeconds.delete(second)
    const beginMs = Math.max(atMs, beginOf(event.windows, atMs))
    const gainedMs = isFirst ? clip(endOf(event.windows, atMs) - beginMs) : 0
    let missed = false
    for (const tier of this.#tiers) {
      const { open, kept, spanMs } = tier
      const isOpen = open?.covers(atMs) === true
      const sums = isOpen ? open : (kept?.take(beginningOf(atMs, spanMs)) ?? null)
      if (sums === null) {
        missed ||= kept !== null
        continue
      }
      sums.part(event.warmUp).take(delta, event.windows)
      sums.counted.loadMs += gainedMs
      // The longer ones have it when this one is closed.
      if (isOpen) break
      sums.revision++
      this.#handOut(tier, sums)
    }
    if (missed) this.tooLate++
  }
}

interface Tier {
  readonly spanMs: number
  /** The interval that shorter ones are added to; seconds are open apart. */
  open: IntervalSums | null
  /** Null: nobody wants intervals of this span. */
  readonly kept: KeptIntervals | null
}

function beginningOf(atMs: number, spanMs: number): number {
  return Math.floor(atMs / spanMs) * spanMs
}

/** A part of a second, in milliseconds. */
function clip(millis: number): number {
  return Math.min(secondMs, Math.max(1, millis))
}

function beginOf(windows: readonly CommittedWindow[], otherwise: number): number {
  return windows.reduce((earliest, { fromMs }) => Math.min(earliest, fromMs), windows[0]?.fromMs ?? otherwise)
}

function endOf(windows: readonly CommittedWindow[], otherwise: number): number {
  return windows.reduce(
    (latest, { toMs }) => Math.max(latest, toMs),
    windows[0]?.toMs ?? otherwise + secondMs,
  )
}
