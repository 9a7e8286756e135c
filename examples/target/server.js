/**
 * A small server to make load against, with a counter of its own: what it counted is the referee of what a run reports.
 *
 * HTTP (port 9200): `/` like the front page of a small search engine, `/users/:id`, `/slow?ms=100`, `/status/:code`,
 * `/count` (which is not counted itself), `/prices?count=5&ms=20` (server-sent events), `/orders/:customer`. WebSocket echo (port 9000): `/ws`.
 * TCP echo (port 9001), and gRPC (port 9002): the service of `greeter.proto`.
 *
 *     node examples/target/server.js [--http-port 9200] [--ws-port 9000] [--tcp-port 9001] [--grpc-port 9002]
 *       [--host 0.0.0.0]                      only this machine can reach it where nothing is said
 */
import { realpathSync } from 'node:fs'
import { createServer, Server as HttpServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WebSocketServer } from 'ws'

/** `localhost` is one or the other, by machine and client: listen on both, so that the name just works. */
const localAddresses = ['127.0.0.1', '::1']
const maxSlowMs = 60_000
const maxEvents = 1000
const mostCustomers = 10_000

/**
 * Keys of the orders of each customer; null: an order without one.
 *
 * @type {Map<string, (string | string[] | null)[]>}
 */
const orders = new Map()

/**
 * What the target has seen: HTTP requests, WebSocket handshakes, and messages that arrived; TCP connections and gRPC
 * calls where it listens for them.
 *
 * @typedef {{ http: number, websocket: number, messages: number, tcp?: number, grpc?: number }} Count
 */

/**
 * Starts the target; port 0 takes any free port, null: none.
 *
 * @param {{ httpPort?: number, wsPort?: number, tcpPort?: number | null, grpcPort?: number | null,
 *   addresses?: string[] }} [options]
 * @returns {Promise<{ httpPort: number, wsPort: number, tcpPort: number | null, grpcPort: number | null,
 *   httpUrl: string, wsUrl: string, count: () => Count, stop: () => Promise<void> }>}
 */
