import protobuf from 'protobufjs/light.js'
import { classicBounds, cumulativeCounts } from '../exposition/classic-buckets.ts'
import type { HistogramSample, Labels, MetricFamily } from '../exposition/family.ts'
import { nativeBuckets, nativeSchema, sparseBuckets, zeroThreshold } from '../exposition/native-histogram.ts'

/** The part of `io.prometheus.client` (metrics.proto) that we write: the only exposition with native histograms. */
const messages = {
  LabelPair: { fields: { name: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
  Value: { fields: { value: { type: 'double', id: 1 } } },
  BucketSpan: { fields: { offset: { type: 'sint32', id: 1 }, length: { type: 'uint32', id: 2 } } },
  Bucket: {
    fields: { cumulativeCount: { type: 'uint64', id: 1 }, upperBound: { type: 'double', id: 2 } },
  },
  Histogram: {
    fields: {
      sampleCount: { type: 'uint64', id: 1 },
      sampleSum: { type: 'double', id: 2 },
      bucket: { rule: 'repeated', type: 'Bucket', id: 3 },
      schema: { type: 'sint32', id: 5 },
      zeroThreshold: { type: 'double', id: 6 },
      zeroCount: { type: 'uint64', id: 7 },
      positiveSpan: { rule: 'repeated', type: 'BucketSpan', id: 12 },
      positiveDelta: { rule: 'repeated', type: 'sint64', id: 13, options: { packed: false } },
    },
  },
  Metric: {
    fields: {
      label: { rule: 'repeated', type: 'LabelPair', id: 1 },
      gauge: { type: 'Value', id: 2 },
      counter: { type: 'Value', id: 3 },
      histogram: { type: 'Histogram', id: 7 },
    },
  },
  MetricFamily: {
    fields: {
      name: { type: 'string', id: 1 },
      help: { type: 'string', id: 2 },
      type: { type: 'int32', id: 3 },
      metric: { rule: 'repeated', type: 'Metric', id: 4 },
    },
  },
}

// By the rules of proto2 a value of 0 is written, not left out.
const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(messages).map(([name, message]) => [name, { edition: 'proto2', ...message }]),
  ),
})

const familyType = root.lookupType('MetricFamily')

const typeNumbers = { counter: 0, gauge: 1, histogram: 4 } as const

/** All families, each with its length before it. Histograms have native and classic buckets. */
export function formatDelimited(families: readonly MetricFamily[]): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const family of families) familyType.encodeDelimited(messageOf(family), writer)
  return writer.finish()
}

function messageOf(family: MetricFamily): Record<string, unknown> {
  const { name, help, type } = family
  const metric =
    family.type === 'histogram'
      ? family.samples.map((sample) => ({ label: pairs(sample.labels), histogram: histogramOf(sample) }))
      : family.samples.map(({ labels, value }) => ({ label: pairs(labels), [family.type]: { value } }))
  return { name, help, type: typeNumbers[type], metric }
}

function pairs(labels: Labels): { name: string; value: string }[] {
  return labels.map(([name, value]) => ({ name, value }))
}

function histogramOf({ histogram, sumMicros }: HistogramSample): Record<string, unknown> {
  const { zeroCount, buckets } = nativeBuckets(histogram)
  const { spans, deltas } = sparseBuckets(buckets)
  const counts = cumulativeCounts(histogram)
  return {
    sampleCount: histogram.count,
    sampleSum: sumMicros / 1e6,
    bucket: classicBounds.map((upperBound, index) => ({ cumulativeCount: counts[index], upperBound })),
    schema: nativeSchema,
    zeroThreshold,
    zeroCount,
    // One without samples is told from one without native buckets by a span, even an empty one.
    positiveSpan: spans.length === 0 ? [{ offset: 0, length: 0 }] : spans,
    positiveDelta: deltas,
  }
}
