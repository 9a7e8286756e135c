import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { OutputError } from '../errors.ts'
import type { MetricFamily } from '../exposition/family.ts'
import { metrics } from '../exposition/names.ts'
import { contentTypes, wantedExposition } from './accept.ts'
import { formatDelimited } from './client-model.ts'
import type { LastScrape } from './last-scrape.ts'
import { formatText } from './text-format.ts'

const compress = promisify(gzip)

/** A run that is to be scraped. Every one of its samples says which run it is of. */
export interface ScrapedRun {
  families(): MetricFamily[]
  readonly scrapes: LastScrape
  /** Trouble of the server while it serves. */
  onTrouble(text: string): void
}

/** All addresses of this process. */
const servers = new Map<string, ScrapeServer>()

/**
 * An address where Prometheus fetches runs as they stand: `/metrics`, in whichever format it asks for. Runs that go on
 * at the same time in one process, such as those of a broker, share it.
 */
export class ScrapeServer {
  readonly #id: string
  readonly #server: Server
  readonly #listening: Promise<void>
  readonly #runs = new Set<ScrapedRun>()
  #closing: Promise<void> | null = null

  /**
   * Serves this run, too, until {@link leave}. On port 0 it has an address of its own.
   *
   * @throws {OutputError} OUTPUT_REFUSED
   */
  static async join(host: string, port: number, run: ScrapedRun): Promise<ScrapeServer> {
    const id = `${host} ${port}`
    // The last run may be leaving at this moment: its address is free when it has gone.
    while (servers.get(id)?.isClosing === true) await servers.get(id)!.leave(run)
    const server = servers.get(id) ?? new ScrapeServer(id, host, port)
    if (port !== 0) servers.set(id, server)
    server.#runs.add(run)
    try {
      await server.#listening
    } catch (error) {
      server.#forget()
      throw refused(`${host}:${port}`, error as NodeJS.ErrnoException)
    }
    return server
  }

  private constructor(id: string, host: string, port: number) {
    this.#id = id
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
    // Scrapers keep connections; one that says nothing must not keep us.
    this.#server.keepAliveTimeout = 120_000
    this.#listening = new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host === '' ? undefined : host, () => {
        // Out of file handles, for one: a scrape fails, not the run.
        this.#server.on('error', (error) => {
          for (const run of this.#runs) run.onTrouble(error.message)
        })
        resolve()
      })
    })
    this.#server.unref()
  }

  /** Where it listens; null while it does not. A port of 0 is known from here. */
  get address(): { host: string; port: number } | null {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null
      ? { host: address.address, port: address.port }
      : null
  }

  get isClosing(): boolean {
    return this.#closing !== null
  }

  /** The last one to leave closes it. */
  async leave(run: ScrapedRun): Promise<void> {
    this.#runs.delete(run)
    if (this.#runs.size > 0) return
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      // What is being answered may end; after that nobody keeps us.
      this.#server.closeIdleConnections()
      setTimeout(() => this.#server.closeAllConnections(), 500).unref()
    })
    this.#forget()
  }

  #forget(): void {
    if (servers.get(this.#id) === this) servers.delete(this.#id)
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
    const read = [...this.#runs].map((run) => ({ run, isLast: run.scrapes.begin() }))
    const families = together(read.map(({ run }) => run.families()))
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
      if (request.method === 'GET') for (const { run, isLast } of read) run.scrapes.end(isLast)
    })
    response.end(body)
  }
}

/** A page has each family once. */
function together(runs: readonly MetricFamily[][]): MetricFamily[] {
  if (runs.length === 1) return runs[0]!
  const all = runs.flat()
  return metrics.flatMap(({ name }) => {
    const [first, ...others] = all.filter((family) => family.name === name)
    if (first === undefined) return []
    const samples = [first, ...others].flatMap((family): unknown[] => family.samples)
    return [{ ...first, samples } as MetricFamily]
  })
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
