import { earlierDetail, type Definition, type ErrorDetail } from './definition.ts'
import { Delta, emptySeriesDelta, isLaterGauge, type SeriesDelta } from './delta.ts'
import { bucketCount } from './histogram.ts'
import { bucketsOf, doubleCount, doubles, doublesOf, words, wordsOf } from './series-block.ts'
import { isTimed, seriesId, type SeriesKey } from './series.ts'

/**
 * Cuts windows out of the ever-growing memory of load threads: a window is the difference of two readings, so a
 * blocked or dead thread delays and loses nothing that it recorded. One series may be defined by any number of
 * threads, also by one that replaces another; their figures are added.
 *
 * A reading is not atomic: the sum or the failures of a hit may fall into another window than its bucket. Nothing is
 * lost or doubled by that, and once the threads rest the sum of all windows is exactly what they recorded.
 */
export class WindowCutter {
  readonly #groups = new Map<string, Group>()

  add(definition: Definition): void {
    const id = seriesId(definition.key)
    let group = this.#groups.get(id)
    if (group === undefined) {
      group = { key: definition.key, detail: null, min: Infinity, max: 0, value: 0, lastAt: 0, sources: [] }
      this.#groups.set(id, group)
    }
    group.detail = earlierDetail(group.detail, definition.detail)
    group.sources.push(new Source(definition.block))
  }

  /** What was recorded since the last cut, all threads together: only series that changed. */
  cut(): Delta {
    const window = new Delta()
    for (const [id, group] of this.#groups) {
      let delta: SeriesDelta | null = null
      let changed = false
      for (const source of group.sources) {
        if (source.isAtRest()) continue
        delta ??= openDelta(group)
        if (source.readInto(delta, group)) changed = true
      }
      if (delta === null || !changed) continue
      delta.min = group.min
      delta.max = group.max
      delta.lastAt = group.lastAt
      if (group.key.kind === 'gauge') delta.value = group.value
      window.series.set(id, delta)
    }
    return window
  }
}

/** One series of all threads, with the figures that are of the whole series rather than of a window. */
interface Group {
  readonly key: SeriesKey
  detail: ErrorDetail | null
  min: number
  max: number
  /** Of gauges: the latest value of all threads. */
  value: number
  lastAt: number
  readonly sources: Source[]
}

function openDelta(group: Group): SeriesDelta {
  const delta = emptySeriesDelta(group.key, group.detail)
  if (isTimed(group.key.kind)) delta.buckets = new Map()
  return delta
}

/** Reading is synchronous: all sources share the array that it goes through. */
const reading = new Uint32Array(bucketCount)

/** The memory of one series in one thread, and how it was read last. */
class Source {
  readonly #cells: Float64Array
  readonly #header: Int32Array
  readonly #buckets: Uint32Array
  readonly #seenCells = new Float64Array(doubleCount)
  readonly #seenBuckets: Uint32Array
  #seenChanges = 0
  #seenCount = 0
  #seenFailed = 0
  /** The last reading was not the first one that met this number of changes. */
  #settled = true

  constructor(block: SharedArrayBuffer) {
    this.#cells = doublesOf(block)
    this.#header = wordsOf(block)
    this.#buckets = bucketsOf(block)
    this.#seenBuckets = new Uint32Array(this.#buckets.length)
  }

  /**
   * True when nothing can be new. A block is read once more in the window after its last change: on ARM the count of
   * changes may become visible before the change itself does, but never by as much as a window.
   */
  isAtRest(): boolean {
    const changes = Atomics.load(this.#header, words.changes)
    const same = changes === this.#seenChanges
    if (same && this.#settled) return true
    this.#settled = same
    this.#seenChanges = changes
    return false
  }

  /** Adds what is new to a delta and to the figures of the whole series. Returns false when nothing was new. */
  readInto(delta: SeriesDelta, group: Group): boolean {
    let changed = false
    const header = this.#header
    // The reverse of the writer's order: failed, buckets, sums.
    const failed = header[words.failed]!
    if (failed !== this.#seenFailed) {
      delta.failed += (failed - this.#seenFailed) >>> 0
      this.#seenFailed = failed
      changed = true
    }
    const count = header[words.count]!
    if (count !== this.#seenCount) {
      delta.count += (count - this.#seenCount) >>> 0
      this.#seenCount = count
      changed = true
    }
    if (delta.buckets !== null && this.#readBuckets(delta, delta.buckets)) changed = true
    return this.#readCells(delta, group) || changed
  }

  #readBuckets(delta: SeriesDelta, into: Map<number, number>): boolean {
    const now = reading
    const seen = this.#seenBuckets
    // One copy first: what is compared below is what is remembered.
    now.set(this.#buckets)
    let samples = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      if (now[bucket] === seen[bucket]) continue
      // Words wrap at 2^32; the difference does not mind.
      const added = (now[bucket]! - seen[bucket]!) >>> 0
      samples += added
      into.set(bucket, (into.get(bucket) ?? 0) + added)
      seen[bucket] = now[bucket]!
    }
    delta.count += samples
    return samples > 0
  }

  #readCells(delta: SeriesDelta, group: Group): boolean {
    const cells = this.#cells
    const seen = this.#seenCells
    const lastAt = cells[doubles.lastAt]!
    const value = cells[doubles.value]!
    const sum = cells[doubles.sum]!
    const bytesIn = cells[doubles.bytesIn]!
    const bytesOut = cells[doubles.bytesOut]!
    const changed =
      lastAt !== seen[doubles.lastAt] ||
      value !== seen[doubles.value] ||
      sum !== seen[doubles.sum] ||
      bytesIn !== seen[doubles.bytesIn] ||
      bytesOut !== seen[doubles.bytesOut]
    delta.value += value - seen[doubles.value]!
    delta.sum += sum - seen[doubles.sum]!
    delta.bytesIn += bytesIn - seen[doubles.bytesIn]!
    delta.bytesOut += bytesOut - seen[doubles.bytesOut]!
    seen[doubles.lastAt] = lastAt
    seen[doubles.value] = value
    seen[doubles.sum] = sum
    seen[doubles.bytesIn] = bytesIn
    seen[doubles.bytesOut] = bytesOut
    group.min = Math.min(group.min, cells[doubles.min]!)
    group.max = Math.max(group.max, cells[doubles.max]!)
    if (isLaterGauge(value, lastAt, group.value, group.lastAt)) group.value = value
    group.lastAt = Math.max(group.lastAt, lastAt)
    return changed
  }
}
