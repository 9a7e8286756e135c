import type { Stats } from '@loads-runner/metrics'
import { formatMillis } from './figures.ts'
import type { Column } from './text-table.ts'

export type QuantileName = 'p50' | 'p90' | 'p95' | 'p99' | 'p999' | 'p9999'
export const quantiles: [QuantileName, number, string][] = [
  ['p50', 0.5, 'p50'],
  ['p90', 0.9, 'p90'],
  ['p95', 0.95, 'p95'],
  ['p99', 0.99, 'p99'],
  ['p999', 0.999, 'p99.9'],
  ['p9999', 0.9999, 'p99.99'],
]

/** A quantile; `~` before it when too few samples lie beyond it to trust it. */
export function quantileText(stats: Stats, name: QuantileName): string {
  const level = quantiles.find(([each]) => each === name)![1]
  const value = stats[name]
  if (value === null) return '-'
  return `${level > (stats.trustedTo ?? 0) ? '~' : ''}${formatMillis(value)}`
}

/** Columns of quantiles of something that a row may not have. */
export function quantileColumns<T>(
  names: readonly QuantileName[],
  statsOf: (row: T) => Stats | null,
  prefix = '',
): Column<T>[] {
  return names.map((name) => ({
    title: prefix + quantiles.find(([each]) => each === name)![2],
    align: 'right' as const,
    of: (row: T) => {
      const stats = statsOf(row)
      return stats === null ? '-' : quantileText(stats, name)
    },
  }))
}
