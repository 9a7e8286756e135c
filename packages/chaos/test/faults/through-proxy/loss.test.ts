import assert from 'node:assert/strict'
import { Proxied } from '../../support/proxied.ts'

describe('loss through a proxy', () => {
  it('makes who waits wait for the retry, and loses no byte', async () => {
    await using proxied = await Proxied.echo([{ type: 'loss', attributes: { rate: 0.2, rto: 60 } }])
    const client = await proxied.connect()
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at >> 8) & 255))
    const began = performance.now()
    client.write(sent)
    assert.ok((await client.until(sent.length)).equals(sent))
    // About 40 of 205 segments are lost; that none is has a chance of one in 10^19.
    assert.ok(performance.now() - began >= 60)
    assert.equal(proxied.faults.length, 1)
    const { detail } = proxied.faults[0]!
    assert.ok(Number(detail!['retries']) >= 1 && Number(detail!['ms']) >= 60)
    proxied.proxy.updateFault('loss_downstream', { attributes: { rate: 0 } })
    client.end()
    assert.equal(await client.ended(), 'end')
    assert.equal(client.length, sent.length)
  })
})
