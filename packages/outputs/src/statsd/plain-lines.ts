import type { Delta, SeriesKey } from '@loads-runner/metrics'
import { Times } from '../influx/times.ts'
import { failedOf, groupBy, isHit, latestOf, sumOf, totalsOf } from './figures.ts'
import type { LineStyle } from './line-style.ts'
import { LineWriter } from './line-writer.ts'
import type { NameBook } from './name-book.ts'

/** `loads.name.TEST.METHOD_NAME.hits:12|c`: names that every statsd takes. */
export class PlainLines implements LineStyle {
  readonly #lines: LineWriter
  readonly #book: NameBook
  readonly #times = new Times()

  constructor(prefix: string, book: NameBook) {
    this.#book = book
    this.#lines = new LineWriter(prefix, null)
  }

  counters(delta: Delta): string[] {
    this.#totals('', delta)
    for (const group of groupBy([delta], isHit, nameId)) {
      const name = this.#nameOf(group[0]!.key)
      this.#lines.count(
        `${name}.hits`,
        sumOf(group, ({ count }) => count),
      )
      this.#lines.count(`${name}.failed`, sumOf(group, failedOf))
    }
    for (const group of groupBy([delta], ({ kind }) => kind === 'counter', customId))
      this.#lines.count(
        `counter.${this.#custom(group[0]!.key)}`,
        sumOf(group, ({ value }) => value),
      )
    for (const group of groupBy([delta], ({ kind }) => kind === 'check', checkId)) {
      const { key } = group[0]!
      this.#lines.count(
        `check.${this.#custom(key)}.${key.status}`,
        sumOf(group, ({ count }) => count),
      )
    }
    return this.#lines.take()
  }

  warmUpCounters(delta: Delta): string[] {
    this.#totals('warm_up.', delta)
    return this.#lines.take()
  }

  gauges(recent: readonly Delta[], activeUsers: number): string[] {
    this.#lines.gauge('users', activeUsers)
    const hits = groupBy(recent, isHit, nameId)
    const all = this.#times.stats(hits.flat())
    this.#lines.quantiles('', all)
    if (all.max !== null) this.#lines.gauge('max', all.max)
    for (const group of hits)
      this.#lines.quantiles(`${this.#nameOf(group[0]!.key)}.`, this.#times.stats(group))
    for (const group of groupBy(recent, ({ kind }) => kind === 'timing', customId))
      this.#lines.quantiles(`timing.${this.#custom(group[0]!.key)}.`, this.#times.stats(group))
    for (const group of groupBy(recent, ({ kind }) => kind === 'gauge', customId))
      this.#lines.gauge(`gauge.${this.#custom(group[0]!.key)}`, latestOf(group))
    return this.#lines.take()
  }

  #totals(before: string, delta: Delta): void {
    for (const [name, value] of Object.entries(totalsOf(delta))) this.#lines.count(before + name, value)
  }

  #nameOf({ test, name, method }: SeriesKey): string {
    const whole = method === '' || name.startsWith(`${method} `) ? name : `${method} ${name}`
    return `name.${this.#book.nameOf('test', test)}.${this.#book.nameOf(`name of ${test}`, whole)}`
  }

  #custom({ kind, name }: SeriesKey): string {
    return this.#book.nameOf(kind, name)
  }
}

function nameId({ test, name, method }: SeriesKey): string {
  return JSON.stringify([test, name, method])
}

function customId({ name }: SeriesKey): string {
  return name
}

function checkId({ name, status }: SeriesKey): string {
  return JSON.stringify([name, status])
}
