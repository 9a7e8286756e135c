import { parseThresholds } from '@loads-runner/metrics'
import type { Dimension } from '@loads-runner/metrics'
import { formatBytes, formatCount, formatMillis, formatRate } from './figures.ts'

/** How thresholds look: on the console while a run goes on, and in its summary. */

export interface ThresholdView {
  expression: string
  value: number | null
  /** Null: too little was recorded to say. */
  ok: boolean | null
}

export function thresholdMark({ ok }: ThresholdView): string {
  if (ok === null) return '…'
  return ok ? '✓' : '✗'
}

/** Its value in the unit that it is measured in: `153ms`, `0.4%`, `12/s`. */
export function thresholdValue({ expression, value }: ThresholdView): string {
  return value === null ? 'no data' : valueText(dimensionOf(expression), value)
}

/** A value in its unit. */
export function valueText(dimension: Dimension, value: number): string {
  switch (dimension) {
    case 'time':
      return formatMillis(value)
    case 'share':
      return `${formatRate(value * 100)}%`
    case 'bytes':
      return formatBytes(value)
    case 'per-second':
      return `${formatRate(value)}/s`
    case 'bytes-per-second':
      return `${formatBytes(value)}/s`
    case 'number':
      return Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(6)))
  }
}

/** The few thresholds of a run are shown five times a second. */
const known = new Map<string, Dimension>()

/** What one cannot read any more is a plain number. */
function dimensionOf(expression: string): Dimension {
  let dimension = known.get(expression)
  if (dimension === undefined) {
    dimension = parsedDimension(expression)
    if (known.size > 1000) known.clear()
    known.set(expression, dimension)
  }
  return dimension
}

function parsedDimension(expression: string): Dimension {
  // Which scenarios there are makes no difference to the unit: all that are named are.
  const names = expression.matchAll(/\b(?:during|stage)\s+([^\s/]+)|\bscenario:\s*"?([^",}]+)/g)
  const scenarios = Array.from(names, ([, scope, filter]) => ({
    name: (scope ?? filter ?? '').trim(),
    stages: 10_000,
  }))
  try {
    const source = { expression, abortOnFail: false, delayAbortMs: 0 }
    const context = { scenarios: scenarios.length > 0 ? scenarios : [{ name: '', stages: 10_000 }] }
    return parseThresholds([source], context)[0]?.dimension ?? 'number'
  } catch {
    return 'number'
  }
}
