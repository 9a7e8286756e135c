import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type Server } from 'node:http'
import { connect } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { makeCertificate, portOf, serveHttp, serveHttps, stopServers } from '../helpers/servers.ts'
import { makeUser, releaseUsers } from '../helpers/user.ts'

/** An HTTP proxy that notes what it was asked. */
async function serveProxy(credentials?: string) {
  const asked: string[] = []
  const { server, url } = await serveHttp((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (credentials !== undefined && request.headers['proxy-authorization'] !== credentials) {
      return void response.writeHead(407).end()
    }
    const { 'proxy-authorization': _own, ...headers } = request.headers
    const onwards = httpRequest(request.url!, { method: request.method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onwards)
  })
  server.on('connect', (request, client) => {
    asked.push(`CONNECT ${request.url}`)
    client.on('error', () => {})
    if (credentials !== undefined && request.headers['proxy-authorization'] !== credentials) {
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    }
    const { hostname, port } = new URL(`http://${request.url}`)
    const onwards = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onwards.pipe(client)
      client.pipe(onwards)
    })
    onwards.on('error', () => client.destroy())
    client.on('close', () => onwards.destroy())
  })
  return { url, asked }
}

describe('TLS', () => {
  const certificate = makeCertificate()
  const client = makeCertificate()

  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('is verified unless the target says otherwise', async () => {
    const { port } = await serveHttps(certificate, (_request, response) => response.end('secret'))
    const url = `https://127.0.0.1:${port}/`

    const strict = makeUser()
    await assert.rejects(strict.test.session.get(url), {
      name: 'RequestError',
      class: 'tls',
      message: /--ca FILE or --insecure/,
    })
    assert.deepEqual(strict.meter.lines, [`GET ${url} tls failed`])
    assert.equal((await makeUser({ insecure: true }).test.session.get(url)).text(), 'secret')
    assert.equal((await makeUser({ ca: certificate.cert }).test.session.get(url)).text(), 'secret')
    await assert.rejects(makeUser({ ca: client.cert }).test.session.get(url), { class: 'tls' })
  })

  it('shows the client certificate to a server that asks for one', async () => {
    const options = { ...certificate, requestCert: true, ca: client.cert }
    const { port } = await serveHttps(options, (request, response) => {
      response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN)
    })
    const target = { ca: certificate.cert, cert: client.cert, key: client.key }
    assert.equal((await makeUser(target).test.session.get(`https://localhost:${port}/`)).text(), 'localhost')
    await assert.rejects(makeUser({ ca: certificate.cert }).test.session.get(`https://127.0.0.1:${port}/`), {
      name: 'RequestError',
    })
  })

  it('keeps connections, and carries WebSockets', async () => {
    let connections = 0
    const { server, port } = await serveHttps(certificate, (_request, response) => response.end('ok'))
    server.on('secureConnection', () => connections++)
    const sockets = new WebSocketServer({ server: server as unknown as Server })
    sockets.on('connection', (socket) =>
      socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)),
    )
    const { test } = makeUser({ insecure: true, serverUrl: `https://127.0.0.1:${port}` })
    for (let round = 0; round < 3; round++) assert.equal((await test.session.get('/')).status, 200)
    assert.equal(connections, 1)
    const socket = await test.createWs('/')
    await socket.send('x')
    assert.equal(await socket.receive(), 'echo x')
    await assert.rejects(makeUser().test.createWs(`wss://127.0.0.1:${port}/`), {
      name: 'RequestError',
      class: 'tls',
    })
  })

  it('says so when the PEM texts are none', async () => {
    await assert.rejects(makeUser({ ca: 'no pem', cert: 'x' }).test.session.get('https://127.0.0.1:9/'), {
      name: 'UsageError',
      message: /--ca, --cert or --key/,
    })
  })
})

describe('proxies', () => {
  const certificate = makeCertificate()
  const credentials = `Basic ${Buffer.from('ann:pw').toString('base64')}`

  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('forward plain HTTP', async () => {
    const proxy = await serveProxy(credentials)
    const { url } = await serveHttp((request, response) => {
      response.end(`${request.headers.host} ${request.url} ${request.headers['proxy-authorization']}`)
    })
    const { test, meter } = makeUser({ serverUrl: url, proxy: proxy.url.replace('//', '//ann:pw@') })
    const { host } = new URL(url)
    for (let round = 0; round < 2; round++) {
      const answer = await test.session.get('/x?y=1')
      assert.equal(answer.text(), `${host} /x?y=1 undefined`)
      assert.equal(answer.url, `${url}/x?y=1`)
    }
    assert.deepEqual(proxy.asked, [`GET ${url}/x?y=1`, `GET ${url}/x?y=1`])
    assert.deepEqual(meter.lines, ['GET /x 200', 'GET /x 200'])
  })

  it('tunnel TLS', async () => {
    const proxy = await serveProxy(credentials)
    const { port } = await serveHttps(certificate, (_request, response) => response.end('through'))
    const target = { insecure: true, proxy: proxy.url.replace('//', '//ann:pw@') }
    const { test } = makeUser(target)
    for (let round = 0; round < 2; round++) {
      assert.equal((await test.session.get(`https://127.0.0.1:${port}/`)).text(), 'through')
    }
    assert.deepEqual(proxy.asked, [`CONNECT 127.0.0.1:${port}`])
  })

  it('tunnel WebSockets', async () => {
    const proxy = await serveProxy()
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => socket.send('hello'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { test } = makeUser({ proxy: proxy.url })
      const socket = await test.createWs(`ws://127.0.0.1:${portOf(server)}/`)
      assert.equal(await socket.receive(), 'hello')
      await socket.close()
      assert.deepEqual(proxy.asked, [`CONNECT 127.0.0.1:${portOf(server)}`])
    } finally {
      sockets.close()
      server.close()
    }
  })

  it('that refuse are told from servers that do', async () => {
    const proxy = await serveProxy(credentials)
    const { test } = makeUser({ proxy: proxy.url })
    await assert.rejects(test.session.get('https://127.0.0.1:9/'), {
      name: 'RequestError',
      class: 'refused',
      message: /the proxy answered 407 to CONNECT 127\.0\.0\.1:9/,
    })
    assert.equal((await test.session.get('http://127.0.0.1:9/')).status, 407)
  })

  it('must be HTTP URLs, and their credentials are not shown', async () => {
    const { test } = makeUser({ proxy: 'socks://ann:pw@localhost' })
    await assert.rejects(test.session.get('http://127.0.0.1:9/'), (error: Error) => {
      assert.match(error.message, /--proxy "socks:\/\/localhost" is no http/)
      return true
    })
  })
})
