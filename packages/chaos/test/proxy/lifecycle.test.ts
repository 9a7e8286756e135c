import assert from 'node:assert/strict'
import { EventHub } from '../../src/events/event-hub.ts'
import { Proxies } from '../../src/proxy/proxies.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { BlackHole } from '../support/black-hole.ts'
import { freePort } from '../support/free-port.ts'
import { Peer } from '../support/peer.ts'
import { TcpBackend } from '../support/tcp-backend.ts'
import { turnsUntil } from '../support/turns.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

async function isEchoing({ host, port }: { host: string; port: number }): Promise<boolean> {
  const client = await Peer.connect({ host, port })
  if (client.ending !== null) return false
  client.write('hello')
  const isSame = (await client.until(5)).toString() === 'hello'
  client.socket.destroy()
  return isSame
}

describe('the life of a proxy', () => {
  it('#3 stops as often as wanted, and starts again on its port', async () => {
    await using backend = await TcpBackend.echo()
    const proxy = await startProxy({ backend: backend.address, enabled: false })
    assert.equal(proxy.listen, '127.0.0.1:0')
    assert.throws(() => proxy.address, { code: 'CHAOS_STATE' })
    await proxy.disable()
    await proxy.enable()
    const { address } = proxy
    await proxy.enable()
    assert.ok(await isEchoing(address))
    for (let count = 0; count < 3; count++) await proxy.disable()
    assert.equal((await Peer.connect(address)).ending, 'ECONNREFUSED')
    await proxy.enable()
    assert.deepEqual(proxy.address, address)
    assert.ok(await isEchoing(address))
    for (let count = 0; count < 3; count++) await proxy.close()
    await assert.rejects(proxy.enable(), { code: 'CHAOS_STATE' })
  })

  it('#3 tells that a port is taken, in the words of other proxies, and starts when it is free', async () => {
    await using backend = await TcpBackend.echo()
    const first = await startProxy({ backend: backend.address })
    const second = await startProxy({ backend: backend.address, listen: first.listen, enabled: false })
    await assert.rejects(second.enable(), {
      code: 'CHAOS_BIND',
      message: `listen tcp ${first.listen}: bind: address already in use`,
    })
    await assert.rejects(startProxy({ backend: backend.address, listen: first.listen }), {
      code: 'CHAOS_BIND',
    })
    await first.close()
    await second.enable()
    assert.ok(await isEchoing(second.address))
    await second.close()
  })

  it('stays where it is when it cannot listen where it was to go', async () => {
    await using backend = await TcpBackend.echo()
    await using other = await startProxy({ backend: backend.address })
    await using proxy = await startProxy({ backend: backend.address })
    const { address, listen } = proxy
    await assert.rejects(proxy.update({ listen: other.listen, backend: 'localhost:1' }), {
      code: 'CHAOS_BIND',
    })
    assert.deepEqual([proxy.listen, proxy.backend, proxy.enabled], [listen, backend.address, true])
    assert.ok(await isEchoing(address))
    await assert.rejects(proxy.update({ listen: `tls://${listen}` }), { code: 'CHAOS_ADDRESS' })
    assert.ok(await isEchoing(address))
  })

  it('#4 moves to another port, and stays with its connections where the address is the same', async () => {
    await using backend = await TcpBackend.echo()
    await using proxy = await startProxy({ backend: backend.address, listen: 'localhost:0' })
    const { host, port } = proxy.address
    assert.equal(host, '127.0.0.1')
    const client = await Peer.connect({ host, port })
    client.write('one')
    await client.until(3)
    await proxy.update({ listen: `localhost:${port}` })
    await proxy.update({ listen: `127.0.0.1:${port}`, backend: backend.address, enabled: true })
    client.write('two')
    assert.equal((await client.until(6)).toString(), 'onetwo')
    await proxy.update({ listen: '127.0.0.1:0' })
    assert.notEqual(proxy.address.port, port)
    await client.ended()
    assert.ok(await isEchoing(proxy.address))
    assert.equal((await Peer.connect({ host, port })).ending, 'ECONNREFUSED')
    await proxy.update({ enabled: false })
    assert.equal((await Peer.connect({ host, port })).ending, 'ECONNREFUSED')
  })

  it('#4 sends new connections to a new backend, and drops the old ones; faults stay', async () => {
    await using one = await TcpBackend.start((peer) => peer.write('one'))
    await using two = await TcpBackend.start((peer) => peer.write('two'))
    await using proxy = await startProxy({ backend: one.address, faults: [{ type: 'noop' }] })
    const { address } = proxy
    const before = await Peer.connect(address)
    assert.equal((await before.until(3)).toString(), 'one')
    await proxy.update({ backend: two.address })
    assert.equal(proxy.backend, two.address)
    await before.ended()
    const after = await Peer.connect(address)
    assert.equal((await after.until(3)).toString(), 'two')
    after.socket.destroy()
    assert.deepEqual(
      proxy.rules.all().map(({ name }) => name),
      ['noop_downstream'],
    )
    await assert.rejects(proxy.update({ backend: 'nowhere' }), { code: 'CHAOS_ADDRESS' })
    assert.equal(proxy.backend, two.address)
  })

  it('names what is wrong with options', async () => {
    const wrong: [object, string][] = [
      [{ backend: 'x' }, 'CHAOS_ADDRESS'],
      [{ backend: ':80' }, 'CHAOS_ADDRESS'],
      [{ backend: 'a:70000' }, 'CHAOS_ADDRESS'],
      [{ backend: '[::g]:80' }, 'CHAOS_ADDRESS'],
      [{ listen: '127.0.0.1' }, 'CHAOS_ADDRESS'],
      [{ protocol: 'gopher' }, 'CHAOS_PROTOCOL'],
      [{ seed: -1 }, 'CHAOS_ATTRIBUTE'],
      [{ seed: 1.5 }, 'CHAOS_ATTRIBUTE'],
      [{ dialTimeoutMs: 0 }, 'CHAOS_ATTRIBUTE'],
      [{ maxHeldBytes: Number.NaN }, 'CHAOS_ATTRIBUTE'],
      [{ faults: [{ type: 'nothing' }] }, 'CHAOS_UNKNOWN_FAULT'],
    ]
    for (const [options, code] of wrong)
      await assert.rejects(
        startProxy({ backend: 'localhost:1', ...options }),
        { code },
        JSON.stringify(options),
      )
  })

  it('#34 tells a long connection while it lasts: accept, dial, counters, and in the end why it closed', async () => {
    await using backend = await TcpBackend.echo()
    await using watched = await WatchedProxy.start({ backend: backend.address, faults: [{ type: 'noop' }] })
    const client = await Peer.connect(watched.proxy.address)
    client.write('hello')
    await client.until(5)
    assert.deepEqual(
      watched.events.map(({ type }) => type),
      ['accept', 'dial', 'fault'],
    )
    const during = watched.proxy.counters()
    assert.equal(during.open, 1)
    assert.deepEqual(during.received, { upstream: 5, downstream: 5 })
    assert.deepEqual(during.sent, { upstream: 5, downstream: 5 })
    assert.deepEqual(during.faults, { noop: 1 })
    for (let count = 0; count < 10; count++) client.write('again')
    await client.until(55)
    assert.equal(watched.faults.length, 1)
    const [fault] = watched.faults
    assert.equal(fault!.rule, 'noop_downstream')
    assert.ok(fault!.draw >= 0 && fault!.draw < 1)
    const closed = new Promise<void>((resolve) => {
      watched.proxy.events.listen((event) => {
        if (event.type === 'close') resolve()
      })
    })
    client.end()
    await closed
    const close = watched.events.find((event) => event.type === 'close')
    assert.ok(close?.type === 'close')
    assert.equal(close.cause, 'client')
    assert.deepEqual(close.received, { upstream: 55, downstream: 55 })
    assert.equal(watched.proxy.counters().open, 0)
    assert.deepEqual(watched.proxy.counters().received, { upstream: 55, downstream: 55 })
  })

  it('refuses clients while the backend is down, where it is to mirror it', async () => {
    const port = await freePort()
    const hub = new EventHub()
    let listens = 0
    const again = new Promise<void>((resolve) => {
      hub.listen((event) => {
        if (event.type === 'listen' && ++listens === 2) resolve()
      })
    })
    await using proxy = await startProxy({ backend: `127.0.0.1:${port}`, mirrorUpstream: true }, hub)
    const { address } = proxy
    assert.equal((await Peer.connect(address)).ending, 'ECONNREFUSED')
    await using other = await TcpBackend.echo()
    await using front = await startProxy({ backend: other.address, listen: `127.0.0.1:${port}` })
    await again
    assert.deepEqual(proxy.address, address)
    assert.ok(await isEchoing(address))
    assert.ok(front.enabled)
  })

  it('is disabled at once, also while it waits for the first answer of a backend that it mirrors', async () => {
    await using hole = await BlackHole.open()
    const hub = new EventHub()
    const listens = new Promise<void>((resolve) => {
      hub.listen(({ type }) => {
        if (type === 'listen') resolve()
      })
    })
    const options = { backend: hole.address, mirrorUpstream: true, enabled: false }
    await using proxy = await startProxy(options, hub)
    const enabling = proxy.enable()
    await listens
    const turns = await turnsUntil(Promise.all([proxy.disable(), enabling]))
    // The backend may take 2 s to answer.
    assert.ok(turns < 100, `${turns} turns`)
    assert.ok(!proxy.enabled)
  })
})

