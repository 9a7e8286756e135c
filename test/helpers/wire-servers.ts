import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { makeCertificate } from '../../packages/testcase/test/helpers/servers.ts'
import { cleanUpAfterTest } from './temporary.ts'

/** On any port of 127.0.0.1; stopped after the test, with its connections. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUpAfterTest(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return (server.address() as AddressInfo).port
}

export interface TlsServer {
  /** `https://localhost:PORT`, with a certificate that it has signed itself. */
  url: string
  /** Its certificate, for `--ca`. */
  certificate: string
  /** Handshakes, and those among them that went on with an earlier session. */
  handshakes: () => { all: number; resumed: number }
  seen: { path: string; version: string }[]
}

/** HTTPS, with HTTP/2 where `http2` says so, for clients of HTTP/1.1 too. */
export async function startTls(
  options: { http2?: boolean; answer?: RequestListener } = {},
): Promise<TlsServer> {
  const certificate = makeCertificate()
  const seen: TlsServer['seen'] = []
  const count = { all: 0, resumed: 0 }
  const answer = options.answer ?? ((_request, response) => void response.end('{}'))
  const onRequest = (request: Parameters<RequestListener>[0], response: Parameters<RequestListener>[1]) => {
    seen.push({ path: request.url!, version: request.httpVersion })
    answer(request, response)
  }
  const server =
    options.http2 === true
      ? createSecureServer(
          { ...certificate, allowHTTP1: true },
          onRequest as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void,
        )
      : createTlsServer(certificate, onRequest)
  server.on('secureConnection', (socket: TLSSocket) => {
    count.all++
    if (socket.isSessionReused()) count.resumed++
  })
  const port = await listen(server)
  return {
    url: `https://localhost:${port}`,
    certificate: certificate.cert,
    handshakes: () => ({ ...count }),
    seen,
  }
}

export interface EchoServer {
  /** `127.0.0.1:PORT` */
  address: string
  /** What has come, as text: over TCP line by line. */
  seen: string[]
  /** TCP only. */
  connections: () => number
}

/** Sends each line back in capitals, over TCP. */
export async function startTcpEcho(): Promise<EchoServer> {
  const seen: string[] = []
  let connections = 0
  const server = createTcpServer((socket) => {
    connections++
    let rest = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        seen.push(line)
        socket.write(`${line.toUpperCase()}\n`)
      }
    })
  })
  return { address: `127.0.0.1:${await listen(server)}`, seen, connections: () => connections }
}

/** Sends each datagram back in capitals; one that begins with `lost` gets no answer. */
export async function startUdpEcho(): Promise<EchoServer> {
  const seen: string[] = []
  const server = createSocket('udp4')
  server.on('message', (datagram, { port, address }) => {
    const text = datagram.toString()
    seen.push(text)
    if (!text.startsWith('lost')) server.send(text.toUpperCase(), port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUpAfterTest(async () => {
    const closed = once(server, 'close')
    server.close()
    await closed
  })
  return { address: `127.0.0.1:${server.address().port}`, seen, connections: () => 0 }
}

/** A WebSocket server that greets each client after `delayMs`, and sends messages back. `ws://127.0.0.1:PORT`. */
export async function startGreeting(delayMs: number): Promise<{ url: string; opened: () => number }> {
  let opened = 0
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    opened++
    const timer = setTimeout(() => socket.send('welcome'), delayMs)
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => clearTimeout(timer))
  })
  cleanUpAfterTest(async () => {
    for (const client of server.clients) client.terminate()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, opened: () => opened }
}
