import { ByteWriter } from './byte-writer.ts'
import { sameDetail, type ErrorDetail } from './definition.ts'
import { fields, formatVersion, kindsInOrder } from './delta-format.ts'
import type { Delta, SeriesDelta } from './delta.ts'
import type { SeriesKey } from './series.ts'

/**
 * Encodes the deltas of one stream for one DeltaDecoder that decodes them in order. A late reader starts with the
 * result of `encodeFull` and goes on with what `encode` returns after it.
 */
export class DeltaEncoder {
  readonly #known = new Map<string, Known>()
  readonly #writer = new ByteWriter()

  encode(delta: Delta): Uint8Array {
    const entries = this.#entriesOf(delta)
    const news = entries.filter(({ known, delta: { detail } }) => {
      if (known.sent && sameDetail(known.detail, detail)) return false
      known.detail = detail
      return true
    })
    return this.#write(
      news.map(({ known }) => known),
      entries,
    )
  }

  /** The same with the definitions of the whole stream again, under the same numbers. */
  encodeFull(delta: Delta): Uint8Array {
    const entries = this.#entriesOf(delta)
    for (const { known, delta: series } of entries) known.detail = series.detail
    return this.#write([...this.#known.values()], entries)
  }

  /** Numbers what has no number yet; entries come out in the order of their numbers. */
  #entriesOf(delta: Delta): Entry[] {
    const entries: Entry[] = []
    for (const [id, series] of delta.series) {
      let known = this.#known.get(id)
      if (known === undefined) {
        known = { number: this.#known.size, key: series.key, detail: series.detail, sent: false }
        this.#known.set(id, known)
      }
      entries.push({ known, delta: series })
    }
    return entries.sort((one, other) => one.known.number - other.known.number)
  }

  #write(definitions: Known[], entries: Entry[]): Uint8Array {
    const writer = this.#writer
    writer.byte(formatVersion)
    writer.varint(definitions.length)
    for (const known of definitions) {
      writeDefinition(writer, known)
      known.sent = true
    }
    writer.varint(entries.length)
    let before = -1
    for (const { known, delta } of entries) {
      writer.varint(known.number - before - 1)
      before = known.number
      writeFigures(writer, delta)
    }
    return writer.take()
  }
}

interface Known {
  readonly number: number
  readonly key: SeriesKey
  detail: ErrorDetail | null
  sent: boolean
}

interface Entry {
  readonly known: Known
  readonly delta: SeriesDelta
}

function writeDefinition(writer: ByteWriter, { number, key, detail }: Known): void {
  writer.varint(number)
  writer.byte(kindsInOrder.indexOf(key.kind))
  writer.text(key.test)
  writer.text(key.name)
  writer.text(key.method)
  writer.text(key.status)
  const tags = Object.entries(key.tags)
  writer.varint(tags.length)
  for (const [tag, value] of tags) {
    writer.text(tag)
    writer.text(value)
  }
  writer.byte(detail === null ? 0 : 1)
  if (detail === null) return
  writer.text(detail.type)
  writer.text(detail.message)
  writer.text(detail.sample)
  writer.number(detail.firstSeen)
}

function writeFigures(writer: ByteWriter, delta: SeriesDelta): void {
  const buckets = delta.buckets === null ? null : ascending(delta.buckets)
  let samplesOfAll = 0
  for (const samples of buckets?.values() ?? []) samplesOfAll += samples
  const present =
    (delta.count === samplesOfAll ? 0 : fields.count) |
    (delta.failed === 0 ? 0 : fields.failed) |
    (delta.sum === 0 ? 0 : fields.sum) |
    (delta.min === Infinity && delta.max === 0 ? 0 : fields.range) |
    (delta.bytesIn === 0 && delta.bytesOut === 0 ? 0 : fields.bytes) |
    (delta.value === 0 ? 0 : fields.value) |
    (delta.lastAt === 0 ? 0 : fields.lastAt) |
    (buckets === null ? 0 : fields.buckets)
  writer.byte(present)
  if (present & fields.count) writer.number(delta.count)
  if (present & fields.failed) writer.number(delta.failed)
  if (present & fields.sum) writer.number(delta.sum)
  if (present & fields.range) {
    writer.number(delta.min)
    writer.number(delta.max)
  }
  if (present & fields.bytes) {
    writer.number(delta.bytesIn)
    writer.number(delta.bytesOut)
  }
  if (present & fields.value) writer.number(delta.value)
  if (present & fields.lastAt) writer.number(delta.lastAt)
  if (buckets !== null) writeBuckets(writer, buckets)
}

function writeBuckets(writer: ByteWriter, buckets: ReadonlyMap<number, number>): void {
  writer.varint(buckets.size)
  let before = -1
  for (const [bucket, samples] of buckets) {
    writer.varint(bucket - before - 1)
    writer.number(samples)
    before = bucket
  }
}

/** Buckets in order and without empty ones: as a window of one thread has them, and otherwise a sorted copy. */
function ascending(buckets: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  let before = -1
  let clean = true
  for (const [bucket, samples] of buckets) {
    if (bucket <= before || samples === 0) clean = false
    before = bucket
  }
  if (clean) return buckets
  const pairs = [...buckets].filter(([, samples]) => samples !== 0)
  return new Map(pairs.sort(([one], [other]) => one - other))
}
