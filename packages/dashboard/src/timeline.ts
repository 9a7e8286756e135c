import type { Interval } from '@loads-runner/history'
import { HeatRows } from './heat-rows.ts'
import type { Heatmap, Points, RunUpdate } from './model.ts'
import { momentOf, pointsOf, setRates, standingAfter, type Moment, type Standing } from './moment.ts'

/** How long points stay short, in milliseconds back from the end: longer ones take their place before that. */
export interface Tiers {
  /** Points of 1 s. */
  onesMs: number
  /** Points of 10 s; those of 60 s come before them. */
  tensMs: number
}

/** For pages: ten minutes of seconds, two hours of ten seconds. */
export const liveTiers: Tiers = { onesMs: 600_000, tensMs: 7_200_000 }
/** For reports: two hours of seconds, the rest of a day in tens of seconds. */
export const reportTiers: Tiers = { onesMs: 7_200_000, tensMs: 86_400_000 }

/** Points become longer for several minutes at once, since all of them are sent again then. */
const onesStepMs = 120_000
const tensStepMs = 600_000
/** A week of minutes; older ones are forgotten. */
const mostSixties = 10_080

/** The points of a run and its heatmap, in tiers: the farther back, the longer. Its memory has a bound. */
export class Timeline {
  readonly #limits: Tiers
  readonly #tiers: Readonly<Record<number, Moment[]>> = { 1_000: [], 10_000: [], 60_000: [] }
  readonly #rows = new HeatRows()
  /** Where points of 1 s begin, and those of 10 s: multiples of a minute. */
  #onesFromMs = 0
  #tensFromMs = 0
  #origin: Standing = { elapsedMs: 0, planned: 0, dropped: 0 }
  /** What the next update begins with; Infinity: nothing is new. */
  #changedFromMs = Infinity
  #allChanged = false
  #boundsChanged = false

  constructor(limits: Tiers) {
    this.#limits = limits
  }

  /** The first events of this run were not seen: figures grow from here. */
  beginAt(standing: Standing): void {
    this.#origin = standing
  }

