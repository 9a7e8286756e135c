import assert from 'node:assert/strict'
import { byteFaults } from '../../../src/faults/byte-faults.ts'
import { Proxied } from '../../support/proxied.ts'
import { TcpBackend } from '../../support/tcp-backend.ts'

const faults = byteFaults.filter(({ type }) => !type.startsWith('tls_'))
/** Attributes with which each would be felt. */
const felt: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  latency: { latency: 3_600_000 },
  slow_close: { delay: 3_600_000 },
  slicer: { average_size: 1, delay: 1_000_000 },
  corrupt: { rate: 1 },
  loss: { rate: 1 },
  connect_delay: { delay: 3_600_000 },
}

describe('connections that are spared', () => {
  for (const { type } of faults)
    it(`#27 ${type} of toxicity 0 is as if it were not there`, async () => {
      await using proxied = await Proxied.start(await TcpBackend.start(), [
        { type, name: 'up', stream: 'upstream', toxicity: 0, attributes: felt[type] ?? {} },
        { type, name: 'down', stream: 'downstream', toxicity: 0, attributes: felt[type] ?? {} },
      ])
      // The client ends, and the server after it: orderly, and each direction on its own.
      const { client, server } = await proxied.pair()
      client.write('request')
      client.end()
      assert.equal(await server.ended(), 'end')
      assert.equal(server.text, 'request')
      server.write('reply')
      await client.until(5)
      assert.equal(client.ending, null)
      server.end()
      assert.equal(await client.ended(), 'end')
      assert.equal(client.text, 'reply')
      // A reset is passed on as one.
      const second = await proxied.pair()
      second.client.write('x')
      await second.server.until(1)
      second.server.socket.resetAndDestroy()
      assert.equal(await second.client.ended(), 'ECONNRESET')
      // What is there when the fault goes, stays.
      const third = await proxied.pair()
      third.client.write('x')
      await third.server.until(1)
      proxied.proxy.rules.clear()
      third.client.write('y')
      await third.server.until(2)
      third.server.write('z')
      await third.client.until(1)
      assert.deepEqual(proxied.faults, [])
    })

  it('#27 a neighbour that comes, changes and goes never draws again, nor does an update', async () => {
    await using proxied = await Proxied.echo([
      { type: 'corrupt', name: 'some', toxicity: 0.5, attributes: { rate: 1 } },
    ])
    const { proxy } = proxied
    const clients = await Promise.all(Array.from({ length: 40 }, () => proxied.connect()))
    const hit = async (): Promise<boolean[]> =>
      Promise.all(
        clients.map(async (client) => {
          const before = client.length
          client.write('\0')
          await client.until(before + 1)
          return client.bytes[before] !== 0
        }),
      )
    const first = await hit()
    const count = first.filter(Boolean).length
    assert.ok(count >= 8 && count <= 32, `${count} of 40`)
    proxy.addFault({ type: 'noop', name: 'right' })
    assert.deepEqual(await hit(), first)
    proxy.updateFault('right', { toxicity: 0.3 })
    proxy.updateFault('some', { attributes: { rate: 1, offset: 1_000_000 } })
    assert.deepEqual(await hit(), first)
    proxy.removeFault('right')
    assert.deepEqual(await hit(), first)
    // A greater toxicity compares the same draws: who was hit still is.
    proxy.updateFault('some', { toxicity: 0.7 })
    const more = await hit()
    assert.ok(first.every((was, at) => !was || more[at]!))
    proxy.updateFault('some', { toxicity: 0.5 })
    assert.deepEqual(await hit(), first)
  })
})
