import { seriesId, type Delta, type SeriesDelta, type SeriesKey } from '@loads-runner/metrics'
import { Times } from '../influx/times.ts'
import { failedOf, groupBy, isBadEnd, isEnd, isHit, latestOf, totalsOf } from './figures.ts'
import type { LineStyle } from './line-style.ts'
import { LineWriter } from './line-writer.ts'
import type { NameBook } from './name-book.ts'

type Tags = Record<string, string>

/** Tags that we give; a user's own of the same name is called `tag_...`. */
const ours = new Set(['run', 'project', 'kind', 'test', 'name', 'method', 'status', 'outcome'])

/**
 * `loads.hits:12|c|#run:...,test:...,name:...`: Datadog's tags. Counters are per series only, since there a sum over all
 * tags is the total. Quantiles of all hits and of one name have different names: nobody is led to average them.
 */
export class TaggedLines implements LineStyle {
  readonly #lines: LineWriter
  readonly #book: NameBook
  readonly #times = new Times()

  /** @param runTags on every line, as they were named */
  constructor(prefix: string, book: NameBook, runTags: Readonly<Record<string, string>>) {
    this.#book = book
    const tags = Object.entries(runTags).map(([tag, value]) => [tag, book.nameOf(tag, value)])
    this.#lines = new LineWriter(prefix, Object.fromEntries(tags) as Tags)
  }

  counters(delta: Delta): string[] {
    for (const series of delta.series.values()) this.#counter(series)
    return this.#lines.take()
  }

  warmUpCounters(delta: Delta): string[] {
    for (const [name, value] of Object.entries(totalsOf(delta))) this.#lines.count(`warm_up.${name}`, value)
    return this.#lines.take()
  }

  gauges(recent: readonly Delta[], activeUsers: number): string[] {
    this.#lines.gauge('users', activeUsers)
    const hits = groupBy(recent, isHit, nameId)
    const all = this.#times.stats(hits.flat())
    this.#lines.quantiles('', all)
    if (all.max !== null) this.#lines.gauge('max', all.max)
    for (const group of hits)
      this.#lines.quantiles('name.', this.#times.stats(group), this.#nameTags(group[0]!.key))
    for (const group of groupBy(recent, ({ kind }) => kind === 'timing', seriesId))
      this.#lines.quantiles('timing.', this.#times.stats(group), this.#customTags(group[0]!.key))
    for (const group of groupBy(recent, ({ kind }) => kind === 'gauge', seriesId))
      this.#lines.gauge('gauge', latestOf(group), this.#customTags(group[0]!.key))
    return this.#lines.take()
  }

  #counter(series: SeriesDelta): void {
    const { key, count, value } = series
    if (isHit(key)) {
      const tags = { ...this.#nameTags(key), ...this.#optional('status', key.status), ...this.#tagsOf(key) }
      this.#lines.count('hits', count, tags)
      this.#lines.count('failed', failedOf(series), tags)
    } else if (isEnd(key)) {
      const tags = { test: this.#book.nameOf('test', key.test), outcome: key.status, ...this.#tagsOf(key) }
      this.#lines.count('executions', count, tags)
      if (isBadEnd(key)) this.#lines.count('errors', count, tags)
    } else if (key.kind === 'counter') this.#lines.count('counter', value, this.#customTags(key))
    else if (key.kind === 'check')
      this.#lines.count('check', count, {
        ...this.#customTags(key),
        test: this.#book.nameOf('test', key.test),
        status: key.status,
        ...this.#tagsOf(key),
      })
  }

  #nameTags({ kind, test, name, method }: SeriesKey): Tags {
    return {
      kind,
      test: this.#book.nameOf('test', test),
      name: this.#book.nameOf('name', name),
      ...this.#optional('method', method),
    }
  }

  #customTags({ kind, name }: SeriesKey): Tags {
    return { name: this.#book.nameOf(kind, name) }
  }

  #tagsOf({ tags }: SeriesKey): Tags {
    return Object.fromEntries(
      Object.entries(tags).map(([tag, value]) => {
        const name = this.#book.nameOf('tag', tag)
        return [ours.has(name) ? `tag_${name}` : name, this.#book.nameOf(`tag ${tag}`, value)]
      }),
    )
  }

  #optional(tag: string, value: string): Tags {
    return value === '' ? {} : { [tag]: this.#book.nameOf(tag, value) }
  }
}

function nameId({ kind, test, name, method }: SeriesKey): string {
  return JSON.stringify([kind, test, name, method])
}
