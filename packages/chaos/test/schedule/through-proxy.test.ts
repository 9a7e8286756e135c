import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, request } from 'undici'
import { PartitionMatrix } from '../../src/partition/partition-matrix.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { FaultSchedule } from '../../src/schedule/fault-schedule.ts'
import { parseSchedule } from '../../src/schedule/read-schedule.ts'
import type { StepEvent } from '../../src/schedule/step.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** Somebody who waits for what a schedule tells. */
class Told {
  readonly events: StepEvent[] = []
  #waiting: (() => void)[] = []

  readonly take = (event: StepEvent): void => {
    this.events.push(event)
    for (const waiting of this.#waiting.splice(0)) waiting()
  }

  async until(state: StepEvent['state'], step: number): Promise<StepEvent> {
    for (;;) {
      const found = this.events.find((event) => event.state === state && event.step === step)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

describe('a schedule next to real requests', () => {
  it('after so many requests some answer 503, for a while; then the proxy is down, then all is well', async () => {
    // However long the process stands still between two requests, their connection is kept.
    const patient = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 }
    const server = createServer(patient, (_, response) => response.end('fine')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const backend = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await using proxy = await startProxy({ backend, protocol: 'http', seed: 1 })
    const steps = parseSchedule(
      [
        { afterRequests: 20, for: '1500ms', fault: 'error', statuses: [503], rate: '100%', proxy: 'web' },
        { phase: 'dark', down: true, proxy: 'web' },
      ],
      { proxies: { web: 'http' } },
    )
    const told = new Told()
    // However long a request takes, the fault is not over meanwhile.
    const clock = new FakeClock()
    const schedule = new FaultSchedule(steps, { target: () => proxy, onStep: told.take, clock })
    const agent = new Agent({ connections: 1 })
    const ask = async (): Promise<number | string> => {
      try {
        const answer = await request(`http://127.0.0.1:${proxy.address.port}/`, { dispatcher: agent })
        await answer.body.dump()
        return answer.statusCode
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? (error as Error).message
      }
    }
    // What came before the start does not count.
    for (let i = 0; i < 30; i++) assert.equal(await ask(), 200)
    schedule.start()
    await clock.pass(250)
    assert.deepEqual(told.events, [])
    for (let i = 0; i < 20; i++) assert.equal(await ask(), 200)
    await clock.pass(250)
    const begun = await told.until('begins', 1)
    assert.equal(await ask(), 503)
    await clock.pass(1500)
    const ended = await told.until('ends', 1)
    assert.equal(ended.sinceMs - (begun.sinceMs - begun.lateMs), 1500)
    assert.equal(await ask(), 200)
    const { port } = proxy.address
    schedule.phase('dark')
    await told.until('begins', 2)
    const refused = request(`http://127.0.0.1:${port}/`)
    await assert.rejects(refused, { code: 'ECONNREFUSED' })
    assert.deepEqual(await schedule.stop(), { notUndone: [] })
    assert.equal(proxy.address.port, port)
    assert.equal(await ask(), 200)
    assert.deepEqual(proxy.rules.all(), [])
    await agent.close()
    server.close()
  })

  it('parts endpoints of a matrix and heals them', async () => {
    await using matrix = new PartitionMatrix({ endpoints: { a: '127.0.0.1:1', b: '127.0.0.1:2' } })
    await matrix.address('a', 'b')
    const steps = parseSchedule([{ partition: ['a', 'b'], mode: 'refuse', for: '1s' }], {
      proxies: {},
      endpoints: matrix.endpoints,
    })
    const told = new Told()
    const schedule = new FaultSchedule(steps, {
      target: () => assert.fail('there is no proxy'),
      partitions: matrix,
      onStep: told.take,
    })
    schedule.start()
    const begun = await told.until('begins', 1)
    assert.equal(matrix.state().ways[0]?.mode, 'refuse')
    const ended = await told.until('ends', 1)
    assert.ok(ended.sinceMs - (begun.sinceMs - begun.lateMs) >= 999)
    assert.equal(matrix.state().ways[0]?.mode, 'open')
    await schedule.stop()
  })
})
