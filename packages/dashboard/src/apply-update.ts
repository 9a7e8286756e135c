import { mostLogLines } from './model.ts'
import type { Heatmap, Points, RunModel, RunUpdate, SeriesChange, SeriesRow } from './model.ts'

/**
 * Brings a model up to date, in place. Updates are applied in order, none left out: the model is then what the server
 * would make afresh. No module of Node may be imported here, since this file runs in browsers.
 */
export function applyUpdate(model: RunModel, update: RunUpdate): void {
  const { points, columns, allPoints, allColumns, bounds, series, log, observed, ...whole } = update
  // What is replaced as a whole has the same name in both.
  Object.assign(model, whole)
  if (allPoints !== undefined) model.points = copyOf(allPoints)
  if (points !== undefined) replacePoints(model.points, points)
  if (bounds !== undefined) model.heatmap.bounds = bounds
  if (allColumns !== undefined) model.heatmap.columns = [...allColumns]
  if (columns !== undefined) replaceColumns(model.heatmap.columns, columns)
  if (series !== undefined) changeSeries(model.series, series)
  if (log !== undefined) {
    model.log.push(...log)
    model.log.splice(0, Math.max(0, model.log.length - mostLogLines))
  }
  if (observed !== undefined) replaceObserved(model.observed, observed)
}

/** The index of the first entry that is not before `fromMs`; `times` ascend. */
export function placeOf(times: readonly number[], fromMs: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle]! < fromMs) low = middle + 1
    else high = middle
  }
  return low
}

/** The names of all columns. */
export function columnsOf(points: Points): (keyof Points)[] {
  return Object.keys(points) as (keyof Points)[]
}

function copyOf(points: Points): Points {
  return Object.fromEntries(columnsOf(points).map((name) => [name, [...points[name]]])) as unknown as Points
}

function replacePoints(into: Points, from: Points): void {
  if (from.fromMs.length === 0) return
  const place = placeOf(into.fromMs, from.fromMs[0]!)
  for (const name of columnsOf(into)) append(into[name], place, from[name])
}

/** Puts values in place of all from `place` on. One by one: there may be more than a call takes as arguments. */
function append<T>(into: T[], place: number, values: readonly T[]): void {
  into.length = place
  for (const value of values) into.push(value)
}

function replaceColumns(into: Heatmap['columns'], from: Heatmap['columns']): void {
  if (from.length === 0) return
  const times = into.map(({ fromMs }) => fromMs)
  append(into, placeOf(times, from[0]!.fromMs), from)
}

function changeSeries(rows: SeriesRow[], changes: readonly SeriesChange[]): void {
  const places = new Map(rows.map(({ id }, index) => [id, index]))
  for (const change of changes) {
    const place = places.get(change.id)
    if (place !== undefined) rows[place] = { ...rows[place]!, ...change }
    else {
      places.set(change.id, rows.length)
      // New ones come whole.
      rows.push(change as SeriesRow)
    }
  }
}

function replaceObserved(into: RunModel['observed'], from: RunModel['observed']): void {
  for (const name of Object.keys(from)) {
    const news = from[name]!
    if (news.fromMs.length === 0) continue
    const mine = Object.hasOwn(into, name) ? into[name]! : { fromMs: [], value: [] }
    const place = placeOf(mine.fromMs, news.fromMs[0]!)
    append(mine.fromMs, place, news.fromMs)
    append(mine.value, place, news.value)
    // A name may be `__proto__`, which an assignment would swallow.
    Object.defineProperty(into, name, { value: mine, enumerable: true, writable: true, configurable: true })
  }
}
