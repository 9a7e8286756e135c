import type { Stats } from '@loads-runner/metrics'
import { formatMillis, unknown } from './figures.ts'

/** Quantiles, and how far they can be trusted. Nothing here makes one quantile of several: that cannot be done. */

export type QuantileName = 'p50' | 'p95' | 'p99'

const levels: Readonly<Record<QuantileName, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 }

export function isTrusted(stats: Stats, name: QuantileName): boolean {
  return levels[name] <= stats.trustedTo
}

/** `~` before it: fewer than 10 samples lie beyond it. */
export function quantileText(stats: Stats | null, name: QuantileName): string {
  if (stats === null) return unknown
  const value = stats[name]
  if (value === null) return unknown
  return `${isTrusted(stats, name) ? '' : '~'}${formatMillis(value)}`
}

/** How far the quantiles of a distribution go, in words. */
export function trustText({ count, trustedTo }: Stats): string {
  if (count === 0) return 'no samples'
  if (trustedTo <= 0) return 'too few samples to trust any'
  return `trusted to p${Number((trustedTo * 100).toFixed(4))}`
}