describe('silence', () => {
  it('ends a connection of which one direction has ended, and not one that is only idle', async () => {
    await using backend = await TcpBackend.start()
    await using watched = await WatchedProxy.start({ backend: backend.address, halfClosedTimeoutMs: 100 })
    const idle = await Peer.connect(watched.proxy.address)
    const half = await Peer.connect(watched.proxy.address)
    const closed = new Promise<string>((resolve) => {
      watched.proxy.events.listen((event) => {
        if (event.type === 'close') resolve(event.cause)
      })
    })
    half.end()
    assert.equal(await half.ended(), 'end')
    assert.equal(await closed, 'idle')
    assert.equal(idle.ending, null)
    assert.equal(watched.proxy.counters().open, 1)
    idle.socket.destroy()
  })
})

describe('proxies by name', () => {
  it('creates, finds, resets and deletes; a name is free after a failure', async () => {
    await using backend = await TcpBackend.echo()
    await using proxies = new Proxies({ seed: 7 })
    const one = await proxies.create({ name: 'one', backend: backend.address, faults: [{ type: 'noop' }] })
    assert.equal(one.seed, 7)
    await assert.rejects(proxies.create({ name: 'one', backend: backend.address }), { code: 'CHAOS_EXISTS' })
    const taken = { name: 'two', backend: backend.address, listen: one.listen }
    await assert.rejects(proxies.create(taken), { code: 'CHAOS_BIND' })
    const two = await proxies.create({ name: 'two', backend: backend.address, enabled: false })
    assert.deepEqual(proxies.all(), [one, two])
    assert.equal(proxies.get('two'), two)
    await proxies.reset()
    assert.deepEqual(one.rules.all(), [])
    assert.ok(two.enabled)
    const { address } = one
    await proxies.delete('one')
    assert.throws(() => proxies.get('one'), { code: 'CHAOS_NOT_FOUND' })
    await assert.rejects(proxies.delete('one'), { code: 'CHAOS_NOT_FOUND' })
    assert.equal((await Peer.connect(address)).ending, 'ECONNREFUSED')
  })
})
