import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer as createPlain, type AddressInfo, type Socket } from 'node:net'
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls'
import { startProxy } from '../../src/proxy/proxy.ts'
import type { ChaosEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import { Certificates } from '../support/certificates.ts'
import { needs } from '../support/needs.ts'
import { Peer } from '../support/peer.ts'
import { secureClient } from '../support/secure-client.ts'
import { Secured } from '../support/secured.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

/** A backend that speaks TLS and echoes; what it saw of each handshake. */
class SecureBackend implements AsyncDisposable {
  readonly seen: { name: string | false; reused: boolean; client: string; alpn: string | false | null }[] = []
  readonly sockets: TLSSocket[] = []
  readonly #raw: Socket[] = []
  readonly #server

  private constructor(options: TlsOptions) {
    this.#server = createServer({ ...options, allowHalfOpen: true } as TlsOptions, (socket) => {
      this.sockets.push(socket)
      socket.on('error', () => {})
      const { servername, alpnProtocol: alpn } = socket as TLSSocket & { servername: string | false }
      const client = socket.getPeerCertificate().subject?.CN ?? ''
      this.seen.push({ name: servername, reused: socket.isSessionReused(), client: String(client), alpn })
      socket.pipe(socket)
    })
    this.#server.on('tlsClientError', () => {})
    // Those whose handshake fails half-closed, too.
    this.#server.on('connection', (socket: Socket) => this.#raw.push(socket))
  }

  static async start(
    certificates: Certificates,
    names: string,
    more: TlsOptions = {},
  ): Promise<SecureBackend> {
    const { cert, key } = await certificates.sign('backend', names)
    const backend = new SecureBackend({ cert: await readFile(cert), key: await readFile(key), ...more })
    backend.#server.listen(0, '127.0.0.1')
    await once(backend.#server, 'listening')
    return backend
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.sockets, ...this.#raw]) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

describe('TLS towards the backend', () => {
  let certificates: Certificates
  before(async () => {
    certificates = await Certificates.make()
  })
  after(() => certificates[Symbol.asyncDispose]())

  it('is spoken for plain clients; half-closed streams and large ones arrive whole', async () => {
    await using backend = await SecureBackend.start(certificates, 'IP:127.0.0.1')
    await using proxy = await startProxy({
      backend: `tls://127.0.0.1:${backend.port}`,
      tls: { ca: certificates.ca },
    })
    const peer = await Peer.connect(proxy.address)
    const text = Buffer.alloc(3_000_000, 'abcdefghij')
    peer.socket.end(text)
    assert.equal(await peer.ended(), 'end')
    assert.ok(peer.bytes.equals(text))
  })

  it('verifies the backend, unless it is told not to', async () => {
    await using backend = await SecureBackend.start(certificates, 'DNS:right.test')
    const address = `tls://127.0.0.1:${backend.port}`
    const ca = certificates.ca
    const tries: [object, string | null][] = [
      [{}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [{ ca }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [{ ca, serverName: 'wrong.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [{ ca, serverName: 'right.test' }, null],
      [{ verify: false }, null],
    ]
    for (const [tls, code] of tries) {
      const events = new EventHub()
      const told: ChaosEvent[] = []
      events.listen((event) => told.push(event))
      await using proxy = await startProxy({ backend: address, tls }, events)
      const peer = await Peer.connect(proxy.address)
      peer.write('hello')
      if (code === null) await peer.until(5)
      else assert.match(await peer.ended(), /end|ECONNRESET/)
      peer.socket.destroy()
      const dial = told.find(({ type }) => type === 'dial')
      assert.ok(dial?.type === 'dial')
      assert.equal(dial.error, code)
    }
  })

  it('asks for the host of the backend, for a name that was given, or for that of the client', async () => {
    await using backend = await SecureBackend.start(
      certificates,
      'DNS:localhost,DNS:one.test,DNS:two.test,IP:127.0.0.1',
    )
    const { ca } = certificates
    const tries: [string, object, string, string | false][] = [
      ['localhost', { ca }, 'one.test', 'localhost'],
      ['localhost', { ca, serverName: 'two.test' }, 'one.test', 'two.test'],
      ['localhost', { ca, serverName: '*' }, 'one.test', 'one.test'],
      ['127.0.0.1', { ca }, 'one.test', 'one.test'],
      ['127.0.0.1', { ca }, '', false],
    ]
    for (const [host, tls, asked, seen] of tries) {
      await using proxy = await startProxy({
        listen: 'tls://127.0.0.1:0',
        backend: `tls://${host}:${backend.port}`,
        tls,
      })
      const { peer, socket } = await secureClient({
        ...proxy.address,
        ca: proxy.authority!,
        servername: asked,
      })
      peer.write('hello')
      await peer.until(5)
      assert.equal(backend.seen.at(-1)?.name, seen)
      socket.destroy()
    }
  })

  it('shows the certificate that a backend asks for, and resumes its sessions', async () => {
    const client = await certificates.sign('the-proxy', 'DNS:client')
    const ca = await certificates.read(certificates.ca)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      await using backend = await SecureBackend.start(certificates, 'IP:127.0.0.1', {
        ca,
        requestCert: true,
        rejectUnauthorized: true,
        sessionIdContext: 'backend',
        maxVersion,
      })
      await using proxy = await startProxy({
        backend: `tls://127.0.0.1:${backend.port}`,
        tls: { ca, clientCert: client.cert, clientKey: client.key },
      })
      for (let i = 0; i < 3; i++) {
        const peer = await Peer.connect(proxy.address)
        peer.write('hello')
        await peer.until(5)
        peer.end()
        await peer.ended()
      }
      assert.deepEqual(
        backend.seen.map(({ reused }) => reused),
        [false, true, true],
      )
      assert.equal(backend.seen[0]?.client, 'the-proxy')
    }
  })

  it('a backend that is not TLS, or says nothing, is told as such, and the client is let go', async () => {
    for (const [speaks, dialTimeoutMs, code] of [
      ['SSH-2.0-none\r\n', 40_000, /ERR_SSL|EPROTO/],
      ['', 1000, /ETIMEDOUT/],
    ] as const) {
      const server = createPlain((socket) => {
        socket.on('error', () => {})
        if (speaks !== '') socket.write(speaks)
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const events = new EventHub()
      const closed = new Promise<ChaosEvent & { type: 'close' }>((resolve) => {
        events.listen((event) => void (event.type === 'close' && resolve(event)))
      })
      const port = (server.address() as AddressInfo).port
      await using proxy = await startProxy({ backend: `tls://127.0.0.1:${port}`, dialTimeoutMs }, events)
      const peer = await Peer.connect(proxy.address)
      assert.match(await peer.ended(), /end|ECONNRESET/)
      const close = await closed
      assert.equal(close.cause, 'tls-failed')
      assert.match(close.detail ?? '', code)
      server.close()
    }
  })

  it('resets get through TLS on both sides', async () => {
    await using backend = await SecureBackend.start(certificates, 'IP:127.0.0.1')
    await using proxy = await startProxy({
      listen: 'tls://127.0.0.1:0',
      backend: `tls://127.0.0.1:${backend.port}`,
      tls: { ca: certificates.ca },
    })
    const { peer } = await secureClient({ ...proxy.address, ca: proxy.authority! })
    peer.write('hello')
    await peer.until(5)
    const far = new Promise<string>((resolve) => {
      backend.sockets[0]!.once('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
    })
    proxy.addFault({ type: 'reset_peer' })
    peer.write('again')
    assert.equal(await peer.ended(), 'ECONNRESET')
    assert.equal(await far, 'ECONNRESET')
  })
})

describe('TLS towards clients', () => {
  it('a client that ends its half gets the whole reply', async () => {
    const text = 'late '.repeat(100_000)
    const backend = await TcpBackend.start(({ socket }) => {
      socket.on('end', () => socket.end(text))
    })
    await using secured = await Secured.start(backend)
    const { peer } = await secureClient(secured.trust)
    peer.socket.end('question')
    assert.equal(await peer.ended(), 'end')
    assert.equal(peer.text, text)
    assert.equal(backend.peers[0]?.text, 'question')
  })

  it('openssl verifies the chain, and resumes its session', async function () {
    needs(this, 'openssl')
    await using certificates = await Certificates.make()
    await using secured = await Secured.echo()
    const ca = `${certificates.directory}/proxy-ca.pem`
    const session = `${certificates.directory}/session`
    await writeFile(ca, secured.proxy.authority!)
    const { host, port } = secured.proxy.address
    const talk = (...args: string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const common = ['s_client', '-connect', `${host}:${port}`, '-servername', 'any.test', '-CAfile', ca]
        const child = execFile(
          'openssl',
          [...common, '-verify_return_error', '-verify_hostname', 'any.test', ...args],
          { timeout: 20_000 },
          (error, out) => (error === null ? resolve(out) : reject(error)),
        )
        // What it sends comes back: by then tickets have come, too.
        child.stdin!.write('hello\n')
        let seen = ''
        child.stdout!.on('data', (text: string) => {
          seen += text
          if (seen.includes('\nhello')) child.stdin!.end()
        })
      })
    for (const version of ['-tls1_2', '-tls1_3']) {
      const first = await talk(version, '-sess_out', session)
      assert.match(first, /Verify return code: 0 \(ok\)/)
      assert.match(first, /^New, TLSv1/m)
      const second = await talk(version, '-sess_in', session)
      assert.match(second, /^Reused, TLSv1/m)
    }
  })
})
