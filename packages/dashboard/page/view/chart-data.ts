import type { Points } from '../../src/model.ts'

/** Figures over time as charts take them. Pure. */

export type Values = readonly (number | null)[]

/** The moments of a chart: the middle of each point, and a place without a value where points are missing between. */
export interface Frame {
  /** Milliseconds of the run. */
  x: number[]
  /** Index of the point at each place; -1: none. */
  source: number[]
  spanMs: number[]
}

export function frameOf(fromMs: readonly number[], spanOf: (index: number) => number): Frame {
  const frame: Frame = { x: [], source: [], spanMs: [] }
  fromMs.forEach((from, index) => {
    const span = spanOf(index)
    const before = index === 0 ? from : fromMs[index - 1]! + spanOf(index - 1)
    if (from > before + span / 2) add(frame, (before + from) / 2, -1, from - before)
    add(frame, from + span / 2, index, span)
  })
  return frame
}

function add(frame: Frame, x: number, source: number, spanMs: number): void {
  frame.x.push(x)
  frame.source.push(source)
  frame.spanMs.push(spanMs)
}

export function pointsFrame(points: Points): Frame {
  return frameOf(points.fromMs, (index) => points.spanMs[index] ?? 1_000)
}

/** Observations stand at moments, not for a time: one counts until the next, and no longer than three usual ones. */
export function observedFrame(fromMs: readonly number[]): Frame {
  const steps = fromMs.slice(1).map((at, index) => at - fromMs[index]!)
  const usual = steps.toSorted((one, other) => one - other)[steps.length >> 1] ?? 1_000
  const frame: Frame = { x: [], source: [], spanMs: [] }
  fromMs.forEach((at, index) => {
    const before = fromMs[index - 1]
    if (before !== undefined && at - before > usual * 3) add(frame, (before + at) / 2, -1, at - before)
    add(frame, at, index, usual)
  })
  return frame
}

export function columnOf(frame: Frame, values: Values): (number | null)[] {
  return frame.source.map((index) => (index < 0 ? null : (values[index] ?? null)))
}

export function hasValues(values: Values): boolean {
  return values.some((value) => value !== null)
}

/** Places of values without a neighbour: a line cannot show them. */
export function lonelyPlaces(values: Values, from: number, to: number): number[] {
  const lonely: number[] = []
  const isValue = (place: number) => typeof values[place] === 'number'
  for (let place = from; place <= to; place++) {
    if (isValue(place) && !isValue(place - 1) && !isValue(place + 1)) lonely.push(place)
  }
  return lonely
}

/** A line in words: `hits/s: 12 to 340, 230 at the end`. */
export function describeLine(label: string, values: Values, format: (value: number) => string): string {
  let low = Infinity
  let high = -Infinity
  let last: number | null = null
  for (const value of values) {
    if (value === null) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
    last = value
  }
  if (last === null) return `${label}: no figures`
  return `${label}: ${format(low)} to ${format(high)}, ${format(last)} at the end`
}

/** Steps of a time axis, in milliseconds: those that people count in. */
export const timeSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400,
].map((seconds) => seconds * 1_000)
