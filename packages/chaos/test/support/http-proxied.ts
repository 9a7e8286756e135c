import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ChaosEvent, FaultEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
  ms: number
}

/** A proxy of protocol http in front of a small server of Node, and what was told and seen. */
export class HttpProxied implements AsyncDisposable {
  readonly proxy: Proxy
  readonly events: ChaosEvent[] = []
  /** Requests that the server has read to their ends: `GET /path body`. */
  readonly served: string[] = []
  readonly agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #server: Server

  private constructor(proxy: Proxy, server: Server) {
    this.proxy = proxy
    this.#server = server
  }

  static async start(options: Partial<ProxyOptions> = {}): Promise<HttpProxied> {
    let proxied: HttpProxied | null = null
    // Whoever asks decides how long a connection is kept, however long the process stands still in between.
    const patient = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 }
    const server = createServer(patient, (message, response) => {
      void (async () => {
        let body = ''
        for await (const piece of message) body += String(piece)
        proxied?.served.push(`${message.method} ${message.url} ${body.length}`)
        response.setHeader('Content-Type', 'text/plain')
        const answer = `served ${message.url}`
        if (message.url!.startsWith('/chunked')) response.write(answer)
        else response.setHeader('Content-Length', answer.length)
        response.end(message.url!.startsWith('/chunked') ? ' in chunks' : answer)
      })().catch(() => response.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const hub = new EventHub()
    const backend = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const proxy = await startProxy({ backend, protocol: 'http', seed: 1, ...options }, hub).catch(
      (error: unknown) => {
        server.close()
        throw error
      },
    )
    proxied = new HttpProxied(proxy, server)
    hub.listen((event) => proxied.events.push(event))
    return proxied
  }

  get url(): string {
    const { host, port } = this.proxy.address
    return `http://${host}:${port}`
  }

  get faults(): FaultEvent[] {
    return this.events.filter((event) => event.type === 'fault')
  }

  /** By node:http, on a connection that is kept. */
  ask(path: string, { method = 'GET', body = '', headers = {} } = {}): Promise<Answer> {
    const from = performance.now()
    return new Promise((resolve, reject) => {
      const asking = request(`${this.url}${path}`, { method, headers, agent: this.agent }, (message) => {
        let text = ''
        message.setEncoding('latin1')
        message.on('data', (piece: string) => (text += piece))
        message.on('error', reject)
        message.on('end', () => {
          const { statusCode, headers } = message
          resolve({ status: statusCode!, headers, body: text, ms: performance.now() - from })
        })
      })
      asking.on('error', reject)
      asking.end(body)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.destroy()
    await this.proxy.close()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
