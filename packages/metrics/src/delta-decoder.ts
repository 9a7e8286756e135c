import { ByteReader } from './byte-reader.ts'
import type { ErrorDetail } from './definition.ts'
import { fields, formatVersion, kindsInOrder } from './delta-format.ts'
import { Delta, emptySeriesDelta, type SeriesDelta } from './delta.ts'
import { bucketCount } from './histogram.ts'
import { seriesId, type SeriesKey } from './series.ts'

/**
 * Decodes one stream of deltas, in order. Bytes may come from anywhere: work and memory are bounded by their length,
 * and a message that is refused leaves the decoder as it was.
 */
export class DeltaDecoder {
  readonly #known: Known[] = []

  /** @throws {MetricsError} `METRICS_BAD_DELTA` when the bytes are not a delta of this stream. */
  decode(bytes: Uint8Array): Delta {
    const reader = new ByteReader(bytes)
    const length = this.#known.length
    const replaced: [number, Known][] = []
    try {
      if (reader.byte() !== formatVersion) reader.fail('the version is unknown')
      this.#readDefinitions(reader, replaced)
      const delta = readEntries(reader, this.#known)
      if (!reader.isAtEnd) reader.fail('something follows its end')
      return delta
    } catch (error) {
      this.#known.length = length
      for (const [number, definition] of replaced.reverse()) this.#known[number] = definition
      throw error
    }
  }

  #readDefinitions(reader: ByteReader, replaced: [number, Known][]): void {
    const length = this.#known.length
    const count = reader.size()
    for (let index = 0; index < count; index++) {
      const number = reader.varint()
      if (number > this.#known.length) reader.fail('a definition is missing')
      const definition = readDefinition(reader)
      const before = this.#known[number]
      if (before !== undefined && before.id !== definition.id) reader.fail('a series is defined twice')
      if (before !== undefined && number < length) replaced.push([number, before])
      this.#known[number] = definition
    }
  }
}

interface Known {
  readonly id: string
  readonly key: SeriesKey
  readonly detail: ErrorDetail | null
}

function readDefinition(reader: ByteReader): Known {
  const kind = kindsInOrder[reader.byte()] ?? reader.fail('a kind of series is unknown')
  const test = reader.text()
  const name = reader.text()
  const method = reader.text()
  const status = reader.text()
  const tagCount = reader.size()
  const tags: [string, string][] = []
  for (let index = 0; index < tagCount; index++) tags.push([reader.text(), reader.text()])
  // Not by assignment: a tag may be called `__proto__`.
  const key: SeriesKey = { kind, test, name, method, status, tags: Object.fromEntries(tags) }
  if (Object.keys(key.tags).length !== tagCount) reader.fail('a tag is given twice')
  return { id: seriesId(key), key, detail: readDetail(reader) }
}

function readDetail(reader: ByteReader): ErrorDetail | null {
  const mark = reader.byte()
  if (mark === 0) return null
  if (mark !== 1) reader.fail('a mark is unknown')
  const detail = {
    type: reader.text(),
    message: reader.text(),
    sample: reader.text(),
    firstSeen: reader.number(),
  }
  return Number.isFinite(detail.firstSeen) ? detail : reader.fail('a time is not finite')
}

function readEntries(reader: ByteReader, known: readonly Known[]): Delta {
  const delta = new Delta()
  const count = reader.size()
  let number = -1
  for (let index = 0; index < count; index++) {
    number += reader.varint() + 1
    const definition = known[number] ?? reader.fail('a series is not defined')
    delta.series.set(definition.id, readFigures(reader, definition))
  }
  return delta
}

function readFigures(reader: ByteReader, { key, detail }: Known): SeriesDelta {
  const figures = emptySeriesDelta(key, detail)
  const present = reader.byte()
  const finite = () => {
    const value = reader.number()
    return Number.isFinite(value) ? value : reader.fail('a figure is not finite')
  }
  const hasCount = (present & fields.count) !== 0
  if (hasCount) figures.count = reader.count()
  if (present & fields.failed) figures.failed = reader.count()
  if (present & fields.sum) figures.sum = finite()
  if (present & fields.range) {
    figures.min = reader.number()
    figures.max = finite()
    if (figures.min < 0 || figures.max < 0) reader.fail('a duration is negative')
  }
  if (present & fields.bytes) {
    figures.bytesIn = finite()
    figures.bytesOut = finite()
  }
  if (present & fields.value) figures.value = finite()
  if (present & fields.lastAt) figures.lastAt = finite()
  if (present & fields.buckets) {
    figures.buckets = readBuckets(reader)
    if (!hasCount) for (const samples of figures.buckets.values()) figures.count += samples
  }
  return figures
}

function readBuckets(reader: ByteReader): Map<number, number> {
  const buckets = new Map<number, number>()
  const pairs = reader.size()
  let bucket = -1
  for (let index = 0; index < pairs; index++) {
    bucket += reader.varint() + 1
    if (bucket >= bucketCount) reader.fail('a bucket is out of range')
    const samples = reader.count()
    if (samples === 0) reader.fail('a bucket is empty')
    buckets.set(bucket, samples)
  }
  return buckets
}
