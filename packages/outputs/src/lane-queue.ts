import { Delta, type SeriesDelta } from '@loads-runner/metrics'
import type { OutputRecord } from './output.ts'

/** A record on its way, and about how much memory it takes. */
export interface Waiting {
  readonly record: OutputRecord
  readonly bytes: number
}

export interface QueueLimits {
  /** Records that wait at most. */
  records: number
  /** Bytes that wait at most, by estimate. */
  bytes: number
  /** From so many records on, figures that wait are added up. */
  mergeFrom: number
}

export const defaultQueueLimits: QueueLimits = { records: 10_000, bytes: 128 * 2 ** 20, mergeFrom: 100 }

type FiguresRecord = Extract<OutputRecord, { type: 'figures' }>

/**
 * What waits for one output, in order and within bounds. When it is long, figures that wait are added up, which loses
 * nothing. When it is full, the oldest interval of the shortest span goes first, so that the coarser picture stays
 * whole longest; where there is none, the oldest event, and figures last of all. The end and changes of the run's state
 * always stay.
 */
export class LaneQueue {
  readonly #limits: QueueLimits
  #waiting: Waiting[] = []
  #bytes = 0
  /** Records that could not be kept, so far. */
  dropped = 0
  /** The figures that later ones are added to; its delta is ours alone. */
  #sum: Waiting | null = null

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get length(): number {
    return this.#waiting.length
  }

  /** More than a quarter of the room is taken. */
  get isCrowded(): boolean {
    return 4 * this.#waiting.length > this.#limits.records || 4 * this.#bytes > this.#limits.bytes
  }

  push(waiting: Waiting): void {
    const { record } = waiting
    if (record.type !== 'figures' || !this.#add(record)) this.#append(waiting)
    this.#shrink()
  }

  /** Takes out the oldest ones. What could not be written comes back with {@link putBack}. */
  take(most: number): Waiting[] {
    const taken = this.#waiting.splice(0, most)
    for (const { bytes } of taken) this.#bytes -= bytes
    // Whoever writes it must not see it grow.
    if (this.#sum !== null && taken.includes(this.#sum)) this.#sum = null
    return taken
  }

  /** They are the oldest again; what does not fit any more is dropped as ever. */
  putBack(waiting: readonly Waiting[]): void {
    this.#waiting.unshift(...waiting)
    for (const { bytes } of waiting) this.#bytes += bytes
    this.#shrink()
  }

  /** Nobody will take them any more. */
  dropAll(): void {
    this.dropped += this.#waiting.length
    this.#waiting = []
    this.#bytes = 0
    this.#sum = null
  }

  /** Adds figures to others that wait already; false where there is no need or no match. */
  #add(record: FiguresRecord): boolean {
    if (this.#waiting.length < this.#limits.mergeFrom) return false
    const at = this.#waiting.findLastIndex(({ record: { type } }) => type === 'figures')
    const into = this.#waiting[at]
    if (into === undefined || into.record.type !== 'figures' || into.record.warmUp !== record.warmUp)
      return false
    const delta = into === this.#sum ? into.record.delta : copyOf(into.record.delta)
    delta.merge(record.delta)
    const sum: OutputRecord = { ...record, delta }
    const merged = { record: sum, bytes: bytesOf(sum) }
    this.#waiting[at] = merged
    this.#bytes += merged.bytes - into.bytes
    this.#sum = merged
    return true
  }

  #append(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#bytes += waiting.bytes
  }

  #shrink(): void {
    while (this.#waiting.length > this.#limits.records || this.#bytes > this.#limits.bytes) {
      const interval = this.#shortestInterval()
      if (interval < 0 && this.#mergeOldest()) continue
      const at = interval >= 0 ? interval : this.#leastMissed()
      if (at < 0) return
      const [gone] = this.#waiting.splice(at, 1)
      this.#bytes -= gone!.bytes
      if (gone === this.#sum) this.#sum = null
      this.dropped++
    }
  }

  /** Makes one of two figures, the oldest of a sort; false where there are no two of any. */
  #mergeOldest(): boolean {
    for (const warmUp of [true, false]) {
      const isOne = ({ record }: Waiting) => record.type === 'figures' && record.warmUp === warmUp
      const first = this.#waiting.findIndex(isOne)
      const second = this.#waiting.findIndex((each, at) => at > first && isOne(each))
      const older = this.#waiting[first]
      const newer = this.#waiting[second]
      if (older?.record.type !== 'figures' || newer?.record.type !== 'figures') continue
      const delta = copyOf(older.record.delta)
      delta.merge(newer.record.delta)
      const sum: OutputRecord = { ...newer.record, delta }
      const merged = { record: sum, bytes: bytesOf(sum) }
      this.#bytes += merged.bytes - newer.bytes - older.bytes
      this.#waiting[second] = merged
      this.#waiting.splice(first, 1)
      if (this.#sum === newer || this.#sum === older) this.#sum = null
      return true
    }
    return false
  }

  /** The oldest of the shortest span; -1: none. */
  #shortestInterval(): number {
    let found = -1
    let shortest = Infinity
    for (const [at, { record }] of this.#waiting.entries())
      if (record.type === 'interval' && record.interval.spanMs < shortest)
        [found, shortest] = [at, record.interval.spanMs]
    return found
  }

  /** The oldest event; figures only where there is none left. -1: all that waits must stay. */
  #leastMissed(): number {
    const oldest = (isIt: (record: OutputRecord) => boolean) =>
      this.#waiting.findIndex(({ record }) => isIt(record))
    const event = oldest((record) => record.type === 'event' && record.event.type !== 'state')
    if (event >= 0) return event
    const raw = oldest(({ type }) => type === 'raw')
    return raw >= 0 ? raw : oldest(({ type }) => type === 'figures')
  }
}

/** About how much memory a record takes, in bytes: strings and objects of the engine, roughly. */
export function bytesOf(record: OutputRecord): number {
  switch (record.type) {
    case 'interval':
      return 500 + record.interval.agents.length * 150 + bytesOfDelta(record.interval.delta)
    case 'figures':
      return 200 + bytesOfDelta(record.delta)
    case 'event':
    case 'raw':
      return 500 + textBytes(record.event)
    case 'end':
      return 200
  }
}

function bytesOfDelta(delta: Delta): number {
  let bytes = 0
  for (const series of delta.series.values()) bytes += bytesOfSeries(series)
  return bytes
}

/** A series is about 400 bytes, an entry of its buckets 40: what V8 keeps for an object and a Map. */
function bytesOfSeries({ buckets }: SeriesDelta): number {
  return 400 + 40 * (buckets?.size ?? 0)
}

/** Texts of users, and encoded figures, are what makes events large. */
function textBytes(event: object): number {
  let bytes = 0
  for (const value of Object.values(event)) {
    if (typeof value === 'string') bytes += 2 * value.length
    else if (value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}

function copyOf(delta: Delta): Delta {
  const copy = new Delta()
  copy.merge(delta)
  return copy
}
