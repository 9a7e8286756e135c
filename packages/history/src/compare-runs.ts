import { bucketCount, hitKinds, type Verdict } from '@loads-runner/metrics'
import { namedTotalsOf, nameId, type BlockMs, type NamedSeries, type NamedTotals } from './named-series.ts'
import type { SeriesName } from './named-series.ts'
import { compareRanks, holm, type Weighted } from './rank-test.ts'
import type { Recording } from './recording.ts'
import { compareShares } from './share-test.ts'

/** Fewer samples in either run say nothing. */
const leastSamples = 20
/** Fewer blocks in either run are not compared: all samples are, instead. */
const leastBlocks = 6
/** The least |delta| that counts: "small" (Romano et al., Florida Association of Institutional Research, 2006). */
const leastDelta = 0.147
/** The chance of calling any series of a run changed that is not, at most. */
const mostP = 0.01

/** How long something took in one run. Milliseconds; null where nothing was measured. */
export interface TimeSide {
  count: number
  failed: number
  perSecond: number | null
  /** Share of failed ones, 0 to 1; null for what cannot fail (steps, timings, response times). */
  errorRate: number | null
  mean: number | null
  p50: number | null
  p95: number | null
  p99: number | null
  /** The highest quantile with 10 samples beyond it. */
  trustedTo: number
}

export type TimeChange = 'slower' | 'faster' | 'same' | 'too few samples' | 'new' | 'gone'
export type ErrorChange = 'more' | 'fewer' | 'same' | 'too few samples'

/** One name in two runs. */
export interface SeriesComparison extends SeriesName {
  /** Null: this run has no such series. */
  before: TimeSide | null
  after: TimeSide | null
  /** After divided by before; null where either is not known, or was 0. */
  ratio: Record<'perSecond' | 'mean' | 'p50' | 'p95' | 'p99', number | null>
  /** Cliff's delta of all samples, -1 to 1: above 0, those after take longer. Null where either run has none. */
  delta: number | null
  /** The probability that a sample after takes longer than one before, a tie being half of one: (delta + 1) / 2. */
  superiority: number | null
  /** That the times are the same, two-sided, after Holm's correction over the series. Null: not tested. */
  p: number | null
  /** What the test was made of: medians of blocks of this many milliseconds, or single samples. */
  basis: { type: 'blocks'; spanMs: BlockMs; before: number; after: number } | { type: 'samples' } | null
  change: TimeChange
  errors: {
    /** After less before. */
    difference: number | null
    /** That the shares are the same, two-sided, after Holm's correction over the series. */
    p: number | null
    change: ErrorChange
  }
}

/** One of the two runs. */
export interface ComparedRun {
  runId: string
  path: string
  names: readonly string[]
  startedAt: number | null
  loadSeconds: number
  verdict: Verdict | null
  /** What is wrong with its record: the figures are of what comes before. */
  damage: string | null
}

export interface Comparison {
  before: ComparedRun
  after: ComparedRun
  /** All hits together. */
  all: SeriesComparison
  /** Hits from the intended start of their executions; null where a run has no open model. */
  responses: SeriesComparison | null
  /** By name, statuses and tags together: most samples first. */
  series: SeriesComparison[]
}

/**
 * Compares two runs from the histograms that they have stored.
 *
 * Effect size is Cliff's delta of all samples, exact but for ties within a bucket (0.8 % wide). With millions of hits
 * every difference is significant, so this decides: `slower` and `faster` need |delta| >= 0.147 and p < 0.01.
 *
 * Significance is a Mann-Whitney test. Hits of one run depend on each other (a slow second makes many slow hits), so that
 * single hits would prove far too much: where both runs have at least 6 blocks of 10 seconds (of a minute, where one lasts
 * longer than two hours), medians of blocks are compared instead. See {@link compareRanks}. P values are corrected for
 * the number of series by Holm's method; those of all hits together stand alone.
 *
 * @throws {HistoryError} HISTORY_NOT_A_RUN when one has no events
 */
export async function compareRuns(before: Recording, after: Recording): Promise<Comparison> {
  // One after the other: each holds all its histograms.
  const one = await namedTotalsOf(before)
  const other = await namedTotalsOf(after)
  const blockMs = Math.max(one.longestBlockMs, other.longestBlockMs) as BlockMs
  const compare = (first: NamedSeries | undefined, second: NamedSeries | undefined) =>
    compareSeries(first, second, one, other, blockMs)

  const ids = new Set([...one.byName.keys(), ...other.byName.keys()])
  const series = [...ids].map((id) => compare(one.byName.get(id), other.byName.get(id)))
  const responses = one.responses.count > 0 && other.responses.count > 0
  return {
    before: describe(one),
    after: describe(other),
    all: judged([compare(one.all, other.all)])[0]!,
    responses: responses ? judged([compare(one.responses, other.responses)])[0]! : null,
    series: judged(series).sort(
      (first, second) => samplesOf(second) - samplesOf(first) || (nameId(first) < nameId(second) ? -1 : 1),
    ),
  }
}

