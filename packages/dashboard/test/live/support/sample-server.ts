import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { applyUpdate } from '../../../src/apply-update.ts'
import { livePage } from '../../../src/live-page.ts'
import type { RunListRow, RunModel, RunUpdate } from '../../../src/model.ts'
import { sampleModel, sampleUpdates, type SampleOptions } from '../../support/sample-model.ts'

export interface SampleRun {
  row: RunListRow
  model: RunModel
  updates: Generator<RunUpdate, never, void> | null
}

export function sampleRun(
  runId: string,
  options: SampleOptions,
  changes: Partial<RunListRow> = {},
): SampleRun {
  const model = sampleModel(options)
  model.head.runId = runId
  const { head, totals, summary } = model
  const row: RunListRow = {
    runId,
    names: head.names,
    project: head.project,
    user: head.user,
    labels: head.labels,
    state: head.state,
    verdict: summary?.verdict ?? null,
    submittedAt: head.submittedAt,
    startedAt: head.startedAt,
    endedAt: summary === null ? null : (head.startedAt ?? 0) + head.elapsedMs,
    agents: model.agents.length,
    hits: totals.hits,
    p95: summary === null ? null : totals.serviceTime.p95,
    errorRate: summary === null ? null : totals.failedHits / totals.hits,
    ...changes,
  }
  return { row, model, updates: summary === null ? sampleUpdates(model, options) : null }
}

/** Serves made-up runs as DashboardServer serves real ones, and lets tests say when something is new. */
export class SampleServer {
  readonly runs = new Map<string, SampleRun>()
  readonly asked: { path: string; token: string | null; body: unknown }[] = []
  readonly #server: Server
  readonly #streams = new Map<ServerResponse, string>()
  #sequence = 0

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  static async start(runs: readonly SampleRun[], port = 0): Promise<SampleServer> {
    const server = createServer()
    const made = new SampleServer(server)
    for (const run of runs) made.runs.set(run.row.runId, run)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return made
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  /** One more second of a run. */
  tick(runId: string): RunUpdate {
    const run = this.runs.get(runId)!
    const update = run.updates!.next().value
    update.head!.runId = runId
    this.tell(runId, update)
    return update
  }

  tell(runId: string, update: RunUpdate): void {
    applyUpdate(this.runs.get(runId)!.model, structuredClone(update))
    for (const [stream, id] of this.#streams) if (id === runId) this.#send(stream, 'update', update)
  }

  tellRow(row: RunListRow): void {
    this.runs.get(row.runId)!.row = row
    for (const [stream, id] of this.#streams) if (id === '') this.#send(stream, 'run', row)
  }

  /** Cuts all streams, as a server that ends does. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    if (path === '/') {
      const { html, policy } = livePage('0.0.0')
      response.setHeader('Content-Security-Policy', policy)
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end(html)
      return
    }
    const rows = () => [...this.runs.values()].map(({ row }) => row)
    if (path === '/api/runs') return json(response, 200, rows())
    if (path === '/api/events') return this.#stream(response, '', 'runs', rows())
    const [, , , id = '', what] = path.split('/')
    const run = this.runs.get(decodeURIComponent(id))
    if (run === undefined)
      return json(response, 404, { code: 'UNKNOWN_RUN', message: 'there is no such run here' })
    if (what === undefined) return json(response, 200, run.model)
    if (what === 'events') return this.#stream(response, run.row.runId, 'model', run.model)
    let text = ''
    for await (const part of request.setEncoding('utf8')) text += part as string
    const token = request.headers.authorization?.replace('Bearer ', '') ?? null
    this.asked.push({ path, token, body: JSON.parse(text) })
    json(response, 401, { code: 'TOKEN_NEEDED', message: 'this needs the token' })
  }

  #stream(response: ServerResponse, id: string, event: string, data: unknown): void {
    response.setHeader('Content-Type', 'text/event-stream')
    this.#streams.set(response, id)
    response.on('close', () => this.#streams.delete(response))
    this.#send(response, event, data)
  }

  #send(response: ServerResponse, event: string, data: unknown): void {
    response.write(`event: ${event}\nid: ${++this.#sequence}\ndata: ${JSON.stringify(data)}\n\n`)
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(body))
}
