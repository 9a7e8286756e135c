import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ControlClient, type FaultScope, type RemoteProxy } from '../../src/client/index.ts'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { dialError, TcpTalk } from '../support/talk.ts'

describe('remote proxy', () => {
  let control: Control
  let echo: EchoServer
  let proxy: RemoteProxy

  beforeEach(async () => {
    control = await Control.start()
    echo = await EchoServer.start()
    proxy = await new ControlClient(control.url).create({ name: 'p', backend: echo.address, seed: 1 })
  })

  afterEach(async () => {
    await control[Symbol.asyncDispose]()
    await echo[Symbol.asyncDispose]()
  })

  it('is enabled, disabled and moved', async () => {
    const { listen } = await proxy.state()
    await proxy.disable()
    await proxy.disable()
    assert.equal(await dialError(listen), 'ECONNREFUSED')
    await proxy.enable()
    assert.equal((await proxy.state()).listen, listen)
    await using talk = await TcpTalk.to(listen)
    await talk.echo('hello')
    const moved = await proxy.update({ backend: 'localhost:2' })
    assert.deepEqual([moved.backend, moved.listen, moved.enabled], ['localhost:2', listen, true])
    assert.equal((await proxy.update({ behavior: '5:hang' })).behavior, '5:hang')
    // What is refused changes nothing, whatever else was asked for with it.
    await assert.rejects(proxy.update({ behavior: 'nonsense', backend: 'localhost:3' }), /nonsense/)
    await assert.rejects(proxy.update({ behavior: 'dummy', listen: 'nonsense' }), /HOST:PORT/)
    const { behavior, backend } = await proxy.state()
    assert.deepEqual([behavior, backend], ['5:hang', 'localhost:2'])
  })

  it('faults are added, updated and removed, and work', async () => {
    await using talk = await TcpTalk.to((await proxy.state()).listen)
    const added = await proxy.addFault({ type: 'latency', attributes: { latency: 100 } })
    assert.deepEqual(
      [added.name, added.attributes['latency'], added.stream],
      ['latency_downstream', 100, 'downstream'],
    )
    assert.ok((await talk.echo('a')) >= 100)
    const changed = await proxy.updateFault('latency_downstream', {
      attributes: { jitter: 5 },
      toxicity: 0.5,
    })
    assert.deepEqual([changed.attributes, changed.toxicity], [{ ...added.attributes, jitter: 5 }, 0.5])
    assert.deepEqual(await proxy.faults(), [changed])
    await proxy.removeFault('latency_downstream')
    assert.deepEqual(await proxy.faults(), [])
  })

  it('#24 a scope ends with what was before, options included, and `await using` ends it', async () => {
    await proxy.addFault({ type: 'bandwidth', attributes: { rate: 500_000 } })
    {
      await using _ = await proxy.withBehavior('delay', { sleep: 3 })
      const before = await proxy.state()
      assert.equal(before.behavior, 'delay')
      {
        await using _inner = await proxy.withBehavior('hang')
        assert.equal((await proxy.state()).behavior, 'hang')
        await using _more = await proxy.withFault([
          { type: 'latency', attributes: { latency: 1 } },
          { type: 'latency', stream: 'upstream' },
        ])
        const { faults } = await proxy.state()
        assert.deepEqual(faults.map(({ type }) => type).toSorted(), [
          'bandwidth',
          'hang',
          'latency',
          'latency',
        ])
      }
      // The delay of 3 s, too.
      assert.deepEqual(sorted(await proxy.state()), sorted(before))
    }
    const { behavior, faults } = await proxy.state()
    assert.deepEqual([behavior, faults.map(({ type }) => type)], ['dummy', ['bandwidth']])
  })

  it('scopes that nest are restored exactly, whatever they hold', async () => {
    const kinds = fc.constantFrom<(of: RemoteProxy) => Promise<FaultScope>>(
      (of) => of.withBehavior('delay', { sleep: 1 }),
      (of) => of.withBehavior('20:delay,5:error'),
      (of) => of.withBehavior('dummy'),
      (of) => of.withFault({ type: 'latency', attributes: { latency: 9 } }),
      (of) => of.withFault([{ type: 'noop' }, { type: 'latency', stream: 'upstream' }]),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { maxLength: 5 }), async (begun) => {
        const states = [sorted(await proxy.state())]
        const scopes: FaultScope[] = []
        for (const begin of begun) {
          scopes.push(await begin(proxy))
          states.push(sorted(await proxy.state()))
        }
        for (const scope of scopes.toReversed()) {
          states.pop()
          await scope.end()
          assert.deepEqual(sorted(await proxy.state()), states.at(-1))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('a scope ends once, and without an error when its faults or its proxy are gone', async () => {
    const one = await proxy.withFault({ type: 'latency' })
    const two = await proxy.withFault({ type: 'latency' })
    await Promise.all([one.end(), one.end()])
    assert.equal((await proxy.faults()).length, 1)
    await new ControlClient(control.url).reset()
    await two.end()
    const three = await proxy.withBehavior('hang')
    await proxy.delete()
    await three.end()
  })
})

/** A scope restores behaviors behind other faults: order among them may differ, nothing else. */
function sorted<S extends { faults: readonly { name: string }[] }>(state: S): S {
  return { ...state, faults: state.faults.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}
