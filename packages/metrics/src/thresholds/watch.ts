import type { Delta } from '../delta.ts'
import { Histogram } from '../histogram.ts'
import { droppedMetric } from './metric.ts'
import { SlidingTrack } from './sliding-track.ts'
import { Figures, valueOf } from './tally.ts'
import { holds, selects, type Threshold } from './threshold.ts'

/** How a threshold stands. */
export interface ThresholdStanding {
  threshold: Threshold
  /**
   * In milliseconds, as a share, a number or per second; null: too little was recorded to say. Of a threshold over a
   * span: the worst span so far.
   */
  value: number | null
  /** Null: too little was recorded to say; at the end of a run that is a failure. */
  ok: boolean | null
  samples: number
}

export interface ThresholdWatchOptions {
  /** Length of the windows that are applied, in milliseconds: spans are made of slices no shorter. Default 1,000. */
  windowMs?: number
  /** Where the figures begin to count (the end of the warm-up), in milliseconds of the run. Default 0. */
  startMs?: number
}

/**
 * How the thresholds of a run stand while it goes on. It is told what was recorded and when, and from which time on
 * nothing more is to come; times are milliseconds of the run. Memory is bounded: a histogram for each different
 * metric, and for a span of time at most 60 slices of what is asked for.
 *
 *     const watch = new ThresholdWatch(parseThresholds(sources, context))
 *     watch.beginStage(0, 0)
 *     watch.apply(delta, 0, 1000)       // any number of agents, late ones too
 *     watch.advance(1000)               // all of them have told everything up to here
 *     watch.standings()                 // [{ threshold, value: 180, ok: true, samples: 412 }]
 *     watch.finish(60_000)              // the run is over
 */
export class ThresholdWatch {
  readonly thresholds: readonly Threshold[]
  readonly #tracks: Track[]
  readonly #trackOf = new Map<Threshold, Track>()
  readonly #stages = new Map<number, StageSpan>()
  readonly #startMs: number
  #latestMs: number

  constructor(thresholds: readonly Threshold[], options: ThresholdWatchOptions = {}) {
    this.thresholds = thresholds
    const { windowMs = 1000, startMs = 0 } = options
    this.#startMs = startMs
    this.#latestMs = startMs
    const tracks = new Map<string, Track>()
    for (const threshold of thresholds) {
      const { metric, filters, overMs, stage } = threshold
      const words = Object.entries(filters).sort(([one], [other]) => (one < other ? -1 : 1))
      const id = JSON.stringify([metric.type, metric.name, words, overMs, stage])
      let track = tracks.get(id)
      if (track === undefined) {
        track = { first: threshold, stage, whole: null, sliding: null }
        if (overMs === null) track.whole = { figures: new Figures(), times: new Histogram() }
        else track.sliding = new SlidingTrack(overMs, Math.max(1, windowMs))
        tracks.set(id, track)
      }
      track.sliding?.judge(threshold)
      this.#trackOf.set(threshold, track)
    }
    this.#tracks = [...tracks.values()]
    for (const { sliding, stage } of this.#tracks) if (stage === null) sliding?.begin(startMs)
  }

  /** A stage (by its number in the run) begins. */
  beginStage(stage: number, atMs: number): void {
    if (this.#stages.has(stage)) return
    const fromMs = Math.max(atMs, this.#startMs)
    this.#stages.set(stage, { fromMs, toMs: Infinity })
    for (const track of this.#tracks) if (track.stage === stage) track.sliding?.begin(fromMs)
  }

  /** It is over on every agent. */
  endStage(stage: number, atMs: number): void {
    const span = this.#stages.get(stage)
    if (span === undefined || span.toMs !== Infinity) return
    span.toMs = Math.max(span.fromMs, atMs)
    for (const track of this.#tracks) if (track.stage === stage) track.sliding?.end(span.toMs)
  }

  /** No load is made from here on: what still ends counts, but spans that reach further are not judged. */
  endLoad(atMs: number): void {
    for (const { sliding, stage } of this.#tracks) if (stage === null) sliding?.end(atMs)
  }

  /** Takes in what was recorded from `fromMs` to `toMs`. It belongs to the slice and the stage that its middle is in. */
  apply(delta: Delta, fromMs: number, toMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, toMs)
    const atMs = (fromMs + toMs) / 2
    for (const track of this.#tracks) {
      if (!this.#isIn(track.stage, atMs)) continue
      const { first, whole, sliding } = track
      sliding?.blur(fromMs, toMs)
      for (const series of delta.series.values()) {
        if (!selects(first, series.key)) continue
        const amount = first.metric.amountOf(series)
        sliding?.add(atMs, series, amount)
        if (whole === null) continue
        whole.figures.add(series, amount)
        for (const [bucket, count] of series.buckets ?? []) whole.times.addBucket(bucket, count)
      }
    }
  }

  /** Executions that fell due and were dropped, which no series tells. */
  drop(count: number, fromMs: number, toMs: number): void {
    const atMs = (fromMs + toMs) / 2
    for (const { first, stage, whole, sliding } of this.#tracks) {
      if (first.metric !== droppedMetric || !this.#isIn(stage, atMs)) continue
      // That there were none is known too.
      if (whole !== null) {
        whole.figures.samples += 1
        whole.figures.amount += count
      }
      sliding?.drop(atMs, count)
    }
  }

  /** Nothing of before this time is to come any more: what lies before it is judged. */
  advance(uptoMs: number): void {
    for (const { sliding } of this.#tracks) sliding?.advance(uptoMs)
  }

  /** The run is over. A span that was never filled is judged as long as it is. */
  finish(endMs: number): void {
    this.#latestMs = Math.max(this.#startMs, endMs)
    for (const stage of this.#stages.keys()) this.endStage(stage, endMs)
    for (const { sliding } of this.#tracks) sliding?.finish(endMs)
  }

  /** As of what has been applied, in the order of the thresholds. */
  standings(): ThresholdStanding[] {
    return this.thresholds.map((threshold) => this.#standing(threshold))
  }

  #standing(threshold: Threshold): ThresholdStanding {
    const { whole, sliding } = this.#trackOf.get(threshold)!
    if (sliding !== null) return { threshold, ...sliding.standing(threshold) }
    const { metric, aggregation, operator, limit, leastSamples } = threshold
    const { figures, times } = whole!
    const samples = figures.samples + figures.sets
    const seconds = this.#secondsOf(threshold.stage)
    const value = samples < leastSamples ? null : valueOf(metric.type, aggregation, figures, times, seconds)
    return { threshold, value, ok: value === null ? null : holds(operator, value, limit), samples }
  }

  #isIn(stage: number | null, atMs: number): boolean {
    if (stage === null) return true
    const span = this.#stages.get(stage)
    return span !== undefined && atMs >= span.fromMs && atMs < span.toMs
  }

  #secondsOf(stage: number | null): number {
    if (stage === null) return (this.#latestMs - this.#startMs) / 1000
    const span = this.#stages.get(stage)
    return span === undefined ? 0 : Math.max(0, Math.min(span.toMs, this.#latestMs) - span.fromMs) / 1000
  }
}

interface StageSpan {
  fromMs: number
  toMs: number
}

/** The figures of thresholds that are about the same metric, filters, span and stage. */
interface Track {
  /** One of them: all select the same series. */
  first: Threshold
  stage: number | null
  /** Null for those over a span of time, which slide. */
  whole: { figures: Figures; times: Histogram } | null
  sliding: SlidingTrack | null
}
