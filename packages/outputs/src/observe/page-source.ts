import type { OutputEnvironment } from '../environment.ts'
import { exchange, reasonOf } from '../exposition/http.ts'
import { figureName } from './figure-name.ts'
import { credentials } from './credentials.ts'
import type { FigureSource } from './observer.ts'
import { samplesOf } from './page.ts'
import { Rates } from './rates.ts'
import type { ObserverRequest } from './request.ts'

/** Largest page that is read, in bytes. */
const mostBytes = 16_000_000

/** The figures of a page of metrics. Gauges are taken as they are, of counters the growth per second. */
export class PageSource implements FigureSource {
  readonly #url: string
  readonly #headers: Record<string, string>
  readonly #isWanted: (name: string) => boolean
  readonly #rates = new Rates()

  constructor(
    { address, patterns }: Extract<ObserverRequest, { kind: 'scrape' }>,
    environment: OutputEnvironment,
  ) {
    this.#url = address.url
    this.#headers = { accept: 'text/plain;version=0.0.4', ...credentials(address, environment) }
    const patternsOf = patterns.map(
      (pattern) =>
        new RegExp(`^${pattern.replace(/[\\^$+?.()|[\]{}]/g, '\\$&').replace(/\*+/g, '.*')}$`, 's'),
    )
    this.#isWanted = (name) => patternsOf.length === 0 || patternsOf.some((pattern) => pattern.test(name))
  }

  async read(signal: AbortSignal, now: () => number): Promise<Map<string, number>> {
    const answer = await exchange(this.#url, { method: 'GET', headers: this.#headers, signal, mostBytes })
    if (answer.status !== 200) throw new Error(reasonOf({ ...answer, text: answer.text.slice(0, 1_000) }))
    if (Buffer.byteLength(answer.text) >= mostBytes)
      throw new Error(`its page is longer than ${mostBytes / 1e6} MB`)
    const values = new Map<string, number>()
    let names = 0
    this.#rates.begin(now())
    for (const { name, labels, value, type } of samplesOf(answer.text)) {
      names++
      if (!this.#isWanted(name)) continue
      const readable = figureName(name, labels)
      if (type === 'gauge') {
        values.set(readable, value)
        continue
      }
      const rate = this.#rates.of(readable, value)
      if (rate !== null) values.set(`${readable}/s`, rate)
    }
    if (names === 0) throw new Error('there is no metric on its page; is this the address of the metrics?')
    this.#rates.end()
    return values
  }
}
