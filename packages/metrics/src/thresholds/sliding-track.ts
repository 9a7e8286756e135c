import type { SeriesDelta } from '../delta.ts'
import { Slice, Slices, valueOf } from './tally.ts'
import { holds, isWorse, type Threshold } from './threshold.ts'

/** A span is made of so many slices at most. */
const mostSlices = 60
/** Slices that may wait to be judged: an agent that is silent for that long is not waited for. */
const mostWaiting = 120

/**
 * One metric over every span of a given length. Time is cut into slices; a span is a whole number of them, so its
 * length is exact to half a slice (and a slice is the run's window, or a 60th of the span).
 */
export class SlidingTrack {
  readonly #sliceMs: number
  /** Slices of a span. */
  readonly #length: number
  readonly #judged = new Map<Threshold, { value: number | null; samples: number }>()
  readonly #span = new Slices()
  /** By number: slice n begins n * sliceMs after the beginning. */
  readonly #waiting = new Map<number, Slice>()
  /** Milliseconds of the run; null before it begins. */
  #beganMs: number | null = null
  #endMs = Infinity
  /** The slice that joins the span next. */
  #next = 0
  /** Times that nothing is known within: what was recorded in them came as one. Milliseconds of the run. */
  #blurred: { fromMs: number; toMs: number }[] = []
  #filled = false
  /** Something was recorded, in this span or in one before it. */
  #recorded = false

  constructor(overMs: number, windowMs: number) {
    this.#sliceMs = Math.max(windowMs, overMs / mostSlices)
    this.#length = Math.max(1, Math.round(overMs / this.#sliceMs))
  }

  /** Keeps the worst value of a threshold. */
  judge(threshold: Threshold): void {
    this.#judged.set(threshold, { value: null, samples: 0 })
  }

  /** The first slice begins here. */
  begin(atMs: number): void {
    this.#beganMs ??= atMs
  }

  /** Spans that reach further are not judged. */
  end(atMs: number): void {
    this.#endMs = Math.min(this.#endMs, atMs)
  }

  add(atMs: number, series: SeriesDelta, amount: number): void {
    this.#sliceAt(atMs)?.add(series, amount)
  }

  /**
   * Something was recorded from here to there, nobody knows when: spans that begin or end in between are not judged. A
   * window of the usual length is off by half a slice at most, and blurs nothing.
   */
  blur(fromMs: number, toMs: number): void {
    const blurred = { fromMs: fromMs + this.#sliceMs / 2, toMs: toMs - this.#sliceMs / 2 }
    if (blurred.toMs <= blurred.fromMs) return
    this.#blurred.push(blurred)
    if (this.#blurred.length > mostWaiting) this.#blurred.shift()
  }

  drop(atMs: number, count: number): void {
    const slice = this.#sliceAt(atMs)
    if (slice === null) return
    slice.figures.samples += 1
    slice.figures.amount += count
  }

  /** Judges every span that ends before this time. */
  advance(uptoMs: number): void {
    if (this.#beganMs === null) return
    const whole = Math.floor((Math.min(uptoMs, this.#endMs) - this.#beganMs) / this.#sliceMs)
    while (this.#next < whole) this.#close()
  }

  /** No more will come. A span that was never filled is judged with what there is. */
  finish(endMs: number): void {
    if (this.#beganMs === null) return
    const until = Math.min(endMs, this.#endMs)
    this.advance(until)
    if (this.#filled || this.#span.length === this.#length) return
    for (const slice of this.#waiting.values()) this.#span.push(slice)
    this.#waiting.clear()
    this.#judgeSpan(Math.max(0, until - this.#beganMs) / 1000)
  }

  standing(threshold: Threshold): { value: number | null; ok: boolean | null; samples: number } {
    const { value, samples } = this.#judged.get(threshold)!
    return { value, ok: value === null ? null : holds(threshold.operator, value, threshold.limit), samples }
  }

  /** Null when it has been judged, or lies before the beginning. */
  #sliceAt(atMs: number): Slice | null {
    if (this.#beganMs === null) return null
    const number = Math.floor((atMs - this.#beganMs) / this.#sliceMs)
    if (number < this.#next) return null
    let slice = this.#waiting.get(number)
    if (slice !== undefined) return slice
    slice = new Slice()
    this.#waiting.set(number, slice)
    if (this.#waiting.size > mostWaiting) this.#closeTo(Math.min(...this.#waiting.keys()))
    return slice
  }

  /** Waits no longer for what is missing before this slice, nor for the rest of it. */
  #closeTo(number: number): void {
    if (number - this.#next > this.#length) {
      this.#span.clear()
      this.#next = number - this.#length
    }
    while (this.#next <= number) this.#close()
  }

  /** The next slice joins the span, and the oldest leaves it. */
  #close(): void {
    this.#span.push(this.#waiting.get(this.#next) ?? new Slice())
    this.#waiting.delete(this.#next)
    this.#next++
    if (this.#span.length > this.#length) this.#span.shift()
    if (this.#span.length < this.#length) return
    const toMs = this.#beganMs! + this.#next * this.#sliceMs
    const fromMs = toMs - this.#length * this.#sliceMs
    this.#blurred = this.#blurred.filter((blurred) => blurred.toMs > fromMs)
    if (this.#blurred.some((each) => isWithin(each, fromMs) || isWithin(each, toMs))) return
    this.#filled = true
    this.#judgeSpan((this.#length * this.#sliceMs) / 1000)
  }

  #judgeSpan(seconds: number): void {
    const figures = this.#span.figures()
    const samples = figures.samples + figures.sets
    if (samples > 0) this.#recorded = true
    for (const [threshold, judged] of this.#judged) {
      const { metric, aggregation, operator, limit, leastSamples } = threshold
      judged.samples = Math.max(judged.samples, samples)
      if (samples < leastSamples) continue
      const value =
        samples === 0 && this.#recorded && isCounted(threshold)
          ? 0
          : valueOf(metric.type, aggregation, figures, this.#span.times, seconds)
      if (value === null) continue
      if (judged.value === null || isWorse(operator, value, judged.value, limit)) judged.value = value
    }
  }
}

/** Nothing in a span is a count of 0, and a rate of 0: a target that stalls must not look like one without data. */
function isCounted({ metric, aggregation: { type } }: Threshold): boolean {
  return type === 'count' || (type === 'rate' && metric.type !== 'share')
}

function isWithin(time: { fromMs: number; toMs: number }, ms: number): boolean {
  return ms > time.fromMs && ms < time.toMs
}
