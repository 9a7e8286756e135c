import { once } from 'node:events'
import { createServer, STATUS_CODES, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Api } from './api.ts'
import { DashboardError } from './errors.ts'
import { Gate } from './gate.ts'
import { livePage, type LivePage } from './live-page.ts'
import { RunShelf } from './run-shelf.ts'
import type { PastRuns, RunSource } from './run-source.ts'

/** How often those who look are told what is new, and how often that somebody is there, in milliseconds. */
const updateMs = 500
const beatMs = 10_000
/** More connections are closed at once: everybody has a few. */
const mostConnections = 1_000

export interface DashboardOptions {
  /** `127.0.0.1`, `::1`; anything but loopback asks for the token to read, too. */
  host: string
  /** 0: any free one. */
  port: number
  source: RunSource
  past: PastRuns | null
  /** Changes come with it: `Authorization: Bearer TOKEN`. 16 characters at least. */
  token: string
  /** Names by which this machine is known, besides its addresses and localhost. */
  hostNames: readonly string[]
  version: string
  /** Told what went wrong with single runs. */
  log?: (text: string) => void
}

/**
 * The live page and its API:
 *
 *     GET  /                            the page
 *     GET  /api/runs                    RunListRow[], newest first
 *     GET  /api/events                  server-sent: `runs` (RunListRow[]), then `run` (RunListRow) for each change
 *     GET  /api/runs/ID                 RunModel
 *     GET  /api/runs/ID/events          server-sent: `model` (RunModel), then `update`s (RunUpdate); ids are numbers
 *     GET  /api/runs/ID/report          the report, to be kept
 *     POST /api/runs/ID/stop            { mode: drain|cancel|kill }
 *     POST /api/runs/ID/control         { scenario, target, paused }
 *     POST /api/runs/ID/annotate        { type: note, text, tags } or { type: fault, id, name, state, detail }
 *     POST /api/session                 {}: a cookie to read with, where reading needs the token
 *
 * POST needs the token, on loopback too. A refusal has a body `{ code, message }`.
 */
export class DashboardServer {
  readonly #server: Server
  readonly #address: AddressInfo
  readonly #api: Api
  readonly #shelf: RunShelf
  readonly #timers: NodeJS.Timeout[]
  readonly #stopWatching: () => void
  #closing: Promise<void> | null = null

  private constructor(server: Server, api: Api, shelf: RunShelf, stopWatching: () => void) {
    this.#server = server
    this.#address = server.address() as AddressInfo
    this.#api = api
    this.#shelf = shelf
    this.#stopWatching = stopWatching
    this.#timers = [
      setInterval(() => {
        for (const feed of shelf.feeds) feed.publish()
      }, updateMs),
      setInterval(() => {
        for (const feed of shelf.feeds) feed.beat()
        api.beat()
      }, beatMs),
    ]
    for (const timer of this.#timers) timer.unref()
  }

  /** @throws {DashboardError} DASHBOARD_PORT: the port is in use, or may not be used */
  static async start(options: DashboardOptions): Promise<DashboardServer> {
    const { host, port, source, past, token, hostNames, version, log = () => {} } = options
    const gate = new Gate({ token, hostNames, closed: !isLoopback(host) })
    let page: LivePage | null = null
    const shelf: RunShelf = new RunShelf({ source, past, log, onRow: (row) => api.tell(row) })
    const api: Api = new Api({ gate, shelf, source, page: () => (page ??= livePage(version)) })
    const server = createServer(limits, (request, response) => void api.handle(request, response))
    server.maxConnections = mostConnections
    // A socket that is cut off while it is written to.
    server.on('clientError', answerGarbage)
    try {
      server.listen({ host, port, exclusive: true })
      await once(server, 'listening')
    } catch (error) {
      shelf.close()
      throw portError(error as NodeJS.ErrnoException, host, port)
    }
    const stopWatching = source.onRun((row) => shelf.see(row))
    await shelf.open()
    return new DashboardServer(server, api, shelf, stopWatching)
  }

  get host(): string {
    return this.#address.address
  }

  get port(): number {
    return this.#address.port
  }

  /** `http://127.0.0.1:7777/`, without the token. */
  get url(): string {
    const { address, port, family } = this.#address
    const host = family === 'IPv6' ? `[${address}]` : address
    return `http://${host}:${port}/`
  }

  /**
   * A run is over, and so is perhaps this process: resolves when everybody who looks at the run was told of its end, or
   * after so many milliseconds.
   */
  toldEnd(runId: string, withinMs: number): Promise<void> {
    return this.#shelf.toldEnd(runId, withinMs)
  }

  /** Nobody is served any more, and no run is followed. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#stopWatching()
    this.#shelf.close()
    this.#api.close()
    const closed = once(this.#server, 'close')
    this.#server.close()
    // What was just written may still be on its way.
    this.#server.closeIdleConnections()
    const cut = setTimeout(() => this.#server.closeAllConnections(), 500)
    await closed
    clearTimeout(cut)
  }
}

/** Whoever dawdles over a request is cut off. Streams are not concerned: their requests are complete. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** What is no HTTP gets an answer in HTTP all the same, and goes. */
function answerGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const body = JSON.stringify({ code: 'BAD_REQUEST', message: 'this is no request that can be read' })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

function portError(error: NodeJS.ErrnoException, host: string, port: number): DashboardError {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const advice =
    error.code === 'EADDRINUSE'
      ? 'the port is in use: give another one, or 0 for any free one'
      : error.code === 'EACCES'
        ? 'the port may not be used: give one above 1023'
        : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
          ? 'this machine has no such address: give one of its own, or 127.0.0.1'
          : error.message
  return new DashboardError('DASHBOARD_PORT', `the dashboard cannot listen on ${where}: ${advice}`, {
    cause: error,
  })
}
