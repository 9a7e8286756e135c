import { classicBounds, cumulativeCounts } from '../exposition/classic-buckets.ts'
import type { Labels, MetricFamily } from '../exposition/family.ts'

/** Prometheus' text format 0.0.4, or OpenMetrics 1.0. */
export type TextFormat = 'text' | 'openmetrics'

/** All families as one page. Histograms have their classic buckets only: text has no native ones. */
export function formatText(families: readonly MetricFamily[], format: TextFormat): string {
  const lines: string[] = []
  const isOpen = format === 'openmetrics'
  const number = isOpen ? openNumber : plainNumber
  for (const family of families) {
    const { type, unit } = family
    // OpenMetrics names a counter without the suffix of its sample.
    const name = isOpen && type === 'counter' ? family.name.replace(/_total$/, '') : family.name
    lines.push(`# HELP ${name} ${escaped(family.help, isOpen)}`, `# TYPE ${name} ${type}`)
    if (isOpen && unit !== '' && name.endsWith(`_${unit}`)) lines.push(`# UNIT ${name} ${unit}`)
    if (family.type !== 'histogram') {
      for (const { labels, value } of family.samples)
        lines.push(`${family.name}${labelText(labels)} ${number(value)}`)
      continue
    }
    for (const { labels, histogram, sumMicros } of family.samples) {
      const counts = cumulativeCounts(histogram)
      for (const [index, bound] of classicBounds.entries())
        lines.push(`${name}_bucket${labelText([...labels, ['le', number(bound)]])} ${counts[index]}`)
      lines.push(`${name}_bucket${labelText([...labels, ['le', '+Inf']])} ${histogram.count}`)
      lines.push(`${name}_sum${labelText(labels)} ${number(sumMicros / 1e6)}`)
      lines.push(`${name}_count${labelText(labels)} ${histogram.count}`)
    }
  }
  if (isOpen) lines.push('# EOF')
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function labelText(labels: Labels): string {
  if (labels.length === 0) return ''
  return `{${labels.map(([name, value]) => `${name}="${escaped(value, true)}"`).join(',')}}`
}

/** @param quotes a help text of the plain format has none to escape */
function escaped(text: string, quotes: boolean): string {
  const plain = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return quotes ? plain.replaceAll('"', '\\"') : plain
}

/** As servers write a number in a label: `0.005`, `1`. */
export function plainNumber(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}

/** In OpenMetrics one is `1.0`, in labels too. */
function openNumber(value: number): string {
  const text = plainNumber(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}