function describe({ totals }: NamedTotals): ComparedRun {
  const { runId, path, spec, startedAt, loadSeconds, summary, damage } = totals
  const verdict = summary?.verdict ?? null
  return { runId, path, names: spec.names, startedAt, loadSeconds, verdict, damage }
}

/** All but what depends on the other series. */
function compareSeries(
  first: NamedSeries | undefined,
  second: NamedSeries | undefined,
  one: NamedTotals,
  other: NamedTotals,
  blockMs: BlockMs,
): SeriesComparison {
  const before = sideOf(first, one.totals.loadSeconds)
  const after = sideOf(second, other.totals.loadSeconds)
  const ratio = (of: keyof SeriesComparison['ratio']) => ratioOf(before?.[of] ?? null, after?.[of] ?? null)
  const ratios = { mean: ratio('mean'), p50: ratio('p50'), p95: ratio('p95'), p99: ratio('p99') }
  const compared: SeriesComparison = {
    ...(first ?? second)!.key,
    before,
    after,
    ratio: { perSecond: ratio('perSecond'), ...ratios },
    delta: null,
    superiority: null,
    p: null,
    basis: null,
    change: before === null ? 'new' : after === null ? 'gone' : 'too few samples',
    errors: { difference: null, p: null, change: 'too few samples' },
  }
  if (before === null || after === null) return compared
  const whole = compareRanks(samples(first!), samples(second!))
  compared.delta = whole.delta
  compared.superiority = (whole.delta + 1) / 2
  const fails = before.errorRate !== null && after.errorRate !== null
  if (fails) compared.errors.difference = after.errorRate! - before.errorRate!
  if (Math.min(before.count, after.count) < leastSamples) return compared

  const [blocks, others] = [first!.blocks(blockMs), second!.blocks(blockMs)]
  if (Math.min(blocks.length, others.length) >= leastBlocks) {
    compared.basis = { type: 'blocks', spanMs: blockMs, before: blocks.length, after: others.length }
    compared.p = compareRanks(counted(blocks), counted(others)).p
  } else {
    compared.basis = { type: 'samples' }
    compared.p = whole.p
  }
  const shareOf = (side: TimeSide) => ({ part: side.failed, whole: side.count })
  if (fails) compared.errors.p = compareShares(shareOf(before), shareOf(after))
  else compared.errors.change = 'same'
  return compared
}

/** Corrects the p values of some series for each other, and says what has changed. */
function judged(series: SeriesComparison[]): SeriesComparison[] {
  const tested = series.filter(({ p }) => p !== null)
  const times = holm(tested.map(({ p }) => p!))
  for (const [index, each] of tested.entries()) {
    each.p = times[index]!
    const { delta, p } = each
    const isClear = p < mostP && Math.abs(delta!) >= leastDelta
    each.change = isClear ? (delta! > 0 ? 'slower' : 'faster') : 'same'
  }
  const failing = series.map((each) => each.errors).filter(({ p }) => p !== null)
  const shares = holm(failing.map(({ p }) => p!))
  for (const [index, errors] of failing.entries()) {
    errors.p = shares[index]!
    errors.change = errors.p >= mostP ? 'same' : errors.difference! > 0 ? 'more' : 'fewer'
  }
  return series
}

function sideOf(series: NamedSeries | undefined, seconds: number): TimeSide | null {
  if (series === undefined || series.count === 0) return null
  const { count, failed, key } = series
  const { mean, p50, p95, p99, trustedTo } = series.stats
  const perSecond = seconds > 0 ? count / seconds : null
  const errorRate = hitKinds.has(key.kind) ? failed / count : null
  return { count, failed, perSecond, errorRate, mean, p50, p95, p99, trustedTo }
}

function ratioOf(before: number | null, after: number | null): number | null {
  return before === null || after === null || before === 0 ? null : after / before
}

function samples({ times }: NamedSeries): Weighted {
  const found = new Map<number, number>()
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const count = times.histogram.counts[bucket]!
    if (count > 0) found.set(bucket, count)
  }
  return found
}

function counted(values: readonly number[]): Weighted {
  const found = new Map<number, number>()
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1)
  return found
}

function samplesOf({ before, after }: SeriesComparison): number {
  return (before?.count ?? 0) + (after?.count ?? 0)
}