  /** Number of moments in memory. */
  get size(): number {
    return Object.values(this.#tiers).reduce((sum, tier) => sum + tier.length, 0)
  }

  add(interval: Interval, open: boolean): void {
    const tier = this.#tiers[interval.spanMs]
    if (tier === undefined) return
    const fromMs = interval.fromMs
    const place = placeIn(tier, fromMs)
    const isKnown = tier[place]?.fromMs === fromMs
    // A late figure of what is long forgotten.
    if (!isKnown && fromMs < this.#startOf(interval.spanMs)) return
    const moment = momentOf(interval, open)
    const known = isKnown ? tier[place]! : null
    if (place === tier.length) tier.push(moment)
    else tier.splice(place, isKnown ? 1 : 0, moment)
    if (open) {
      const before = tier[place - 1]
      setRates(moment, before === undefined ? this.#origin : standingAfter(before))
      const after = tier[place + 1]
      if (after !== undefined) setRates(after, standingAfter(moment))
    }
    if (this.#rows.use(moment.cells)) this.#boundsChanged = true
    // A second that is shown before it is closed is mostly complete: it need not be sent again.
    const isNew = known === null || !areEqual(known, moment)
    if (isNew && this.#isShown(moment)) this.#changedFromMs = Math.min(this.#changedFromMs, fromMs)
    if (interval.spanMs === 1_000) this.#lengthen(fromMs + 1_000)
  }

  /** What was said of seconds from there on does not hold. */
  forgetFrom(fromMs: number): void {
    const ones = this.#tiers[1_000]!
    const place = placeIn(ones, fromMs)
    if (place === ones.length) return
    ones.length = place
    this.#allChanged = true
  }

  /**
   * The run is over. Its last window may be a few milliseconds in which users only left: a rate of that says nothing
   * and jumps, so a last point that is load for less than a tenth of it is not shown. Totals have what is in it.
   */
  end(): void {
    for (const tier of Object.values(this.#tiers)) {
      const last = tier.at(-1)
      if (tier.length < 2 || last === undefined || last.loadMs * 10 >= last.spanMs) continue
      if (this.#isShown(last)) this.#allChanged = true
      tier.pop()
    }
  }

  points(): Points {
    return pointsOf(this.#shown())
  }

  heatmap(): Heatmap {
    return { bounds: this.#rows.bounds(), columns: this.#columns(this.#shown()) }
  }

  /** What is new since the call before. */
  update(): Pick<RunUpdate, 'points' | 'columns' | 'allPoints' | 'allColumns' | 'bounds'> {
    const update: ReturnType<Timeline['update']> = {}
    const changed = this.#shown(this.#allChanged ? 0 : this.#changedFromMs)
    if (this.#allChanged) update.allPoints = pointsOf(changed)
    else if (changed.length > 0) update.points = pointsOf(changed)
    if (this.#boundsChanged) update.bounds = this.#rows.bounds()
    if (this.#allChanged || this.#boundsChanged) update.allColumns = this.#columns(this.#shown())
    else if (changed.length > 0) update.columns = this.#columns(changed)
    this.#changedFromMs = Infinity
    this.#allChanged = false
    this.#boundsChanged = false
    return update
  }

  #columns(moments: readonly Moment[]): Heatmap['columns'] {
    return moments.map(({ fromMs, spanMs, cells }) => this.#rows.column(fromMs, spanMs, cells))
  }

  #startOf(spanMs: number): number {
    if (spanMs === 1_000) return this.#onesFromMs
    return spanMs === 10_000 ? this.#tensFromMs : (this.#tiers[spanMs]![0]?.fromMs ?? 0)
  }

  #isShown({ fromMs, spanMs }: Moment): boolean {
    if (spanMs === 1_000) return fromMs >= this.#onesFromMs
    if (spanMs === 10_000) return fromMs >= this.#tensFromMs && fromMs < this.#onesFromMs
    return fromMs < this.#tensFromMs
  }

  #shown(fromMs = 0): Moment[] {
    const shown: Moment[] = []
    for (const spanMs of [60_000, 10_000, 1_000]) {
      const tier = this.#tiers[spanMs]!
      for (let place = placeIn(tier, fromMs); place < tier.length; place++) {
        const moment = tier[place]!
        if (this.#isShown(moment)) shown.push(moment)
      }
    }
    return shown
  }

  /** The run has come so far: what is too old is shown in longer points. */
  #lengthen(nowMs: number): void {
    const onesFromMs = behind(nowMs, this.#limits.onesMs, onesStepMs)
    const tensFromMs = behind(nowMs, this.#limits.tensMs, tensStepMs)
    if (onesFromMs <= this.#onesFromMs && tensFromMs <= this.#tensFromMs) return
    this.#onesFromMs = Math.max(this.#onesFromMs, onesFromMs)
    this.#tensFromMs = Math.max(this.#tensFromMs, tensFromMs)
    const [ones, tens, sixties] = [this.#tiers[1_000]!, this.#tiers[10_000]!, this.#tiers[60_000]!]
    ones.splice(0, placeIn(ones, this.#onesFromMs))
    tens.splice(0, placeIn(tens, this.#tensFromMs))
    sixties.splice(0, Math.max(0, sixties.length - mostSixties))
    this.#allChanged = true
  }
}

function behind(nowMs: number, byMs: number, stepMs: number): number {
  return byMs === Infinity ? 0 : Math.max(0, Math.floor((nowMs - byMs) / stepMs) * stepMs)
}

function areEqual(one: Moment, other: Moment): boolean {
  return (
    one.loadMs === other.loadMs &&
    one.planned === other.planned &&
    one.dropped === other.dropped &&
    one.values.every((value, place) => Object.is(value, other.values[place])) &&
    one.cells.length === other.cells.length &&
    one.cells.every((value, place) => value === other.cells[place])
  )
}

/** Where a moment of this time is, or belongs. What comes is nearly always the latest, so it is looked for from the end. */
function placeIn(moments: readonly Moment[], fromMs: number): number {
  if (fromMs <= 0) return 0
  let place = moments.length
  while (place > 0 && moments[place - 1]!.fromMs >= fromMs) place--
  return place
}
