import {
  Delta,
  emptySeriesDelta,
  type Aggregate,
  type SeriesDelta,
  type SeriesTotals,
} from '@loads-runner/metrics'

/**
 * What came to the totals of a run while nobody looked: `after` less `before`. Where `before` is empty that is all of
 * it. So figures always add up to the totals, whenever a host begins to listen and whatever its stream has skipped.
 */
export function caughtUp(before: Aggregate, after: Aggregate): Delta {
  const delta = new Delta()
  for (const [id, totals] of after.series) {
    const known = before.series.get(id)
    const change = known === undefined ? totals.toDelta() : less(totals, known)
    if (hasChanged(change)) delta.series.set(id, change)
  }
  return delta
}

function less(totals: SeriesTotals, known: SeriesTotals): SeriesDelta {
  const { key, detail, min, max, lastAt } = totals
  const change = { ...emptySeriesDelta(key, detail), min, max, lastAt }
  change.count = totals.count - known.count
  change.failed = totals.failed - known.failed
  change.sum = totals.sum - known.sum
  change.bytesIn = totals.bytesIn - known.bytesIn
  change.bytesOut = totals.bytesOut - known.bytesOut
  change.value = key.kind === 'gauge' ? totals.value : totals.value - known.value
  if (totals.histogram === null || known.histogram === null) return change
  change.buckets = new Map()
  const was = known.histogram.counts
  for (const [bucket, count] of totals.histogram.counts.entries())
    if (count !== was[bucket]) change.buckets.set(bucket, count - was[bucket]!)
  return change
}

function hasChanged({ count, value, failed, key }: SeriesDelta): boolean {
  return key.kind === 'gauge' || count !== 0 || failed !== 0 || value !== 0
}
