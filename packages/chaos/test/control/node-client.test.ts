import assert from 'node:assert/strict'
import { Toxiproxy, type Proxy } from 'toxiproxy-node-client'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { TcpTalk } from '../support/talk.ts'

/** The shape of the client's own suite: all that it can do, unchanged. */
describe('toxiproxy-node-client', () => {
  let control: Control
  let client: Toxiproxy

  beforeEach(async () => {
    control = await Control.start()
    client = new Toxiproxy(control.url)
  })

  afterEach(() => control[Symbol.asyncDispose]())

  const create = (name: string): Promise<Proxy> =>
    client.createProxy({ name, listen: 'localhost:0', upstream: 'localhost:6379' })

  it('#20 creates, gets, updates and removes a proxy', async () => {
    const proxy = await create('first')
    assert.match(proxy.listen, /^127\.0\.0\.1:\d+$/)
    const found = await client.get('first')
    assert.deepEqual(found.toJson(), proxy.toJson())
    const disabled = await proxy.update({ ...proxy.toJson(), enabled: false })
    assert.equal(disabled.enabled, false)
    // A host that nobody knows.
    const moved = await proxy.update({ enabled: true, listen: proxy.listen, upstream: 'somehost:12345' })
    assert.deepEqual([moved.enabled, moved.upstream, moved.listen], [true, 'somehost:12345', proxy.listen])
    await proxy.remove()
    await assert.rejects(client.get('first'), /status code 404/)
  })

  it('#20 the same proxy twice is an error', async () => {
    await create('twice')
    await assert.rejects(create('twice'), /status code 409/)
  })

  it('#20 adds, gets, updates and removes a toxic', async () => {
    const proxy = await create('toxics')
    const body = { type: 'latency', attributes: { latency: 1000, jitter: 100 } } as never
    const toxic = await proxy.addToxic<{ latency: number; jitter: number }>(body)
    assert.deepEqual([toxic.name, toxic.toxicity, toxic.stream], ['latency_downstream', 1, 'downstream'])
    assert.deepEqual([toxic.attributes.latency, toxic.attributes.jitter], [1000, 100])
    assert.deepEqual((await proxy.getToxic(toxic.name)).toJson(), toxic.toJson())
    const changed = await toxic.update({
      ...toxic.toJson(),
      attributes: { latency: 12_345, jitter: 42 },
    } as never)
    assert.deepEqual([changed.attributes.latency, changed.attributes.jitter], [12_345, 42])
    await assert.rejects(proxy.addToxic(body), /status code 409/)
    await toxic.remove()
    await assert.rejects(proxy.getToxic(toxic.name), /status code 404/)
  })

  it('#20 its seven types come back as they were sent', async () => {
    const proxy = await create('types')
    const types: Record<string, Record<string, number>> = {
      latency: { latency: 1000, jitter: 100 },
      bandwidth: { rate: 1000 },
      slow_close: { delay: 1000 },
      timeout: { timeout: 5000 },
      slicer: { average_size: 1000, delay: 1000, size_variation: 1000 },
      reset_peer: { timeout: 1000 },
      limit_data: { bytes: 42 },
    }
    for (const [type, attributes] of Object.entries(types)) {
      const toxic = await proxy.addToxic<Record<string, number>>({ type, attributes } as never)
      assert.equal(toxic.type, type)
      for (const [key, value] of Object.entries(attributes)) assert.equal(toxic.attributes[key], value, type)
    }
  })

  it('#20 populates, gets all, tells its version and resets', async () => {
    const one = { name: 'one', listen: '127.0.0.1:0', upstream: 'localhost:6379' }
    const two = { name: 'two', listen: '127.0.0.1:0', upstream: 'localhost:12345' }
    const made = await client.populate([one, two])
    assert.deepEqual(Object.keys(made), ['one', 'two'])
    const all = await client.getAll()
    assert.equal(Object.keys(all).length, 2)
    assert.deepEqual([all['one']!.listen, all['two']!.upstream], [made['one']!.listen, 'localhost:12345'])
    assert.match(await client.getVersion(), /2\.12\.0-loads/)
    await all['one']!.update({ ...all['one']!.toJson(), enabled: false })
    await all['two']!.addToxic({ type: 'noop' } as never)
    await client.reset()
    assert.equal((await client.get('one')).enabled, true)
    await assert.rejects((await client.get('two')).getToxic('noop_downstream'), /404/)
  })

  it('#20 drives faults of ours: they are further types', async () => {
    await using echo = await EchoServer.start()
    const proxy = await client.createProxy({ name: 'own', listen: '127.0.0.1:0', upstream: echo.address })
    await using talk = await TcpTalk.to(proxy.listen)
    await talk.echo('before')
    const toxic = await proxy.addToxic<{ time: number }>({ type: 'blackhole' } as never)
    await toxic.remove()
    await using after = await TcpTalk.to(proxy.listen)
    const slow = await proxy.addToxic({ type: 'latency', attributes: { latency: 80, jitter: 0 } } as never)
    assert.ok((await after.echo('slow')) >= 80)
    await slow.remove()
    await after.echo('after')
  })
})
