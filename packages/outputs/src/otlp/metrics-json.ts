import { classicBounds, cumulativeCounts } from '../exposition/classic-buckets.ts'
import type { HistogramSample, Labels, MetricFamily } from '../exposition/family.ts'
import { zeroThreshold } from '../exposition/native-histogram.ts'
import { exponentialOf } from './exponential.ts'

/** OTLP's JSON encoding of ExportMetricsServiceRequest: 64-bit integers are strings, enums are numbers. */
export interface MetricsRequest {
  resourceMetrics: {
    resource: { attributes: KeyValue[] }
    scopeMetrics: { scope: { name: string }; metrics: JsonMetric[] }[]
  }[]
}

export interface KeyValue {
  key: string
  value: { stringValue: string }
}

export interface JsonMetric {
  name: string
  description: string
  unit: string
  sum?: { dataPoints: object[]; aggregationTemporality: number; isMonotonic: boolean }
  gauge?: { dataPoints: object[] }
  exponentialHistogram?: { dataPoints: object[]; aggregationTemporality: number }
  histogram?: { dataPoints: object[]; aggregationTemporality: number }
}

export interface RequestContext {
  resource: readonly KeyValue[]
  /** Milliseconds since the epoch: since when the totals count, ... */
  startedAt: number
  /** ... and up to when. */
  at: number
  histograms: 'exponential' | 'explicit'
  /** Data points of one request. */
  mostPoints: number
}

const cumulative = 2

const units = { seconds: 's', bytes: 'By', '': '' } as const

/** Counters of users may grow by parts of one; what changes its type is refused by receivers. */
const fractional: ReadonlySet<string> = new Set(['loads_counter_total'])

/** The families as one or more requests. */
export function requestsOf(families: readonly MetricFamily[], context: RequestContext): MetricsRequest[] {
  const requests: MetricsRequest[] = []
  let room = 0
  for (const family of families) {
    let from = 0
    while (from < family.samples.length) {
      if (room === 0) {
        requests.push({
          resourceMetrics: [
            {
              resource: { attributes: [...context.resource] },
              scopeMetrics: [{ scope: { name: 'loads' }, metrics: [] }],
            },
          ],
        })
        room = context.mostPoints
      }
      const to = Math.min(family.samples.length, from + room)
      const { metrics } = requests.at(-1)!.resourceMetrics[0]!.scopeMetrics[0]!
      metrics.push(metricOf(family, from, to, context))
      room -= to - from
      from = to
    }
  }
  return requests
}

function metricOf(family: MetricFamily, from: number, to: number, context: RequestContext): JsonMetric {
  const described = { name: family.name, description: family.help, unit: units[family.unit] }
  const end = { timeUnixNano: nanos(context.at) }
  const span = { startTimeUnixNano: nanos(context.startedAt), ...end }
  if (family.type === 'histogram') {
    const samples = family.samples.slice(from, to)
    const times = { aggregationTemporality: cumulative }
    return context.histograms === 'explicit'
      ? {
          ...described,
          histogram: { dataPoints: samples.map((each) => ({ ...span, ...explicit(each) })), ...times },
        }
      : {
          ...described,
          exponentialHistogram: {
            dataPoints: samples.map((each) => ({ ...span, ...exponential(each) })),
            ...times,
          },
        }
  }
  const samples = family.samples.slice(from, to)
  if (family.type === 'gauge')
    return {
      ...described,
      gauge: {
        dataPoints: samples.map(({ labels, value }) => ({
          attributes: attributes(labels),
          ...end,
          asDouble: double(value),
        })),
      },
    }
  const amount = (value: number) =>
    fractional.has(family.name) ? { asDouble: double(value) } : { asInt: String(Math.round(value)) }
  return {
    ...described,
    sum: {
      dataPoints: samples.map(({ labels, value }) => ({
        attributes: attributes(labels),
        ...span,
        ...amount(value),
      })),
      aggregationTemporality: cumulative,
      isMonotonic: true,
    },
  }
}

function exponential({ labels, histogram, sumMicros }: HistogramSample): object {
  const { scale, zeroCount, offset, counts } = exponentialOf(histogram)
  return {
    attributes: attributes(labels),
    count: String(histogram.count),
    sum: sumMicros / 1e6,
    scale,
    zeroCount: String(zeroCount),
    zeroThreshold,
    positive: { offset, bucketCounts: counts.map(String) },
  }
}

function explicit({ labels, histogram, sumMicros }: HistogramSample): object {
  const upTo = [...cumulativeCounts(histogram), histogram.count]
  return {
    attributes: attributes(labels),
    count: String(histogram.count),
    sum: sumMicros / 1e6,
    explicitBounds: [...classicBounds],
    bucketCounts: upTo.map((count, index) => String(count - (upTo[index - 1] ?? 0))),
  }
}

export function attributes(labels: Labels): KeyValue[] {
  return labels.map(([key, value]) => ({ key, value: { stringValue: value } }))
}

/** What JSON has no number for is a word in it. */
function double(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function nanos(millis: number): string {
  return String(BigInt(Math.round(millis)) * 1_000_000n)
}
