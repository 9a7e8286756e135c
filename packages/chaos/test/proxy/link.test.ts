import assert from 'node:assert/strict'
import { text } from '../../src/attributes.ts'
import { defineFault, type FaultDefinition } from '../../src/faults/definition.ts'
import { addFault } from '../../src/faults/registry.ts'
import type { FaultRequest } from '../../src/rules/rule.ts'
import { Proxied } from '../support/proxied.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

/** By connection, which rules hit it. */
async function hits(
  proxied: Proxied,
  count: number,
  between: (proxied: Proxied) => void = () => {},
): Promise<string[]> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const client = await proxied.connect()
      client.write('one')
      await client.until(3)
      between(proxied)
      client.write('two')
      await client.until(6)
    }),
  )
  return proxied.faults.map(({ connection, rule }) => `${connection} ${rule}`).toSorted()
}

const half: FaultRequest = { type: 'noop', toxicity: 0.5 }

/** Each of its stages adds its mark to what passes; `!` breaks. */
const tag = defineFault<{ tag: string }>({
  type: 'test_tag',
  summary: 'adds a mark',
  attributes: { tag: text({ initial: '', help: 'the mark' }) },
  units: ['connection'],
  stage: (flow, { tag: first }) => {
    let mark = first
    return {
      onBytes: (bytes) => {
        if (mark === '!') throw new Error('a mistake')
        flow.pass(Buffer.concat([bytes, Buffer.from(mark)]))
      },
      onEnd: () => flow.end(),
      onUpdate: (attributes) => (mark = attributes.tag),
    }
  },
})

describe('stages of a connection', () => {
  let forget = () => {}
  before(() => void (forget = addFault(tag as FaultDefinition)))
  after(() => forget())

  it('#26 the same seed hits the same of 50 connections at once, another seed others', async () => {
    const run = async (seed: number): Promise<string[]> => {
      await using proxied = await Proxied.start(await TcpBackend.echo(), [half], { seed })
      return await hits(proxied, 50)
    }
    const first = await run(1)
    assert.ok(first.length > 5 && first.length < 45)
    assert.deepEqual(await run(1), first)
    assert.notDeepEqual(await run(2), first)
  })

  it('#27 neighbours that come, change and go never make a rule draw again', async () => {
    const run = async (between?: (proxied: Proxied) => void): Promise<string[]> => {
      await using proxied = await Proxied.start(await TcpBackend.echo(), [half])
      const all = await hits(proxied, 30, between)
      return all.filter((each) => each.endsWith(' noop_downstream'))
    }
    const alone = await run()
    const among = await run(({ proxy }) => {
      proxy.addFault({ type: 'noop', name: 'neighbour' })
      proxy.updateFault('neighbour', { toxicity: 0.3 })
      proxy.updateFault('noop_downstream', { toxicity: 0.5 })
      proxy.removeFault('neighbour')
    })
    assert.deepEqual(among, alone)
  })

  it('compares the same draw with another toxicity, on live connections', async () => {
    await using proxied = await Proxied.start(await TcpBackend.echo(), [
      { type: 'timeout', toxicity: 0, attributes: { timeout: 0 } },
    ])
    const { client } = await proxied.pair()
    client.write('one')
    await client.until(3)
    assert.equal(proxied.faults.length, 0)
    // The draw is below 1, whatever it is: now the connection is hit, and its bytes are dropped.
    proxied.proxy.updateFault('timeout_downstream', { toxicity: 1 })
    client.write('two')
    while (proxied.faults.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(client.text, 'one')
    // And hit no longer: what was damaged is closed.
    proxied.proxy.updateFault('timeout_downstream', { toxicity: 0 })
    assert.equal(await client.ended(), 'end')
    assert.equal(client.text, 'one')
  })

  it('stand in order of their rules, also where one comes back by a change', async () => {
    await using proxied = await Proxied.start(await TcpBackend.echo(), [
      { type: 'test_tag', name: 'a', toxicity: 0, attributes: { tag: 'A' } },
      { type: 'test_tag', name: 'b', attributes: { tag: 'B' } },
    ])
    const client = await proxied.connect()
    client.write('1')
    assert.equal((await client.until(2)).toString(), '1B')
    proxied.proxy.addFault({ type: 'test_tag', name: 'c', attributes: { tag: 'C' } })
    proxied.proxy.updateFault('a', { toxicity: 1 })
    client.write('2')
    assert.equal((await client.until(6)).toString(), '1B2ABC')
    proxied.proxy.removeFault('b')
    client.write('3')
    assert.equal((await client.until(9)).toString(), '1B2ABC3AC')
  })

  it('a rule that counts is not asked again by a change: who was let through stays so', async () => {
    await using proxied = await Proxied.start(await TcpBackend.echo(), [
      { type: 'test_tag', name: 'a', attributes: { tag: 'A', count: 1 } },
    ])
    const [first, second] = [await proxied.connect(), await proxied.connect()]
    proxied.proxy.updateFault('a', { attributes: { tag: 'B' } })
    for (const client of [first, second]) client.write('1')
    assert.equal((await first.until(2)).toString(), '1B')
    assert.equal((await second.until(1)).toString(), '1')
    second.write('2')
    assert.equal((await second.until(2)).toString(), '12')
  })

  it('a stage that throws costs its connection, and the proxy serves the next', async () => {
    await using proxied = await Proxied.start(await TcpBackend.echo(), [
      { type: 'test_tag', name: 'throws', attributes: { tag: '!', count: 1 } },
    ])
    const client = await proxied.connect()
    client.write('1')
    assert.equal(await client.ended(), 'ECONNRESET')
    const next = await proxied.connect()
    next.write('2')
    assert.equal((await next.until(1)).toString(), '2')
  })
})

describe('faults and protocols with a mistake', () => {
  it('cost their connection alone, wherever they throw', async () => {
    const broken = defineFault<object>({
      type: 'test_broken_connect',
      summary: 'throws',
      attributes: {},
      units: ['connection'],
      connect: () => {
        throw new Error('a mistake')
      },
    })
    using _ = { [Symbol.dispose]: addFault(broken as FaultDefinition) }
    await using proxied = await Proxied.start(await TcpBackend.echo(), [
      { type: 'test_broken_connect', attributes: { count: 1 } },
    ])
    const client = await proxied.connect()
    await client.ended()
    const next = await proxied.connect()
    next.write('alive')
    assert.equal((await next.until(5)).toString(), 'alive')
    assert.equal(proxied.proxy.counters().open, 1)
  })
})