export async function startTarget({
  httpPort = 9200,
  wsPort = 9000,
  tcpPort = null,
  grpcPort = null,
  addresses = localAddresses,
} = {}) {
  /** @type {Count} */
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

  /** @type {(() => Promise<unknown>)[]} */
  const stops = []
  const stop = async () => {
    for (const client of echo.clients) client.terminate()
    await Promise.all(stops.map((each) => each()))
  }
  try {
    const http = await listen(addresses, httpPort, '--http-port', () =>
      createServer((request, response) => {
        request.resume()
        const url = parseUrl(request.url)
        if (url === null) return sendJson(response, 400, { error: 'this is no path' })
        if (url.pathname === '/count') return sendJson(response, 200, count)
        count.http++
        answer(url, request, response)
      }),
    )
    stops.push(http.stop)
    const websocket = await listen(addresses, wsPort, '--ws-port', () =>
      createServer((_request, response) => {
        sendJson(response, 426, { error: 'this port speaks WebSocket: connect to /ws' })
      }).on('upgrade', (request, socket, head) => {
        socket.on('error', () => socket.destroy())
        if (!echo.shouldHandle(request))
          return socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
        echo.handleUpgrade(request, socket, head, (client) => echo.emit('connection', client, request))
      }),
    )
    stops.push(websocket.stop)
    const tcp =
      tcpPort === null ? null : await listen(addresses, tcpPort, '--tcp-port', () => createTcpEcho(count))
    if (tcp !== null) stops.push(tcp.stop)
    const grpc = grpcPort === null ? null : await startGrpc(addresses[0] ?? '127.0.0.1', grpcPort, count)
    if (grpc !== null) stops.push(grpc.stop)
    return {
      httpPort: http.port,
      wsPort: websocket.port,
      tcpPort: tcp?.port ?? null,
      grpcPort: grpc?.port ?? null,
      httpUrl: `http://localhost:${http.port}`,
      wsUrl: `ws://localhost:${websocket.port}/ws`,
      count: () => ({ ...count }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Sends back whatever comes.
 *
 * @param {Count} count
 */
function createTcpEcho(count) {
  count.tcp = 0
  return createTcpServer((socket) => {
    count.tcp = (count.tcp ?? 0) + 1
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
}

/**
 * The service of `greeter.proto`.
 *
 * @param {string} address
 * @param {number} port
 * @param {Count} count
 */
async function startGrpc(address, port, count) {
  // Only who wants gRPC waits for it to load.
  const [grpc, { loadSync }] = await Promise.all([import('@grpc/grpc-js'), import('@grpc/proto-loader')])
  const definition = grpc.loadPackageDefinition(
    loadSync(fileURLToPath(new URL('../greeter.proto', import.meta.url))),
  )
  const { Greeter } = /** @type {Record<string, import('@grpc/grpc-js').ServiceClientConstructor>} */ (
    definition.demo
  )
  count.grpc = 0
  const called = () => (count.grpc = (count.grpc ?? 0) + 1)
  const server = new grpc.Server()
  server.addService(Greeter.service, {
    /** @type {import('@grpc/grpc-js').handleUnaryCall<{ name: string }, { text: string }>} */
    SayHello(call, callback) {
      called()
      callback(null, { text: `Hello ${call.request.name}` })
    },
    /** @type {import('@grpc/grpc-js').handleServerStreamingCall<{ name: string, count: number }, { text: string }>} */
    SayManyHellos(call) {
      called()
      const { name, count: times } = call.request
      for (let each = 1; each <= Math.min(times, maxEvents); each++)
        call.write({ text: `Hello ${name}, ${each}` })
      call.end()
    },
  })
  const chosen = await new Promise((resolve, reject) => {
    server.bindAsync(`${address}:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else
        reject(
          new Error(`port ${port} is in use: stop what listens there, or choose another with --grpc-port`),
        )
    })
  })
  return { port: /** @type {number} */ (chosen), stop: async () => server.forceShutdown() }
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
  if (first === 'prices') return sendPrices(url, response)
  if (first === 'orders' && second !== '') return sendJson(response, 200, { bought: order(second, request) })
  sendJson(response, 404, { error: `nothing at ${url.pathname}` })
}

/**
 * Takes an order (POST) of a customer and tells how many it has. One with the `Idempotency-Key` of an earlier one is that one.
 *
 * @param {string} customer
 * @param {import('node:http').IncomingMessage} request
 */
function order(customer, request) {
  const keys = orders.get(customer) ?? []
  if (request.method !== 'POST') return keys.length
  const key = request.headers['idempotency-key'] ?? null
  if (key === null || !keys.includes(key)) keys.push(key)
  if (orders.size >= mostCustomers) orders.clear()
  orders.set(customer, keys)
  return keys.length
}

/**
 * A price every few milliseconds, and a last event that says so.
 *
 * @param {URL} url
 * @param {import('node:http').ServerResponse} response
 */
function sendPrices(url, response) {
  const number = (name, fallback) => Math.max(0, Number(url.searchParams.get(name) ?? fallback) || 0)
  const count = Math.min(number('count', 5), maxEvents)
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  let sent = 0
  const timer = setInterval(
    () => {
      if (sent++ < count) return response.write(`id: ${sent}\nevent: price\ndata: ${100 + (sent % 7)}\n\n`)
      clearInterval(timer)
      response.end('event: last\ndata: that is all\n\n')
    },
    Math.min(number('ms', 20), maxSlowMs),
  )
  response.on('close', () => clearInterval(timer))
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
 * @param {readonly string[]} addresses
 * @param {number} port
 * @param {string} option what the user can say to choose another port
 * @param {() => import('node:net').Server} create
 */
async function listen(addresses, port, option, create) {
  // A port that is free on one address can be taken on the other: with port 0, try a few.
  for (let attempt = 1; ; attempt++) {
    /** @type {import('node:net').Server[]} */
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
 * @param {import('node:net').Server} server
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
    if (server instanceof HttpServer) server.keepAliveTimeout = 0
    // What is not HTTP has to be told of its connections to end them.
    else trackSockets(server)
    server.listen({ host: address, port, backlog: 4096 }, () => resolve(true))
  })
}

/** @type {WeakMap<import('node:net').Server, Set<import('node:net').Socket>>} */
const socketsOf = new WeakMap()

/** @param {import('node:net').Server} server */
function trackSockets(server) {
  const sockets = new Set()
  socketsOf.set(server, sockets)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
}

/** @param {import('node:net').Server[]} servers */
function closeAll(servers) {
  return Promise.all(
    servers.map((server) => {
      const closed = new Promise((resolve) => server.close(resolve))
      if (server instanceof HttpServer) server.closeAllConnections()
      for (const socket of socketsOf.get(server) ?? []) socket.destroy()
      return closed
    }),
  )
}

async function main() {
  const { values } = parseArgs({
    options: {
      host: { type: 'string' },
      'http-port': { type: 'string', default: '9200' },
      'ws-port': { type: 'string', default: '9000' },
      'tcp-port': { type: 'string', default: '9001' },
      'grpc-port': { type: 'string', default: '9002' },
    },
  })
  const target = await startTarget({
    httpPort: toPort(values['http-port']),
    wsPort: toPort(values['ws-port']),
    tcpPort: toPort(values['tcp-port']),
    grpcPort: toPort(values['grpc-port']),
    ...(values.host === undefined ? {} : { addresses: [values.host] }),
  })
  const others = `TCP ${target.tcpPort}, gRPC ${target.grpcPort}`
  console.log(
    `target: ${target.httpUrl}, ${target.wsUrl}, ${others} (what it counts: ${target.httpUrl}/count)`,
  )
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
