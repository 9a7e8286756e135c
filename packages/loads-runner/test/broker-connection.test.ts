import assert from 'node:assert/strict'
import { BrokerConnection } from '../src/broker-connection.ts'
import { RunnerError } from '../src/errors.ts'
import { FakeBroker } from './fake-broker.ts'
import { EventMaker, spec } from './fixtures.ts'

describe('BrokerConnection', () => {
  let broker: FakeBroker
  let connection: BrokerConnection
  beforeEach(async () => {
    broker = new FakeBroker()
    connection = await BrokerConnection.open(broker.dialer)
  })
  afterEach(async () => {
    await connection.close()
    await broker.close()
  })

  it('gives each request its own answer', async () => {
    broker.answers.stop = (request) => ({ state: (request as { runId: string }).runId })
    const stop = (runId: string) => connection.request('stop', { runId, mode: 'drain', reason: 'operator' })
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(stop)), [
      { state: 'a' },
      { state: 'b' },
      { state: 'c' },
    ])
  })

  it("passes the broker's refusal on, with its exit code", async () => {
    broker.answers.submit = { refuse: 'asked for 5 agents, 3 are registered', exitCode: 4 }
    await assert.rejects(connection.request('submit', { spec: spec() }), (error: unknown) => {
      assert.ok(error instanceof RunnerError)
      assert.deepEqual([error.code, error.exitCode], ['RUNNER_REFUSED', 4])
      assert.match(error.message, /asked for 5 agents/)
      return true
    })
  })

  it('sends a bundle in parts, once', async () => {
    const bytes = new Uint8Array(600 * 1024).map((_, index) => index % 251)
    await connection.putBundle('abc', bytes)
    const parts = broker.of('put-bundle')
    assert.deepEqual(
      parts.map((part) => part.last),
      [false, false, true],
    )
    assert.deepEqual(Buffer.concat(parts.map((part) => part.bytes)), Buffer.from(bytes))
    broker.answers['has-bundle'] = { known: true }
    await connection.putBundle('abc', bytes)
    assert.equal(broker.of('put-bundle').length, 3)
  })

  it('sends an empty bundle, too', async () => {
    await connection.putBundle('abc', new Uint8Array())
    assert.deepEqual(
      broker.of('put-bundle').map((part) => [part.last, part.bytes.length]),
      [[true, 0]],
    )
  })

  it('keeps events until somebody asks for them, and acknowledges what was taken in', async () => {
    const maker = new EventMaker()
    broker.publish(maker.snapshot(), maker.state('running'))
    await connection.request('ping', {})
    assert.deepEqual(broker.received, [])
    const seen: string[] = []
    connection.onEvent('r1', ({ event }) => seen.push(event.type))
    broker.publish(maker.commit(1))
    await broker.until(() => broker.received.length === 3)
    assert.deepEqual(seen, ['snapshot', 'state', 'commit'])
    assert.deepEqual(broker.received, [0, 1, 2])
  })

  it('refuses what waits when the connection ends, and everything after', async () => {
    broker.answers.ping = () => {
      void broker.hangUp()
      return {}
    }
    await connection.request('ping', {}).catch(() => {})
    await connection.closed
    await assert.rejects(connection.request('purge', {}), (error: unknown) => {
      assert.ok(error instanceof RunnerError)
      assert.deepEqual([error.code, error.exitCode], ['RUNNER_BROKER_LOST', 4])
      return true
    })
  })
})
