/**
 * A small server to make load against, with a counter of its own: what it counted is the referee of what a run reports.
 *
 * HTTP (port 9200): `/` like the front page of a small search engine, `/users/:id`, `/slow?ms=100`, `/status/:code`,
 * `/count` (which is not counted itself). WebSocket echo (port 9000): `/ws`.
 *
 *     node examples/target/server.js [--http-port 9200] [--ws-port 9000]
 */
import { realpathSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WebSocketServer } from 'ws'

/** `localhost` is one or the other, by machine and client: listen on both, so that the name just works. */
const addresses = ['127.0.0.1', '::1']
const maxSlowMs = 60_000

/**
 * What the target has seen: HTTP requests, WebSocket handshakes, and messages that arrived.
 *
 * @typedef {{ http: number, websocket: number, messages: number }} Count
 */

/**
 * Starts the target; port 0 takes any free port.
 *
 * @param {{ httpPort?: number, wsPort?: number }} [options]
 * @returns {Promise<{ httpPort: number, wsPort: number, httpUrl: string, wsUrl: string, count: () => Count,
 *   stop: () => Promise<void> }>}
 */
export async function startTarget({ httpPort = 9200, wsPort = 9000 } = {}) {
  const count = { http: 0, websocket: 0, messages: 0 }
  const echo = new WebSocketServer({ noServer: true, path: '/ws' })
  echo.on('connection', (socket) => {
    count.websocket++
    socket.on('message', (data, isBinary) => {
      count.messages++
      socket.send(data, { binary: isBinary })
    })
    // A client that breaks the protocol or vanishes ends its own connection and nothing else.
    socket.on('error', () => socket.terminate())
  })

  const http = await listen(httpPort, '--http-port', () =>
    createServer((request, response) => {
      request.resume()
      const url = parseUrl(request.url)
      if (url === null) return sendJson(response, 400, { error: 'this is no path' })
      if (url.pathname === '/count') return sendJson(response, 200, count)
      count.http++
      answer(url, request, response)
    }),
  )
  const websocket = await listen(wsPort, '--ws-port', () =>
    createServer((_request, response) => {
      sendJson(response, 426, { error: 'this port speaks WebSocket: connect to /ws' })
    }).on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      if (!echo.shouldHandle(request))
        return socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      echo.handleUpgrade(request, socket, head, (client) => echo.emit('connection', client, request))
    }),
  ).catch(async (error) => {
    await http.stop()
    throw error
  })

  return {
    httpPort: http.port,
    wsPort: websocket.port,
    httpUrl: `http://localhost:${http.port}`,
    wsUrl: `ws://localhost:${websocket.port}/ws`,
    count: () => ({ ...count }),
    async stop() {
      for (const client of echo.clients) client.terminate()
      await Promise.all([http.stop(), websocket.stop()])
    },
  }
}

/**
 * @param {string | undefined} text what stands in the request line: a path, so the host is only there to parse it
 */
function parseUrl(text = '/') {
  return URL.canParse(text, 'http://target') ? new URL(text, 'http://target') : null
}

/**
 * @param {URL} url
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
function answer(url, request, response) {
  const [first, second = ''] = url.pathname.split('/').slice(1)
  if (url.pathname === '/') return sendJson(response, 200, frontPage)
  if (first === 'users' && second !== '') {
    return sendJson(response, 200, { id: second, name: `User ${second}`, method: request.method })
  }
  if (first === 'status') {
    const code = Number(second)
    if (Number.isInteger(code) && code >= 200 && code <= 599)
      return sendJson(response, code, { status: code })
    return sendJson(response, 400, { error: `no such status: ${second}` })
  }
  if (first === 'slow') {
    const ms = Math.min(Math.max(Number(url.searchParams.get('ms') ?? 100) || 0, 0), maxSlowMs)
    const timer = setTimeout(() => sendJson(response, 200, { ms }), ms)
    response.on('close', () => clearTimeout(timer))
    return
  }
  sendJson(response, 404, { error: `nothing at ${url.pathname}` })
}

const frontPage = {
  name: 'node-1',
  cluster_name: 'loads-example',
  version: { number: '1.0.0' },
  tagline: 'You asked, and this page is the answer',
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {unknown} value
 */
function sendJson(response, status, value) {
  // These two have no body by definition.
  const body = status === 204 || status === 304 ? '' : JSON.stringify(value)
  response.writeHead(status, {
    'Content-Type': 'application/json',
    ...(body === '' ? {} : { 'Content-Length': Buffer.byteLength(body) }),
  })
  response.end(body)
}

/**
 * One server on every address, all on the same port.
 *
 * @param {number} port
 * @param {string} option what the user can say to choose another port
 * @param {() => import('node:http').Server} create
 */
async function listen(port, option, create) {
  // A port that is free on one address can be taken on the other: with port 0, try a few.
  for (let attempt = 1; ; attempt++) {
    /** @type {import('node:http').Server[]} */
    const servers = []
    let chosen = port
    try {
      for (const address of addresses) {
        const server = create()
        if (!(await bind(server, address, chosen))) continue
        servers.push(server)
        chosen = /** @type {import('node:net').AddressInfo} */ (server.address()).port
      }
      if (servers.length === 0) throw new Error(`this machine has neither of ${addresses.join(', ')}`)
      return { port: chosen, stop: () => closeAll(servers) }
    } catch (error) {
      await closeAll(servers)
      if (error.code !== 'EADDRINUSE') throw error
      if (port === 0 && attempt < 10) continue
      const message = `port ${chosen} is in use (${error.address}): stop what listens there, or choose another with ${option}`
      throw new Error(message, { cause: error })
    }
  }
}

/**
 * @param {import('node:http').Server} server
 * @param {string} address
 * @param {number} port
 * @returns {Promise<boolean>} false where the machine does not have such addresses
 */
function bind(server, address, port) {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve(false)
      else reject(error)
    })
    // Idle connections of load tests are kept as long as the client likes.
    server.keepAliveTimeout = 0
    server.listen({ host: address, port, backlog: 4096 }, () => resolve(true))
  })
}

/** @param {import('node:http').Server[]} servers */
function closeAll(servers) {
  return Promise.all(
    servers.map((server) => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      return closed
    }),
  )
}

async function main() {
  const { values } = parseArgs({
    options: {
      'http-port': { type: 'string', default: '9200' },
      'ws-port': { type: 'string', default: '9000' },
    },
  })
  const target = await startTarget({
    httpPort: toPort(values['http-port']),
    wsPort: toPort(values['ws-port']),
  })
  console.log(`target: ${target.httpUrl} and ${target.wsUrl} (what it counts: ${target.httpUrl}/count)`)
  const stop = () => void target.stop()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

/** @param {string} text */
function toPort(text) {
  const port = Number(text)
  if (text.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`not a port: ${text}`)
  return port
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`error: ${error.message}`)
    process.exitCode = 1
  })
}
