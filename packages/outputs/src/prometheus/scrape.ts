import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import { queryOptions } from '../exposition/address.ts'
import { RunFigures } from '../exposition/run-figures.ts'
import { parseSpan } from '../exposition/span.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import { contentTypes, wantedExposition } from './accept.ts'
import { formatDelimited } from './client-model.ts'
import { LastScrape } from './last-scrape.ts'
import { formatText } from './text-format.ts'

const defaultLingerMs = 5_000
const usage = 'write prometheus:HOST:PORT, such as prometheus:127.0.0.1:9464, with ?linger=15s if need be'

const compress = promisify(gzip)

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
 * An address where Prometheus fetches the run as it stands: `/metrics`, in whichever format it asks for. Once the run
 * has ended the address stays up until the last figures have been fetched, but not longer than the linger time.
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
  #server: Server | null = null
  #figures: RunFigures | null = null

  constructor(options: ScrapeOptions, environment: OutputEnvironment) {
    this.#options = options
    this.#environment = environment
    this.#scrapes = new LastScrape(options.lingerMs)
  }

  /** Where it listens; null while it does not. A port of 0 is known from here. */
  get address(): { host: string; port: number } | null {
    const address = this.#server?.address()
    return typeof address === 'object' && address !== null
      ? { host: address.address, port: address.port }
      : null
  }

  async open(run: OutputRun): Promise<void> {
    this.#figures = new RunFigures(run)
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
    // Scrapers keep connections; one that says nothing must not keep us.
    server.keepAliveTimeout = 120_000
    const { host, port } = this.#options
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host === '' ? undefined : host, resolve)
      })
    } catch (error) {
      throw refused(`${host}:${port}`, error as NodeJS.ErrnoException)
    }
    // Out of file handles, for one: a scrape fails, not the run.
    server.on('error', (error) => this.#environment.log('warning', `output prometheus: ${error.message}`))
    server.unref()
    this.#server = server
    if (port === 0)
      this.#environment.log('info', `metrics are at http://${host}:${this.address!.port}/metrics`)
  }

  async write(records: readonly OutputRecord[]): Promise<void> {
    if (records.some(({ type }) => type === 'end')) this.#scrapes.runEnded()
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === null) return
    const waitMs = this.#scrapes.waitMs()
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000)
      this.#environment.log('info', `output prometheus waits ${seconds} s at most for a last scrape`)
      await this.#scrapes.last(waitMs)
    }
    this.#server = null
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      // What is being answered may end; after that nobody keeps us.
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 500).unref()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0]
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    if (path !== '/metrics') {
      response
        .writeHead(404, { 'content-type': 'text/plain' })
        .end('the metrics of the run are at /metrics\n')
      return
    }
    const exposition = wantedExposition(request.headers.accept)
    // Before the figures are read: those of a scrape that began earlier may not be the last.
    const isLast = this.#scrapes.begin()
    const families = this.#figures!.families()
    const page =
      exposition === 'delimited' ? formatDelimited(families) : Buffer.from(formatText(families, exposition))
    const zipped = /\bgzip\b(?!;q=0(\.0*)?(,|$))/.test(request.headers['accept-encoding'] ?? '')
    const body = zipped ? await compress(page) : page
    response.writeHead(200, {
      'content-type': contentTypes[exposition],
      'content-length': body.byteLength,
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
      vary: 'accept, accept-encoding',
    })
    response.once('finish', () => {
      if (request.method === 'GET') this.#scrapes.end(isLast)
    })
    response.end(body)
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use, by another run or another process; end that one or give another port',
  EACCES: 'this port needs rights that this process does not have; give one above 1023',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'nobody knows that host',
}

function refused(place: string, error: NodeJS.ErrnoException): OutputError {
  const reason = reasons[error.code ?? ''] ?? error.message
  return new OutputError('OUTPUT_REFUSED', `output prometheus cannot listen on ${place}: ${reason}`, {
    cause: error,
  })
}
