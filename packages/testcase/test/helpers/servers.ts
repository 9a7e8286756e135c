import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

interface Started {
  server: Server
  sockets: Set<Socket>
}

const started: Started[] = []

async function listen<T extends Server>(server: T): Promise<T> {
  const sockets = new Set<Socket>()
  started.push({ server, sockets })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** A node:http server on any port; its URL without the final slash. */
export async function serveHttp(listener: RequestListener): Promise<{ server: HttpServer; url: string }> {
  const server = await listen(createHttpServer(listener))
  // Who ends an idle connection is the client, or stopServers.
  server.keepAliveTimeout = 0
  return { server, url: `http://127.0.0.1:${portOf(server)}` }
}

export async function serveHttps(
  options: ServerOptions,
  listener: RequestListener,
): Promise<{ server: Server; port: number }> {
  const server = await listen(createHttpsServer(options, listener))
  server.keepAliveTimeout = 0
  return { server, port: portOf(server) }
}

/** A bare TCP server, for answers that no HTTP server would give. */
export async function serveTcp(
  onSocket: (socket: Socket) => void,
): Promise<{ server: Server; url: string; port: number }> {
  const server = await listen(
    createNetServer((socket) => {
      socket.on('error', () => {})
      onSocket(socket)
    }),
  )
  return { server, url: `http://127.0.0.1:${portOf(server)}`, port: portOf(server) }
}

/** For afterEach: stops all servers that a test started, with their connections. */
export async function stopServers(): Promise<void> {
  await Promise.all(
    started.splice(0).map(async ({ server, sockets }) => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }),
  )
}

/** A port that refuses connections: it was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = createNetServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

/** A self-signed certificate for localhost and 127.0.0.1. */
export function makeCertificate(): { key: string; cert: string } {
  const dir = mkdtempSync(path.join(tmpdir(), 'loads-cert-'))
  try {
    const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')]
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const subject = [
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ]
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** Everything of a request's body. */
export async function bodyOf(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
