import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { applyUpdate } from '../../src/apply-update.ts'
import type { RunModel, RunUpdate } from '../../src/model.ts'
import type { DashboardServer } from '../../src/dashboard-server.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  json: () => any
}

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** One request, with exactly these headers: fetch would not send some of them. */
export async function ask(server: DashboardServer, path: string, asked: Asked = {}): Promise<Answer> {
  const response = await respond(server, path, asked)
  let text = ''
  for await (const part of response.setEncoding('utf8')) text += part as string
  return { status: response.statusCode!, headers: response.headers, text, json: () => JSON.parse(text) }
}

export function post(server: DashboardServer, path: string, token: string, body: unknown): Promise<Answer> {
  return ask(server, path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function respond(
  server: DashboardServer,
  path: string,
  { method = 'GET', headers = {}, body }: Asked,
): Promise<IncomingMessage> {
  const { host, port } = server
  const sent = request({ host, port, path, method, headers, agent: false })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  // Who has refused a body does not read the rest of it.
  sent.on('error', () => {})
  return response
}

export interface StreamEvent {
  event: string
  id: number
  data: any
}

/** A browser's view of server-sent events. */
export class EventStream {
  readonly response: IncomingMessage
  readonly #waiting: (() => void)[] = []
  readonly events: StreamEvent[] = []
  comments = 0
  closed = false
  #rest = ''

  private constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => this.#take(text))
    response.on('error', () => {})
    response.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async open(
    server: DashboardServer,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<EventStream> {
    return new EventStream(await respond(server, path, { headers }))
  }

  /** Resolves when this holds; rejects when the stream closes before. */
  async until(holds: (stream: EventStream) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.closed) throw new Error('the stream was closed')
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The model as a page has it now: the first event and the updates on it. */
  model(): RunModel {
    const [first, ...rest] = this.events
    const model = structuredClone(first!.data as RunModel)
    for (const { event, data } of rest) if (event === 'update') applyUpdate(model, data as RunUpdate)
    return model
  }

  close(): void {
    this.response.destroy()
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop()!
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]))
      if (fields.has('')) this.comments++
      const data = fields.get('data')
      if (data !== undefined)
        this.events.push({
          event: fields.get('event')!,
          id: Number(fields.get('id')),
          data: JSON.parse(data),
        })
    }
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
