import type { IncomingMessage, ServerResponse } from 'node:http'
import { actions, carryOut, type Action } from './change-requests.ts'
import { EventChannel } from './event-channel.ts'
import type { Gate } from './gate.ts'
import { readJson } from './json-body.ts'
import type { LivePage } from './live-page.ts'
import type { RunListRow } from './model.ts'
import { Refusal } from './refusal.ts'
import { renderReport } from './render-report.ts'
import type { RunShelf } from './run-shelf.ts'
import type { RunSource } from './run-source.ts'

/** Streams that are open at once; each takes memory. */
const mostChannels = 256

export interface ApiOptions {
  gate: Gate
  shelf: RunShelf
  source: RunSource
  page: () => LivePage
}

/** What is served, by path. Every refusal has a body `{ code, message }`. */
export class Api {
  readonly #options: ApiOptions
  /** Streams that no feed has: those of past runs and of the list. */
  readonly #idle = new Set<EventChannel>()
  readonly #listWatchers = new Set<EventChannel>()
  #channels = 0
  #listSequence = 0

  constructor(options: ApiOptions) {
    this.#options = options
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    try {
      this.#options.gate.admit(request)
      await this.#route(request, response)
    } catch (error) {
      refuse(response, asRefusal(error))
    }
  }

  /** A run is new, or has changed. */
  tell(row: RunListRow): void {
    if (this.#listWatchers.size === 0) return
    this.#listSequence++
    const json = JSON.stringify(row)
    for (const channel of this.#listWatchers) channel.send('run', this.#listSequence, json)
  }

  beat(): void {
    for (const channel of this.#idle) channel.beat()
    for (const channel of this.#listWatchers) channel.beat()
  }

  close(): void {
    for (const channel of [...this.#idle, ...this.#listWatchers]) channel.close()
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { gate, shelf, page } = this.#options
    const [path = '/'] = (request.url ?? '/').split('?', 1)
    const parts = path.split('/').slice(1)
    if (path === '/') {
      only(request, 'GET')
      const { html, policy } = page()
      response.setHeader('Content-Security-Policy', policy)
      return send(request, response, 'text/html; charset=utf-8', html)
    }
    if (parts[0] !== 'api') throw notFound()
    if (path === '/api/session') {
      only(request, 'POST')
      gate.admitChange(request)
      await readJson(request)
      response.setHeader('Set-Cookie', gate.sessionCookie())
      return sendJson(request, response, {})
    }
    if (path === '/api/runs') {
      only(request, 'GET')
      gate.admitReader(request)
      return sendJson(request, response, await shelf.list())
    }
    if (path === '/api/compare') {
      only(request, 'GET')
      gate.admitReader(request)
      return sendJson(
        request,
        response,
        await this.#compare(new URL(request.url!, 'http://here').searchParams),
      )
    }
    if (path === '/api/events') {
      only(request, 'GET')
      gate.admitReader(request)
      return this.#watchList(request, response)
    }
    if (parts[1] !== 'runs' || parts.length > 4 || parts[2] === '') throw notFound()
    return this.#routeRun(request, response, decoded(parts[2]!), parts[3] ?? null)
  }

  async #compare(words: URLSearchParams): Promise<object> {
    const [before, after] = [words.get('before') ?? '', words.get('after') ?? '']
    if (before === '' || after === '')
      throw new Refusal(400, 'TWO_RUNS_NEEDED', 'which runs? Ask for ?before=RUN&after=RUN')
    const comparison = await this.#options.shelf.compare(before, after)
    if (comparison === null)
      throw new Refusal(
        404,
        'NOT_STORED',
        `${before} or ${after} is not on disk: only stored runs are compared`,
      )
    return comparison
  }

  async #routeRun(
    request: IncomingMessage,
    response: ServerResponse,
    runId: string,
    what: string | null,
  ): Promise<void> {
    const { gate, source, shelf } = this.#options
    if (what !== null && actions.has(what)) {
      only(request, 'POST')
      gate.admitChange(request)
      const body = await readJson(request)
      return sendJson(request, response, await asked(carryOut(source, runId, what as Action, body)))
    }
    if (what !== null && what !== 'events' && what !== 'report') throw notFound()
    only(request, 'GET')
    gate.admitReader(request)
    if (what === 'events') return this.#watchRun(request, response, runId)
    if (what === 'report') {
      const model = await shelf.reportModel(runId)
      if (model === null) throw unknownRun(runId)
      const name = runId.replaceAll(/[^\w.-]/g, '_').slice(0, 100)
      response.setHeader('Content-Disposition', `attachment; filename="loads-${name}.html"`)
      return send(request, response, 'text/html; charset=utf-8', renderReport(model))
    }
    const { feed, model } = await this.#find(runId)
    const json = feed === null ? JSON.stringify(model) : feed.modelText()
    send(request, response, 'application/json', json)
  }

  async #watchRun(request: IncomingMessage, response: ServerResponse, runId: string): Promise<void> {
    const { feed, model } = await this.#find(runId)
    const channel = this.#open(request, response, (closed) => this.#idle.delete(closed))
    if (channel === null) return
    if (feed !== null) return feed.add(channel)
    this.#idle.add(channel)
    channel.begin('model', 0, JSON.stringify(model))
  }

  async #watchList(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const rows = await this.#options.shelf.list()
    const channel = this.#open(request, response, (closed) => this.#listWatchers.delete(closed))
    if (channel === null) return
    this.#listWatchers.add(channel)
    channel.begin('runs', this.#listSequence, JSON.stringify(rows))
  }

  /** Null: nobody is there any more. */
  #open(
    request: IncomingMessage,
    response: ServerResponse,
    onClose: (channel: EventChannel) => void,
  ): EventChannel | null {
    if (response.destroyed || request.method === 'HEAD') {
      response.end()
      return null
    }
    if (this.#channels >= mostChannels)
      throw new Refusal(503, 'TOO_MANY_READERS', `${mostChannels} pages are open already: close some`, {
        'Retry-After': '10',
      })
    this.#channels++
    const channel: EventChannel = new EventChannel(response)
    response.once('close', () => {
      this.#channels--
      onClose(channel)
    })
    return channel
  }

  async #find(runId: string) {
    const { shelf } = this.#options
    const feed = await shelf.feedOf(runId)
    const model = feed === null ? await shelf.pastModel(runId) : null
    if (feed === null && model === null) throw unknownRun(runId)
    return { feed, model }
  }
}

/** On everything: nothing is guessed, framed, kept or told to others. */
const headers = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
}

function only(request: IncomingMessage, method: 'GET' | 'POST'): void {
  const { method: given = '' } = request
  if (given === method || (method === 'GET' && given === 'HEAD')) return
  const allowed = method === 'GET' ? 'GET, HEAD' : method
  throw new Refusal(405, 'WRONG_METHOD', `${given} is not for this path: use ${allowed}`, { Allow: allowed })
}

function notFound(): Refusal {
  return new Refusal(404, 'NOT_FOUND', 'there is nothing at this path')
}

function unknownRun(runId: string): Refusal {
  return new Refusal(404, 'UNKNOWN_RUN', `there is no run ${JSON.stringify(runId.slice(0, 200))} here`)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw notFound()
  }
}

/** What the holder of the run refuses is the asker's affair, in its words. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Refusal) throw error
    const { code, message } = error as { code?: unknown; message?: unknown }
    throw new Refusal(409, typeof code === 'string' ? code : 'REFUSED', String(message ?? error))
  }
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { message, code } = error as { message?: unknown; code?: unknown }
  return new Refusal(500, typeof code === 'string' ? code : 'FAILED', String(message ?? error))
}

function refuse(response: ServerResponse, { status, code, message, headers: more }: Refusal): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  for (const name of ['Content-Disposition', 'Set-Cookie']) response.removeHeader(name)
  response.writeHead(status, { 'Content-Type': 'application/json', ...more })
  response.end(JSON.stringify({ code, message }))
}

function sendJson(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  send(request, response, 'application/json', JSON.stringify(value))
}

function send(request: IncomingMessage, response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}
