import assert from 'node:assert/strict'
import { Peer } from '../../support/peer.ts'
import { Proxied } from '../../support/proxied.ts'
import { TcpBackend } from '../../support/tcp-backend.ts'

describe('faults by who asks', () => {
  it('are for clients of the address that they match, and for no other', async () => {
    const match = { client: '127.0.0.2' }
    await using proxied = await Proxied.start(await TcpBackend.echo(), [
      { type: 'corrupt', attributes: { rate: 1, match } },
    ])
    // All of 127/8 are this machine.
    const from = (address: string) => Peer.connect(proxied.proxy.address, address)
    const hit = await from('127.0.0.2')
    const spared = await from('127.0.0.3')
    for (const client of [hit, spared]) client.write('\0')
    assert.notEqual((await hit.until(1))[0], 0)
    assert.equal((await spared.until(1))[0], 0)
    proxied.proxy.rules.clear()
    // Of those that are there, too, and of new ones.
    proxied.proxy.addFault({ type: 'reset_peer', attributes: { match } })
    proxied.proxy.addFault({ type: 'refuse', attributes: { match: { client: '127.0.0.4' } } })
    hit.write('x')
    assert.equal(await hit.ended(), 'ECONNRESET')
    const refused = await from('127.0.0.4')
    assert.equal(await refused.ended(), 'ECONNRESET')
    spared.write('x')
    assert.equal((await spared.until(2)).toString(), '\0x')
    spared.socket.destroy()
  })
})
