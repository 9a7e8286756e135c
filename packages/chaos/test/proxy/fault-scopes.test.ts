import assert from 'node:assert/strict'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'

const there = (proxy: Proxy): unknown[] =>
  proxy.rules.all().map(({ name, type, toxicity, share, shown }) => ({ name, type, toxicity, share, shown }))

describe('scopes of faults', () => {
  const start = (options: object = {}): Promise<Proxy> =>
    startProxy({ backend: 'localhost:1', enabled: false, protocol: 'http', ...options })

  it('adds faults and takes them away, also where two are of one type', async () => {
    await using proxy = await start({ faults: [{ type: 'latency', attributes: { latency: 5 } }] })
    const before = there(proxy)
    {
      await using _outer = await proxy.withFault({ type: 'latency', attributes: { latency: 7 } })
      await using _inner = await proxy.withFault([{ type: 'noop' }, { type: 'noop', stream: 'upstream' }])
      assert.deepEqual(
        proxy.rules.all().map(({ name }) => name),
        ['latency_downstream', 'latency_downstream_2', 'noop_downstream', 'noop_upstream'],
      )
    }
    assert.deepEqual(there(proxy), before)
  })

  it('#24 restores behaviors with their options and their shares, nested', async () => {
    await using proxy = await start({
      behavior: '20:delay,5:error',
      behaviors: { delay: { sleep: '2s' }, error: { statuses: ['503'] } },
    })
    const before = there(proxy)
    assert.equal(before.length, 2)
    {
      await using _outer = await proxy.withBehavior('error', { rate: 0.25 })
      const [rule] = proxy.rules.all()
      assert.deepEqual(rule!.share, { draw: 'behaviors', from: 0, to: 0.25 })
      assert.deepEqual(rule!.shown.statuses, [503].map(String))
      const during = there(proxy)
      {
        await using _inner = await proxy.withBehavior('dummy')
        assert.deepEqual(there(proxy), [])
      }
      assert.deepEqual(there(proxy), during)
    }
    assert.deepEqual(there(proxy), before)
  })

  it('restores the same when scopes end in another order', async () => {
    await using proxy = await start({ behavior: 'hang' })
    const before = there(proxy)
    const first = await proxy.withBehavior('blackout')
    const second = await proxy.withBehavior('abort')
    await first.end()
    assert.deepEqual(
      proxy.rules.all().map(({ type }) => type),
      ['abort'],
    )
    await second.end()
    await second.end()
    assert.deepEqual(there(proxy), before)
  })

  it('refuses what is wrong, and changes nothing then', async () => {
    await using proxy = await start({ behavior: 'hang' })
    const before = there(proxy)
    await assert.rejects(proxy.withBehavior('error', { rate: 2 }), { code: 'CHAOS_ATTRIBUTE' })
    await assert.rejects(proxy.withBehavior('nothing'), { code: 'CHAOS_UNKNOWN_FAULT' })
    await assert.rejects(proxy.withFault({ type: 'noop', name: 'hang' }), { code: 'CHAOS_EXISTS' })
    assert.deepEqual(there(proxy), before)
  })

  it('can be ended again when what was there before had no place', async () => {
    await using proxy = await start({ behavior: 'hang' })
    const before = there(proxy)
    const scope = await proxy.withBehavior('dummy')
    proxy.addFault({ type: 'noop', name: 'hang' })
    await assert.rejects(scope.end(), { code: 'CHAOS_EXISTS' })
    proxy.removeFault('hang')
    await scope.end()
    assert.deepEqual(there(proxy), before)
  })

  it('a behavior with another toxicity has another part of the draw, and never that of others', async () => {
    await using proxy = await start({ behavior: '20:delay,5:error' })
    assert.deepEqual(proxy.updateFault('delay', { toxicity: 0.1 }).share, {
      draw: 'behaviors',
      from: 0,
      to: 0.1,
    })
    assert.equal(proxy.updateFault('delay', { toxicity: 0.2 }).share.to, 0.2)
    assert.throws(() => proxy.updateFault('delay', { toxicity: 0.3 }), { code: 'CHAOS_ATTRIBUTE' })
    assert.equal(proxy.updateFault('error', { toxicity: 0.8 }).share.to, 1)
    assert.throws(() => proxy.updateFault('error', { toxicity: 0.81 }), { code: 'CHAOS_ATTRIBUTE' })
  })
})
