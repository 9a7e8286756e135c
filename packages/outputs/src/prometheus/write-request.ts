import protobuf from 'protobufjs/light.js'
import type { Labels } from '../exposition/family.ts'
import type { SparseBuckets } from '../exposition/native-histogram.ts'

/** The part of `prometheus.WriteRequest` (remote.proto, types.proto) that remote write 1.0 with native histograms needs. */
const root = protobuf.Root.fromJSON({
  nested: {
    Label: { fields: { name: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
    // On the wire a fixed64 and a double are the same eight bytes; see `staleBits`.
    Sample: { fields: { value: { type: 'fixed64', id: 1 }, timestamp: { type: 'int64', id: 2 } } },
    BucketSpan: { fields: { offset: { type: 'sint32', id: 1 }, length: { type: 'uint32', id: 2 } } },
    Histogram: {
      fields: {
        countInt: { type: 'uint64', id: 1 },
        sum: { type: 'double', id: 3 },
        schema: { type: 'sint32', id: 4 },
        zeroThreshold: { type: 'double', id: 5 },
        zeroCountInt: { type: 'uint64', id: 6 },
        positiveSpans: { rule: 'repeated', type: 'BucketSpan', id: 11 },
        positiveDeltas: { rule: 'repeated', type: 'sint64', id: 12 },
        timestamp: { type: 'int64', id: 15 },
      },
    },
    TimeSeries: {
      fields: {
        labels: { rule: 'repeated', type: 'Label', id: 1 },
        samples: { rule: 'repeated', type: 'Sample', id: 2 },
        histograms: { rule: 'repeated', type: 'Histogram', id: 4 },
      },
    },
    Metadata: {
      fields: {
        type: { type: 'int32', id: 1 },
        metricFamilyName: { type: 'string', id: 2 },
        help: { type: 'string', id: 4 },
        unit: { type: 'string', id: 5 },
      },
    },
    WriteRequest: {
      fields: {
        timeseries: { rule: 'repeated', type: 'TimeSeries', id: 1 },
        metadata: { rule: 'repeated', type: 'Metadata', id: 3 },
      },
    },
  },
})

const requestType = root.lookupType('WriteRequest')

export interface NativeSample extends SparseBuckets {
  count: number
  sum: number
  zeroCount: number
}

/** What a series is at a moment. Stale: from here on it is no more. */
export type TimedSample =
  { at: number; value: number } | { at: number; native: NativeSample } | { at: number; stale: true }

export interface TimeSeries {
  /** In order, `__name__` among them. */
  labels: Labels
  /** In order of time. */
  samples: readonly TimedSample[]
}

export interface Metadata {
  name: string
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  unit: string
}

const typeNumbers = { counter: 1, gauge: 2, histogram: 3 } as const

export interface HistogramForm {
  schema: number
  zeroThreshold: number
}

/** The bytes of a request, not compressed yet. */
export function encodeRequest(
  series: readonly TimeSeries[],
  metadata: readonly Metadata[],
  form: HistogramForm,
): Uint8Array {
  return requestType
    .encode({
      timeseries: series.map(({ labels, samples }) => ({
        labels: labels.map(([name, value]) => ({ name, value })),
        samples: samples.flatMap((sample) => {
          if ('native' in sample) return []
          return [{ value: 'stale' in sample ? staleBits : bitsOf(sample.value), timestamp: sample.at }]
        }),
        histograms: samples.flatMap((sample) => {
          if (!('native' in sample)) return []
          const { count, sum, zeroCount, spans, deltas } = sample.native
          return [
            {
              countInt: count,
              sum,
              ...form,
              zeroCountInt: zeroCount,
              positiveSpans: spans,
              positiveDeltas: deltas,
              timestamp: sample.at,
            },
          ]
        }),
      })),
      metadata: metadata.map(({ name, type, help, unit }) => ({
        type: typeNumbers[type],
        metricFamilyName: name,
        help,
        unit,
      })),
    })
    .finish()
}

/**
 * The one NaN that means "no more". JavaScript need not keep the bits of a NaN, so values travel as bits.
 */
const staleBits = { low: 0x0000_0002, high: 0x7ff0_0000, unsigned: true }

const double = new Float64Array(1)
const words = new DataView(double.buffer)

function bitsOf(value: number): { low: number; high: number; unsigned: boolean } {
  words.setFloat64(0, value, true)
  return { low: words.getInt32(0, true), high: words.getInt32(4, true), unsigned: true }
}
