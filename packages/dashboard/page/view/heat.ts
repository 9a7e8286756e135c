import type { Heatmap } from '../../src/model.ts'
import { placeOf } from '../../src/apply-update.ts'

/** Figures of a heatmap. Pure. */

/** Upper end of the highest row: rows are evenly spaced on a logarithmic scale. */
export function topOf(bounds: readonly number[]): number {
  const last = bounds.at(-1)
  if (last === undefined) return 1
  const before = bounds.at(-2)
  return before === undefined ? last * 2 : (last * last) / before
}

export function rowRange(bounds: readonly number[], row: number): [lowMs: number, highMs: number] {
  return [bounds[row] ?? 0, bounds[row + 1] ?? topOf(bounds)]
}

export function rowAt(bounds: readonly number[], millis: number): number | null {
  if (bounds.length === 0 || millis < bounds[0]! || millis >= topOf(bounds)) return null
  const place = placeOf(bounds, millis)
  return bounds[place] === millis ? place : place - 1
}

/** Columns that are at least in part between two moments. */
export function columnsBetween(
  columns: Heatmap['columns'],
  [fromMs, toMs]: readonly [number, number],
): Heatmap['columns'] {
  return columns.filter((column) => column.fromMs < toMs && column.fromMs + column.spanMs > fromMs)
}

export function columnAt(columns: Heatmap['columns'], atMs: number): Heatmap['columns'][number] | null {
  let low = 0
  let high = columns.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const column = columns[middle]!
    if (atMs < column.fromMs) high = middle - 1
    else if (atMs >= column.fromMs + column.spanMs) low = middle + 1
    else return column
  }
  return null
}

export function countIn(cells: readonly number[], row: number): number {
  for (let place = 0; place < cells.length; place += 2) if (cells[place] === row) return cells[place + 1]!
  return 0
}

export function sumOf(cells: readonly number[]): number {
  let sum = 0
  for (let place = 1; place < cells.length; place += 2) sum += cells[place]!
  return sum
}

/** The most hits per second in one cell: columns of any length compare. */
export function densest(columns: Heatmap['columns']): number {
  let most = 0
  for (const { cells, spanMs } of columns)
    for (let place = 1; place < cells.length; place += 2)
      most = Math.max(most, (cells[place]! * 1000) / spanMs)
  return most
}

export const shades = 24

/** Which shade, 0 to `shades` - 1, shows that many hits per second: on a logarithmic scale, so that rare ones are seen. */
export function shadeOf(perSecond: number, most: number): number {
  if (most <= 0) return 0
  const share = Math.log1p(perSecond * sharpness(most)) / Math.log1p(most * sharpness(most))
  return Math.min(shades - 1, Math.max(0, Math.floor(share * shades)))
}

/** A thousandth of the most is told from nothing. */
function sharpness(most: number): number {
  return 300 / most
}

/** A color between those of a ramp, which are `#rrggbb`. @param share 0 to 1 */
export function mix(ramp: readonly string[], share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (ramp.length - 1)
  const low = Math.min(ramp.length - 2, Math.floor(place))
  const parts = [1, 3, 5].map((start) => {
    const [one, other] = [ramp[low]!, ramp[low + 1]!].map((color) =>
      Number.parseInt(color.slice(start, start + 2), 16),
    ) as [number, number]
    return Math.round(one + (other - one) * (place - low))
  })
  return `rgb(${parts.join(',')})`
}
