import assert from 'node:assert/strict'
import { connect as connectPlain } from 'node:net'
import { connect } from 'node:tls'
import { randomOf } from '../../src/random.ts'
import { Peer } from '../support/peer.ts'
import { secureClient } from '../support/secure-client.ts'
import { Secured } from '../support/secured.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

/** Until it is so; what never comes true is the time limit's. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('TLS with whoever comes', () => {
  it('clients that leave at any moment of the handshake, or talk nonsense, leave nothing behind', async () => {
    await using secured = await Secured.echo([
      { type: 'tls_cut', toxicity: 0.2, attributes: { bytes: 200 } },
      { type: 'tls_stall', toxicity: 0.2, attributes: { bytes: 100, delay: 5 } },
      { type: 'tls_no_close_notify', toxicity: 0.2 },
      { type: 'tls_certificate', toxicity: 0.2 },
    ])
    const random = randomOf('clients')
    const clients = Array.from({ length: 200 }, async () => {
      const raw = connectPlain(secured.proxy.address)
      raw.on('error', () => {})
      const kind = random.integer(0, 4)
      const ms = random.integer(0, 12)
      if (kind === 0) raw.write(random.bytes(random.integer(1, 600)))
      else if (kind > 1) {
        const secure = connect({ socket: raw, ca: secured.proxy.authority!, host: '127.0.0.1' })
        secure.on('error', () => {}).on('secureConnect', () => secure.write('hello'))
      }
      await new Promise((resolve) => setTimeout(resolve, ms))
      if (kind === 2) raw.resetAndDestroy()
      else if (kind === 3) raw.end()
      else raw.destroy()
    })
    await Promise.all(clients)
    for (const rule of secured.proxy.rules.all()) secured.proxy.removeFault(rule.name)
    // Accepted last, since connections are accepted in their order.
    const { peer } = await secureClient(secured.trust)
    peer.write('still served')
    await peer.until(12)
    await until(() => secured.proxy.counters().open === 1)
    assert.equal(secured.of('close').length, secured.of('accept').length - 1)
  })

  it('#37 a client that does not read slows the backend down; all arrives when it does', async () => {
    const total = 60_000_000
    const piece = Buffer.alloc(100_000, 'x')
    let sent = 0
    const backend = await TcpBackend.start(({ socket }) => {
      const more = (): void => {
        while (sent < total) {
          sent += piece.length
          if (!socket.write(piece)) return void socket.once('drain', more)
        }
        socket.end()
      }
      more()
    })
    await using secured = await Secured.start(backend)
    const { socket, peer } = await secureClient(secured.trust)
    socket.pause()
    let before = -1
    // It stands still when nothing moves for a while.
    while (before !== sent) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    assert.ok(sent < total, 'the backend was not slowed down')
    assert.ok(secured.proxy.counters().held < 4_000_000, String(secured.proxy.counters().held))
    socket.resume()
    assert.equal(await peer.ended(), 'end')
    assert.equal(peer.length, total)
  }).timeout(60_000)

  it('opaque TLS goes through as it is, and faults of bytes reach it', async () => {
    await using far = await Secured.echo()
    await using near = await Secured.start(await TcpBackend.echo(), [], {
      listen: '127.0.0.1:0',
      backend: `127.0.0.1:${far.proxy.address.port}`,
      tls: { mode: 'opaque' },
    })
    assert.equal(near.proxy.authority, null)
    const trust = { ...near.proxy.address, ca: far.proxy.authority! }
    const { peer } = await secureClient(trust)
    peer.write('through')
    await peer.until(7)
    near.proxy.addFault({ type: 'limit_data', attributes: { bytes: 50 } })
    const raw = new Peer(connect({ ...trust, allowHalfOpen: true } as never))
    assert.match(await raw.ended(), /end|ECONNRESET/)
    assert.equal(near.of('fault')[0]?.fault, 'limit_data')
  })
})
