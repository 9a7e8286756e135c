import assert from 'node:assert/strict'
import type { ChaosEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import { Proxied } from '../support/proxied.ts'

const nth = (at: number): ChaosEvent => ({ type: 'change', at, proxy: 'proxy', what: 'enabled' })

describe('the hub of events', () => {
  it('tells all listeners the same order, though one of them causes the next event', () => {
    const hub = new EventHub()
    const told: number[] = []
    hub.listen(({ at }) => {
      if (at < 3) hub.tell(nth(at + 1))
    })
    hub.listen(({ at }) => told.push(at))
    hub.tell(nth(1))
    assert.deepEqual(told, [1, 2, 3])
  })

  it('goes on when a listener throws, and tells that one no more', () => {
    const hub = new EventHub()
    const told: number[] = []
    let thrown = 0
    hub.listen(() => {
      thrown++
      throw new Error('a mistake')
    })
    hub.listen(({ at }) => told.push(at))
    hub.tell(nth(1))
    hub.tell(nth(2))
    assert.deepEqual([thrown, told], [1, [1, 2]])
  })

  for (const fault of [
    { type: 'latency', attributes: { latency: 1 } },
    { type: 'corrupt', attributes: { offset: 9 } },
    { type: 'noop' },
  ])
    it(`loses no byte of a listener that takes ${fault.type} away when it is told of it`, async () => {
      await using proxied = await Proxied.echo([fault, { type: 'noop', name: 'behind' }])
      const { proxy } = proxied
      proxy.events.listen((event) => {
        if (event.type === 'fault') proxy.removeFault(event.rule)
      })
      const client = await proxied.connect()
      client.write('0123456789')
      await client.until(10)
      assert.equal(client.text.slice(0, 9), '012345678')
      assert.deepEqual(proxy.rules.all(), [])
      client.write('more')
      assert.equal((await client.until(14)).subarray(10).toString(), 'more')
      assert.equal(proxied.faults.length, 2)
    })
})
