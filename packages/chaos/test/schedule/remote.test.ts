import assert from 'node:assert/strict'
import { ControlClient } from '../../src/client/control-client.ts'
import { FaultSchedule } from '../../src/schedule/fault-schedule.ts'
import { parseSchedule } from '../../src/schedule/read-schedule.ts'
import { Control } from '../support/control.ts'
import { Peer } from '../support/peer.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

describe('a schedule that drives proxies over HTTP', () => {
  it('begins by what they count, does what it says, and takes it back', async () => {
    await using backend = await TcpBackend.echo()
    await using control = await Control.start()
    const proxy = await control.proxies.create({ name: 'far', backend: backend.address })
    const client = new ControlClient(control.url)
    const steps = parseSchedule(
      [
        { fault: 'latency', latency: 5 },
        { afterBytes: 10, behavior: 'delay', sleep: '1ms' },
        { phase: 'dark', down: true },
      ],
      { proxies: { far: 'tcp' } },
    )
    const waiting = new Map<string, () => void>()
    const told = new Set<string>()
    const until = (what: string) =>
      told.has(what) ? undefined : new Promise<void>((resolve) => waiting.set(what, resolve))
    const schedule = new FaultSchedule(steps, {
      target: (name) => client.proxy(name),
      onStep: ({ state, step, detail }) => {
        assert.equal(detail, null)
        told.add(`${state} ${step}`)
        waiting.get(`${state} ${step}`)?.()
      },
    })
    schedule.start()
    await until('begins 1')
    assert.deepEqual(
      proxy.rules.all().map(({ type }) => type),
      ['latency'],
    )
    const peer = await Peer.connect(proxy.address)
    peer.write('0123456789')
    await until('begins 2')
    assert.deepEqual(
      proxy.rules.all().map(({ type }) => type),
      ['latency', 'delay'],
    )
    schedule.phase('dark')
    await until('begins 3')
    assert.equal(proxy.enabled, false)
    assert.deepEqual(await schedule.stop(), { notUndone: [] })
    assert.equal(proxy.enabled, true)
    assert.deepEqual(proxy.rules.all(), [])
  })

  it('tells what it cannot take back because nobody answers', async () => {
    const control = await Control.start()
    await control.proxies.create({ name: 'far', backend: '127.0.0.1:1' })
    const client = new ControlClient(control.url)
    let begun = (): void => {}
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const schedule = new FaultSchedule(parseSchedule([{ fault: 'noop' }], { proxies: { far: 'tcp' } }), {
      target: (name) => client.proxy(name),
      onStep: ({ state }) => state === 'begins' && begun(),
    })
    schedule.start()
    await hasBegun
    await control[Symbol.asyncDispose]()
    const { notUndone } = await schedule.stop()
    assert.deepEqual(
      notUndone.map(({ step, name }) => [step, name]),
      [[1, 'noop at far']],
    )
    assert.match(notUndone[0]!.detail, /ECONNREFUSED|cannot/)
  })
})
