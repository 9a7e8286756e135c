import { createRequire } from 'node:module'

interface ParsedFamily {
  name: string
  type: string
  metrics: { value?: string; labels?: Record<string, string> }[]
}

// A CommonJS module without types.
const parseText = createRequire(import.meta.url)('parse-prometheus-text-format') as (
  text: string,
) => ParsedFamily[]

export interface PageSample {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
  /** Counts of histograms and summaries are counters. */
  type: 'counter' | 'gauge'
}

/**
 * Reads a page of metrics in the text format. Buckets, quantiles and sums are left out: no figure of a chart can be made
 * of one of them alone.
 *
 * @throws {Error} with the line that cannot be read
 */
export function* samplesOf(text: string): Generator<PageSample> {
  const types = new Map<string, string>()
  // The parser drops the labels of histograms; without their type it takes each line as a sample of its own.
  const lines = text.split('\n').map((line) => {
    const type = /^#\s+TYPE\s+(\S+)\s+(\S+)\s*$/.exec(line)
    if (type === null) return /^#\s+HELP\s/.test(line) ? '' : line
    types.set(type[1]!, type[2]!.toLowerCase())
    return ''
  })
  for (const { name, metrics } of parseText(`${lines.join('\n')}\n`)) {
    const type = kindOf(name, types)
    if (type === null) continue
    for (const { value, labels } of metrics)
      if (value !== undefined) yield { name, labels: labels ?? {}, value: numberOf(value), type }
  }
}

function kindOf(name: string, types: ReadonlyMap<string, string>): PageSample['type'] | null {
  const [, stem = name, suffix = ''] = /^(.*?)(_bucket|_count|_sum|_created|_total)?$/s.exec(name) ?? []
  const own = types.get(name)
  const family = own ?? types.get(stem)
  if (family === 'histogram' || family === 'summary')
    return suffix === '_count' && own === undefined ? 'counter' : null
  if (suffix === '_created' && own === undefined) return null
  if (family === 'counter') return 'counter'
  return own === undefined && suffix === '_total' ? 'counter' : 'gauge'
}

function numberOf(text: string): number {
  if (/^[+-]?Inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  return Number(text)
}
