import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import { queryOptions } from '../exposition/address.ts'
import { RunFigures } from '../exposition/run-figures.ts'
import { parseSpan } from '../exposition/span.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import { LastScrape } from './last-scrape.ts'
import { ScrapeServer, type ScrapedRun } from './scrape-server.ts'

const defaultLingerMs = 5_000
const usage = 'write prometheus:HOST:PORT, such as prometheus:127.0.0.1:9464, with ?linger=15s if need be'

export interface ScrapeOptions {
  host: string
  port: number
  /** How long the last figures may wait to be scraped once the run has ended, in milliseconds. */
  lingerMs: number
}

/** @throws {OutputError} OUTPUT_ARGUMENTS */
export function createScrape(args: string, environment: OutputEnvironment): ScrapeOutput {
  return new ScrapeOutput(scrapeOptions(args.trim()), environment)
}

function scrapeOptions(args: string): ScrapeOptions {
  const [place = '', search = ''] = args.split('?', 2)
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@[\]]*)):(\d{1,5})(?:\/metrics|\/)?$/.exec(place)
  const port = Number(parts?.[3])
  if (parts === null || port > 65_535)
    throw bad(args === '' ? 'an address is missing' : `"${place}" is no address`)
  let lingerMs = defaultLingerMs
  for (const [name, value] of queryOptions(search)) {
    if (name !== 'linger') throw bad(`there is no option "${name}"`)
    const spanMs = parseSpan(value)
    if (spanMs === null) throw bad(`linger=${value} is no time`)
    lingerMs = spanMs
  }
  return { host: parts[1] ?? parts[2] ?? '', port, lingerMs }
}

function bad(problem: string): OutputError {
  return new OutputError('OUTPUT_ARGUMENTS', `output prometheus: ${problem}; ${usage}`)
}

/**
 * Serves the run as it stands to Prometheus, see {@link ScrapeServer}. Once the run has ended it stays there until its
 * last figures have been fetched, but not longer than the linger time.
 */
export class ScrapeOutput implements Output {
  readonly name = 'prometheus'
  /** The view of a run has figures only where somebody wants more than the end; events are few. */
  readonly wants: ReadonlySet<RecordType> = new Set<RecordType>(['event', 'end'])
  readonly spansMs: readonly number[] = []
  readonly batch = 1_000
  readonly #options: ScrapeOptions
  readonly #environment: OutputEnvironment
  readonly #scrapes: LastScrape
  #served: { run: ScrapedRun; server: ScrapeServer } | null = null

  constructor(options: ScrapeOptions, environment: OutputEnvironment) {
    this.#options = options
    this.#environment = environment
    this.#scrapes = new LastScrape(options.lingerMs)
  }

  /** Where it is served; null while it is not. A port of 0 is known from here. */
  get address(): { host: string; port: number } | null {
    return this.#served?.server.address ?? null
  }

  async open(run: OutputRun): Promise<void> {
    const figures = new RunFigures(run)
    const { host, port } = this.#options
    const scraped: ScrapedRun = {
      families: () => figures.families(),
      scrapes: this.#scrapes,
      onTrouble: (text) => this.#environment.log('warning', `output prometheus: ${text}`),
    }
    this.#served = { run: scraped, server: await ScrapeServer.join(host, port, scraped) }
    if (port === 0)
      this.#environment.log('info', `metrics are at http://${host}:${this.address!.port}/metrics`)
  }

  async write(records: readonly OutputRecord[]): Promise<void> {
    if (records.some(({ type }) => type === 'end')) this.#scrapes.runEnded()
  }

  async close(): Promise<void> {
    const served = this.#served
    if (served === null) return
    const waitMs = this.#scrapes.waitMs()
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000)
      this.#environment.log('info', `output prometheus waits ${seconds} s at most for a last scrape`)
      await this.#scrapes.last(waitMs)
    }
    this.#served = null
    await served.server.leave(served.run)
  }
}
