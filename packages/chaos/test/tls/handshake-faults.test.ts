import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { startProxy } from '../../src/proxy/proxy.ts'
import type { FaultRequest } from '../../src/rules/rule.ts'
import { Peer } from '../support/peer.ts'
import { handshakeError, secureClient } from '../support/secure-client.ts'
import { Secured } from '../support/secured.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

/** A handshake whose records a test can look at: bytes of the server as they came. */
async function recorded(secured: Secured) {
  const raw = connect({ ...secured.proxy.address, allowHalfOpen: true })
  await once(raw, 'connect')
  const peer = new Peer(raw)
  // The bytes of a client hello, made by a client whose answers never come.
  const hello = await helloOf()
  raw.write(hello)
  return peer
}

async function helloOf(): Promise<Buffer> {
  await using server = await TcpBackend.start()
  const client = connectTls({ port: Number(server.address.split(':')[1]), servername: 'localhost' })
  client.on('error', () => {})
  const peer = await server.next()
  await peer.until(5)
  const length = 5 + peer.bytes.readUInt16BE(3)
  const hello = await peer.until(length)
  client.destroy()
  return Buffer.from(hello.subarray(0, length))
}

describe('faults of the TLS handshake', () => {
  it('tls_cut ends the connection after the client hello, orderly or by a reset', async () => {
    for (const [how, ending] of [
      ['fin', 'end'],
      ['rst', 'ECONNRESET'],
    ]) {
      await using secured = await Secured.echo([{ type: 'tls_cut', attributes: { how } }])
      const peer = await recorded(secured)
      assert.equal(await peer.ended(), ending)
      assert.equal(peer.length, 0)
      assert.equal(await handshakeError(secured.trust), 'ECONNRESET')
      assert.equal(secured.backend.peers.length, 0)
      assert.deepEqual(
        secured.of('fault').map(({ fault, connection }) => [fault, connection]),
        [
          ['tls_cut', 1],
          ['tls_cut', 2],
        ],
      )
    }
  })

  it('tls_cut lets so many bytes of the answer through, exactly', async () => {
    for (const bytes of [1, 5, 100, 321]) {
      await using secured = await Secured.echo([{ type: 'tls_cut', attributes: { bytes } }])
      const peer = await recorded(secured)
      assert.equal(await peer.ended(), 'end')
      assert.equal(peer.length, bytes)
      assert.equal(peer.bytes[0], 0x16)
    }
  })

  it('tls_cut beyond the handshake cuts right after it', async () => {
    await using secured = await Secured.echo([{ type: 'tls_cut', attributes: { bytes: 1_000_000 } }])
    const { peer } = await secureClient(secured.trust)
    peer.write('lost')
    assert.match(await peer.ended(), /end|ECONNRESET/)
    assert.equal(peer.length, 0)
    assert.equal(secured.backend.peers.length, 0)
  })

  it('tls_stall leaves the client waiting, and goes on after its delay or when it is removed; others are served', async () => {
    for (const bytes of [0, 50, 1_000_000]) {
      await using secured = await Secured.echo()
      const scope = await secured.proxy.withFault({ type: 'tls_stall', attributes: { bytes } })
      let isThere = false
      const stalled = secureClient(secured.trust).then(({ peer }) => {
        isThere = true
        return peer
      })
      const delayed = await Secured.echo([{ type: 'tls_stall', attributes: { bytes, delay: 300 } }])
      const began = performance.now()
      const { peer: late } = await secureClient(delayed.trust)
      late.write('late')
      await late.until(4)
      assert.ok(performance.now() - began >= 299)
      await delayed[Symbol.asyncDispose]()
      // A client of TLS 1.3 is ready before the last bytes of the server.
      if (bytes < 1_000_000) assert.equal(isThere, false)
      assert.equal(secured.backend.peers.length, 0)
      await scope.end()
      const peer = await stalled
      peer.write('at last')
      assert.equal((await peer.until(7)).toString(), 'at last')
      peer.socket.destroy()
    }
  })

  it('a stalled client that leaves is forgotten', async () => {
    await using secured = await Secured.echo([{ type: 'tls_stall' }])
    const peer = await recorded(secured)
    while (secured.of('fault').length === 0) await new Promise((resolve) => setImmediate(resolve))
    peer.socket.resetAndDestroy()
    while (secured.of('close').length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(secured.proxy.counters().open, 0)
  })

  it('disabling ends stalled handshakes', async () => {
    await using secured = await Secured.echo([{ type: 'tls_stall', attributes: { bytes: 10 } }])
    const peer = await recorded(secured)
    await peer.until(10)
    await secured.proxy.disable()
    assert.match(await peer.ended(), /end|ECONNRESET/)
    assert.equal(secured.proxy.counters().open, 0)
  })

  it('tls_alert refuses with the alert that was asked for', async () => {
    const codes = {
      handshake_failure: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      protocol_version: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      internal_error: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
      unrecognized_name: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
      access_denied: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
    }
    for (const [alert, code] of Object.entries(codes)) {
      await using secured = await Secured.echo([{ type: 'tls_alert', attributes: { alert } }])
      assert.equal(await handshakeError(secured.trust), code)
      const peer = await recorded(secured)
      await peer.ended()
      assert.equal(peer.bytes.subarray(0, 6).toString('hex'), '150303000202')
      assert.equal(peer.length, 7)
    }
  })

  it('tls_no_close_notify ends without the word that it does; all bytes arrive', async () => {
    const text = 'x'.repeat(300_000)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const alerts: boolean[] = []
      for (const faults of [[], [{ type: 'tls_no_close_notify' }]] as FaultRequest[][]) {
        const backend = await TcpBackend.start(({ socket }) => void socket.end(text))
        await using secured = await Secured.start(backend, faults)
        const records: Buffer[] = []
        // TLS takes a socket over; what is on the wire is seen in between.
        await using relay = await TcpBackend.start(({ socket }) => {
          const onward = connect({ ...secured.proxy.address, allowHalfOpen: true })
          onward.on('data', (bytes: Buffer) => records.push(bytes)).on('error', () => {})
          socket.on('close', () => onward.destroy())
          socket.pipe(onward).pipe(socket)
        })
        const { peer, socket } = await secureClient({
          host: '127.0.0.1',
          port: Number(relay.address.split(':')[1]),
          ca: secured.proxy.authority!,
          maxVersion: version,
        })
        await peer.until(text.length)
        assert.equal(await peer.ended(), 'end')
        alerts.push(endsWithAlert(Buffer.concat(records), version))
        socket.destroy()
      }
      assert.deepEqual(alerts, [true, false])
    }
  })

  it('are refused where the proxy does not speak TLS with its clients', async () => {
    const backend = '127.0.0.1:1'
    for (const type of ['tls_cut', 'tls_stall', 'tls_alert', 'tls_no_close_notify', 'tls_certificate']) {
      await assert.rejects(startProxy({ backend, faults: [{ type }] }), {
        code: 'CHAOS_ATTRIBUTE',
        message: /write tls:\/\/ in front of listen/,
      })
      await using proxy = await startProxy({ backend })
      assert.throws(() => proxy.addFault({ type }), { code: 'CHAOS_ATTRIBUTE' })
    }
  })

  it('garbage in place of a client hello ends that connection alone', async () => {
    await using secured = await Secured.echo()
    for (const garbage of [
      'GET / HTTP/1.1\r\n\r\n',
      '\u0000'.repeat(100),
      '\u0016\u0003\u0001\u0000\u0005hello',
    ]) {
      const peer = new Peer(connect({ ...secured.proxy.address, allowHalfOpen: true }))
      peer.socket.write(Buffer.from(garbage, 'latin1'))
      await peer.ended()
    }
    const { peer } = await secureClient(secured.trust)
    peer.write('served')
    await peer.until(6)
    assert.deepEqual(
      secured.of('close').map(({ cause }) => cause),
      ['tls-failed', 'tls-failed', 'tls-failed'],
    )
  })
})

/** The last record is an alert; in TLS 1.3 it is wrapped, and known by its length of 2 + 1 + 16 bytes. */
function endsWithAlert(bytes: Buffer, version: string): boolean {
  let at = 0
  let last = { type: 0, length: 0 }
  while (at + 5 <= bytes.length) {
    last = { type: bytes[at]!, length: bytes.readUInt16BE(at + 3) }
    at += 5 + last.length
  }
  assert.equal(at, bytes.length)
  return version === 'TLSv1.2' ? last.type === 0x15 : last.type === 0x17 && last.length === 19
}
