import { Distribution, isHitKind } from '@loads-runner/metrics'
import type { Aggregate, Delta, SeriesKey, SeriesKind, Stats } from '@loads-runner/metrics'
import type { Interval } from '@loads-runner/history'
import type { SeriesChange, SeriesRow } from './model.ts'
import { round } from './moment.ts'
import { SparkLines } from './spark-lines.ts'

const ownKinds: ReadonlySet<SeriesKind> = new Set<SeriesKind>(['check', 'step', 'counter', 'gauge', 'timing'])

function isShown(kind: SeriesKind): boolean {
  return isHitKind(kind) || ownKinds.has(kind)
}

/** The lines of the table of a run, and which of them have changed. */
export class SeriesTable {
  /** Series by their ids, in order of their appearance: the numbers are what pages know them by. */
  readonly #numbers = new Map<string, string>()
  /** Ids of series of hits by their name, and by each id the others of its name, itself included. */
  readonly #names = new Map<string, string[]>()
  readonly #ofName = new Map<string, string[]>()
  readonly #sent = new Set<string>()
  readonly #dirty = new Set<string>()
  readonly #sparks = new SparkLines()
  #sentSparks = 0
  /** Seconds of load that count; known at the end. */
  #loadSeconds: number | null = null

  get size(): number {
    return this.#numbers.size
  }

  /** Something was recorded. */
  touch(delta: Delta): void {
    for (const [id, series] of delta.series) if (isShown(series.key.kind)) this.#dirty.add(id)
  }

  addInterval(interval: Interval): void {
    // Of those that fall silent the rate changes, too.
    if (interval.spanMs === 1_000)
      for (const id of this.#numbers.keys()) if (this.#sparks.isActive(id)) this.#dirty.add(id)
    this.#sparks.add(interval)
  }

  /** All of them may have changed. */
  touchAll(aggregate: Aggregate): void {
    for (const [id, { key }] of aggregate.series) if (isShown(key.kind)) this.#dirty.add(id)
  }

  /** From now on rates are those of the whole run. */
  end(loadSeconds: number, aggregate: Aggregate): void {
    this.#loadSeconds = loadSeconds
    this.touchAll(aggregate)
  }

  rows(aggregate: Aggregate): SeriesRow[] {
    this.#number(aggregate)
    return [...this.#numbers.keys()].flatMap((id) => this.#row(id, aggregate, true) ?? [])
  }

  /** What has changed since the call before; new lines whole. */
  changes(aggregate: Aggregate): SeriesChange[] {
    this.#number(aggregate)
    // What all lines of a name have together stands in its first.
    for (const id of this.#dirty) {
      const [first] = this.#ofName.get(id) ?? []
      if (first !== undefined) this.#dirty.add(first)
    }
    const allSparks = this.#sentSparks !== this.#sparks.version
    this.#sentSparks = this.#sparks.version
    const changes: SeriesChange[] = []
    for (const id of this.#numbers.keys()) {
      const isNew = !this.#sent.has(id)
      const isDirty = this.#dirty.has(id)
      if (!isNew && !isDirty && !allSparks) continue
      if (isNew || isDirty) {
        const row = this.#row(id, aggregate, allSparks || isNew)
        if (row === null) continue
        this.#sent.add(id)
        changes.push(isNew ? row : changeOf(row, allSparks))
      } else changes.push({ id: this.#numbers.get(id)!, spark: this.#sparks.of(id) })
    }
    this.#dirty.clear()
    return changes
  }

  /** Gives every series a number, in the order of the totals. */
  #number(aggregate: Aggregate): void {
    for (const id of this.#dirty) {
      if (this.#numbers.has(id) || !aggregate.series.has(id)) continue
      this.#numbers.set(id, String(this.#numbers.size))
      const { key } = aggregate.series.get(id)!
      if (!isHitKind(key.kind)) continue
      const name = nameOf(key)
      const ids = this.#names.get(name) ?? []
      ids.push(id)
      this.#names.set(name, ids)
      this.#ofName.set(id, ids)
    }
  }

  /** Null for lines that have no others of their name, and for all but the first of those that have. */
  #merged(id: string, aggregate: Aggregate): Stats | null {
    const ids = this.#ofName.get(id) ?? []
    if (ids.length < 2 || ids[0] !== id) return null
    const all = new Distribution()
    for (const each of ids) {
      const totals = aggregate.series.get(each)
      if (totals !== undefined) all.merge(totals)
    }
    return all.stats()
  }

  #row(id: string, aggregate: Aggregate, withSpark: boolean): SeriesRow | null {
    const totals = aggregate.series.get(id)
    if (totals === undefined) return null
    const { key, count, failed, value } = totals
    const hasValue = key.kind === 'counter' || key.kind === 'gauge'
    const rate =
      this.#loadSeconds === null
        ? this.#sparks.perSecond(id)
        : round(this.#loadSeconds > 0 ? count / this.#loadSeconds : 0)
    const merged = this.#merged(id, aggregate)
    return {
      id: this.#numbers.get(id)!,
      kind: key.kind,
      test: key.test,
      name: key.name,
      method: key.method,
      status: key.status,
      tags: { ...key.tags },
      count,
      failed,
      value: hasValue ? value : null,
      perSecond: rate,
      time: totals.histogram === null ? null : totals.stats(),
      ...(merged === null ? {} : { merged }),
      spark: withSpark ? this.#sparks.of(id) : { spanMs: 0, count: [], p95: [] },
    }
  }
}

/** As pages put lines together. */
function nameOf({ kind, test, name, method }: SeriesKey): string {
  return JSON.stringify([kind, test, name, method])
}

function changeOf(
  { id, count, failed, value, perSecond, time, merged, spark }: SeriesRow,
  withSpark: boolean,
): SeriesChange {
  const change: SeriesChange = { id, count, failed, value, perSecond, time }
  if (merged !== undefined) change.merged = merged
  if (withSpark) change.spark = spark
  return change
}
