/**
 * Counters, gauges, mergeable histograms, windows and summaries: everything between a finished request and the figures
 * of a run. Load threads record into shared memory; their session cuts windows out of it; deltas of any number of
 * threads and agents merge without loss.
 *
 *     const cutter = new WindowCutter()
 *     const recorder = new Recorder({ maxSeries: 1000, define: (definition) => cutter.add(definition) })
 *     recorder.hit('http', 'TestWebSite.test_es', 'GET /', 'GET', '200', false, 1234, 512, 96, null)
 *
 *     const encoder = new DeltaEncoder()                      // in the session, every window
 *     const bytes = encoder.encode(cutter.cut())
 *
 *     const decoder = new DeltaDecoder()                      // in the broker
 *     const catalogue = new Catalogue(1000)
 *     const aggregate = new Aggregate()
 *     aggregate.apply(catalogue.admit(decoder.decode(bytes)))
 *     aggregate.hits().count                                  // 1
 *     aggregate.serviceTime().stats().p95                     // 1.234, in milliseconds
 *
 * @module
 */
export {
  Aggregate,
  type ConnectionTotals,
  type ErrorGroup,
  type ExecutionFigures,
  type ExecutionTotals,
  type HitTotals,
  type SocketTotals,
} from './aggregate.ts'
export { Catalogue } from './catalogue.ts'
export type { Definition, ErrorDetail } from './definition.ts'
export { DeltaDecoder } from './delta-decoder.ts'
export { DeltaEncoder } from './delta-encoder.ts'
export { Delta, emptySeriesDelta, type SeriesDelta } from './delta.ts'
export { Distribution } from './distribution.ts'
export { MetricsError, ThresholdError, type MetricsErrorCode, type ThresholdProblem } from './errors.ts'
export { FloodGate } from './flood-gate.ts'
export {
  bucketCount,
  bucketHigh,
  bucketLow,
  bucketMiddle,
  bucketOf,
  Histogram,
  longestMicros,
} from './histogram.ts'
export { Live, type LiveRates } from './live.ts'
export { editDistance, nearestNames } from './nearest-names.ts'
export { Recorder, type ExecutionOutcome, type RecorderOptions } from './recorder.ts'
export { SeriesTotals } from './series-totals.ts'
export {
  admittedKinds,
  hitKinds,
  hitPhases,
  interruptedStatus,
  isHitKind,
  isTimed,
  overflowName,
  overflowOf,
  seriesId,
  type HitKind,
  type HitPhase,
  type SeriesKey,
  type SeriesKind,
} from './series.ts'
export { statsOf, type Stats } from './stats.ts'
export { scenarioTag, summarize } from './summarize.ts'
export type { RunFacts, Summary, TaintReason, Verdict } from './summary.ts'
export { describeFailure, describeValue } from './thresholds/describe.ts'
export { metrics as thresholdMetrics, type Metric } from './thresholds/metric.ts'
export { parseThresholds, type ThresholdSource } from './thresholds/parser.ts'
export {
  selects as thresholdSelects,
  type Aggregation,
  type Dimension,
  type Operator,
  type Threshold,
  type ThresholdContext,
} from './thresholds/threshold.ts'
export { ThresholdWatch, type ThresholdStanding, type ThresholdWatchOptions } from './thresholds/watch.ts'
export { WindowCutter } from './window-cutter.ts'
