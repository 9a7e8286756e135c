import { createServer, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestOptions, Server, ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { plural } from '../console/figures.ts'
import { Captured } from './captured-body.ts'
import { takeCredentials } from './har.ts'
import { fromTarget, headersFor, toTarget } from './proxy-headers.ts'
import { isAsset } from './recorded.ts'
import type { Recorded, RecordedBody } from './recorded.ts'

export interface ProxyOptions {
  /** Where everything goes; null: where each request says (a forward proxy). */
  target: URL | null
  insecure: boolean
  /** A line for the user: what was recorded, and what could not be. */
  onLine: (line: string) => void
}

/** More is no test that a person reads. */
const mostRequests = 5000
/** What may be kept of all bodies, in bytes. */
const mostBytes = 64 * 1024 * 1024

/** An HTTP proxy that remembers what passes through it. What it does not understand passes unchanged. */
export class RecordingProxy {
  readonly warnings: string[] = []
  readonly #options: ProxyOptions
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()
  readonly #recorded: { order: number; recorded: Recorded }[] = []
  /** Hosts whose tunnels or upgrades have been spoken of. */
  readonly #said = new Set<string>()
  #order = 0
  #bytes = 0

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#server = createServer((request, response) => this.#serve(request, response))
    this.#server.on('connection', (socket) => this.#keep(socket))
    this.#server.on('connect', (request, socket: Duplex, head: Buffer) => this.#tunnel(request, socket, head))
    this.#server.on('upgrade', (request, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    )
    this.#server.on('clientError', (_, socket) => socket.destroy())
  }

  /** Resolves with its address: `http://127.0.0.1:8888`. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve)
    })
    const { address, family, port: own } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${own}`
  }

  /** What has been answered so far, in the order in which it was asked. */
  get recorded(): Recorded[] {
    return this.#recorded.toSorted((one, other) => one.order - other.order).map(({ recorded }) => recorded)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const target = this.#targetOf(request)
    if (target === null) {
      response.writeHead(400, { 'content-type': 'text/plain' })
      response.end('loads record: this is an HTTP proxy: set it as such, or start it with --target URL\n')
      request.resume()
      return
    }
    const order = this.#order++
    const startedAt = Date.now()
    const sent = new Captured()
    const upstream = this.#open(target, request)
    request.on('data', (chunk: Buffer) => sent.add(chunk))
    request.on('error', () => upstream.destroy())
    request.pipe(upstream)
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy()
    })
    upstream.on('information', ({ statusCode }) => {
      if (statusCode === 100) response.writeContinue()
    })
    upstream.on('response', (answer) => {
      const got = new Captured()
      answer.on('data', (chunk: Buffer) => got.add(chunk))
      const headers = fromTarget(answer.rawHeaders, this.#options.target, request.headers.host)
      response.writeHead(answer.statusCode!, answer.statusMessage, headers)
      answer.pipe(response)
      answer.on('end', () => this.#record(order, startedAt, target, request, sent, answer, got))
      answer.on('error', () => response.destroy())
    })
    upstream.on('error', (error) => {
      this.#options.onLine(`${request.method} ${target.href} failed: ${error.message}`)
      if (response.headersSent) return void response.destroy()
      response.writeHead(502, { 'content-type': 'text/plain' })
      response.end(`loads record: ${error.message}\n`)
    })
  }

  /** Null for a request that is not for a proxy. */
  #targetOf(request: IncomingMessage): URL | null {
    const text = request.url ?? '/'
    const { target } = this.#options
    if (target !== null) {
      // A browser that has us as its proxy is understood, too.
      const path = /^https?:\/\//i.test(text) && URL.canParse(text) ? pathOf(new URL(text)) : text
      if (!path.startsWith('/')) return null
      const { protocol, username, password, host } = target
      const credentials = username === '' ? '' : `${username}:${password}@`
      return new URL(`${protocol}//${credentials}${host}${path}`)
    }
    return /^http:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null
  }

  #open(url: URL, request: IncomingMessage): ClientRequest {
    const bare = new URL(url)
    const credentials = takeCredentials(bare)
    const options: RequestOptions & { rejectUnauthorized?: boolean } = {
      method: request.method ?? 'GET',
      headers: [...headersFor(request.rawHeaders, this.#options.target, url, request.headers.host)].concat(
        request.headers.authorization === undefined ? credentials.flat() : [],
      ),
      setHost: false,
      agent: false,
      rejectUnauthorized: !this.#options.insecure,
    }
    const open = url.protocol === 'https:' ? httpsRequest : httpRequest
    const upstream = open(bare, options)
    upstream.on('socket', (socket) => this.#keep(socket))
    return upstream
  }

  #record(
    order: number,
    startedAt: number,
    url: URL,
    request: IncomingMessage,
    sent: Captured,
    answer: IncomingMessage,
    got: Captured,
  ): void {
    const { onLine } = this.#options
    const what = `${request.method} ${url.pathname}${url.search} ${answer.statusCode}`
    if (this.#recorded.length >= mostRequests || this.#bytes > mostBytes) {
      this.#sayOnce(
        'full',
        `no more is recorded: ${plural(this.#recorded.length, 'request')} are enough for a test`,
      )
      return
    }
    const type = request.headers['content-type'] ?? ''
    if (sent.cut) {
      this.#sayOnce('cut', 'a body of more than 1 MB is left out of the test')
      this.warnings.push(`the body of ${request.method} ${url.pathname} was too large and is left out`)
    }
    const responseType = answer.headers['content-type'] ?? ''
    const json = /[/+]json\b/i.test(responseType) ? got.text(answer.headers['content-encoding'] ?? '') : null
    const bare = new URL(url)
    bare.hash = ''
    takeCredentials(bare)
    const asset = isAsset(bare.href, responseType) || isPreflight(request)
    this.#bytes += sent.size + (json?.length ?? 0)
    this.#recorded.push({
      order,
      recorded: {
        method: request.method ?? 'GET',
        url: bare.href,
        headers: pairs(toTarget(request.rawHeaders, this.#options.target, url, request.headers.host)),
        body: bodyOf(sent, type, request.headers['content-encoding'] !== undefined),
        status: answer.statusCode ?? 0,
        location: answer.headers.location ?? null,
        responseType,
        json,
        setsCookies: (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split('=')[0]!.trim()),
        startedAt,
        durationMs: Date.now() - startedAt,
        page: '',
        asset,
      },
    })
    onLine(`${what}${asset ? ' (asset)' : ''}`)
  }

  /** Bytes that are not ours to read. */
  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [, host = '', port = '443'] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(request.url ?? '') ?? []
    this.#sayOnce(
      `tunnel ${host}`,
      `not recorded: https to ${host} is encrypted and passes as it is; record it with --target https://${request.url}`,
    )
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      join(upstream, socket, head)
    })
    this.#keep(upstream)
    upstream.once('error', () => socket.destroy())
    socket.once('error', () => upstream.destroy())
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = this.#targetOf(request)
    if (target === null) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    this.#sayOnce(
      `upgrade ${target.host}`,
      `not recorded: ${request.headers.upgrade} to ${target.host} passes as it is`,
    )
    const upstream = this.#open(target, request)
    upstream.on('upgrade', (answer, other: Socket, first: Buffer) => {
      socket.write(headOf(answer))
      if (first.length > 0) socket.write(first)
      join(other, socket, head)
    })
    upstream.on('response', (answer) => {
      socket.write(headOf(answer))
      answer.pipe(socket)
    })
    upstream.once('error', () => socket.destroy())
    socket.once('error', () => upstream.destroy())
    upstream.end()
  }

  #sayOnce(key: string, line: string): void {
    // Hosts come from whoever speaks to us.
    if (this.#said.has(key) || this.#said.size > 1000) return
    this.#said.add(key)
    this.#options.onLine(line)
  }

  #keep(socket: Duplex): void {
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
  }
}

function pathOf({ pathname, search }: URL): string {
  return pathname + search
}

function join(one: Duplex, other: Duplex, head: Buffer): void {
  if (head.length > 0) one.write(head)
  one.pipe(other).pipe(one)
  one.once('close', () => other.destroy())
  other.once('close', () => one.destroy())
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = pairs(rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!])
}

function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

function bodyOf(sent: Captured, type: string, encoded: boolean): RecordedBody | null {
  if (sent.cut || sent.size === 0) return null
  const bytes = sent.bytes()
  const text = bytes.toString('utf8')
  const isText = !encoded && Buffer.from(text).equals(bytes)
  return { type, text: isText ? text : bytes.toString('base64'), base64: !isText, fields: null }
}
