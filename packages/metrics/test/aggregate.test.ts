import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Aggregate } from '../src/aggregate.ts'
import { Delta } from '../src/delta.ts'
import { Recorder } from '../src/recorder.ts'
import { WindowCutter } from '../src/window-cutter.ts'
import { smallDeltas } from './arbitraries.ts'

/** Totals of what `record` records. */
function totalsOf(record: (recorder: Recorder) => void, now = () => 1000): Aggregate {
  const cutter = new WindowCutter()
  record(new Recorder({ maxSeries: 100, define: (definition) => cutter.add(definition), now }))
  const aggregate = new Aggregate()
  aggregate.apply(cutter.cut())
  return aggregate
}

describe('Aggregate', () => {
  it('is the same after windows, after their merge and after its own full delta', () => {
    fc.assert(
      fc.property(fc.array(smallDeltas, { maxLength: 5 }), (deltas) => {
        const piecewise = new Aggregate()
        const merged = new Delta()
        for (const delta of deltas) {
          piecewise.apply(delta)
          merged.merge(delta)
        }
        const atOnce = new Aggregate()
        atOnce.apply(merged)
        const copy = new Aggregate()
        copy.apply(piecewise.toDelta())
        for (const other of [atOnce, copy]) {
          assert.deepEqual(other.toDelta().series, piecewise.toDelta().series)
          assert.deepEqual(other.hits(), piecewise.hits())
          assert.deepEqual(other.tests(), piecewise.tests())
          assert.deepEqual(other.serviceTime().stats(), piecewise.serviceTime().stats())
        }
      }),
    )
  })

  it('counts hits of both kinds; interrupted ones are hits, but not failed', () => {
    const aggregate = totalsOf((recorder) => {
      recorder.hit('http', 'T.a', '/', 'GET', '200', false, 1000, 100, 10, null)
      recorder.hit('http', 'T.a', '/', 'GET', '500', true, 2000, 100, 10, null)
      recorder.hit('http', 'T.b', '/', 'GET', 'timeout', true, 3000, 0, 10, null)
      recorder.hit('http', 'T.b', '/', 'GET', 'interrupted', true, 4000, 0, 10, null)
      recorder.hit('websocket', 'T.a', '/ws', 'GET', '101', false, 5000, 0, 0, null)
      recorder.timing('not a hit', 9000)
    })
    assert.deepEqual(aggregate.hits(), { count: 5, failed: 2, interrupted: 1, bytesIn: 200, bytesOut: 40 })
    const service = aggregate.serviceTime().stats()
    assert.deepEqual([service.count, service.sum, service.min, service.max, service.mean], [5, 15, 1, 5, 3])
  })

  it('counts executions by test; only finished ones have a duration', () => {
    const aggregate = totalsOf((recorder) => {
      for (let index = 0; index < 5; index++) recorder.internal('execution.started', 'T.b', 1)
      recorder.internal('execution.started', 'T.a', 2)
      recorder.execution('T.b', 'success', 1000, null)
      recorder.execution('T.b', 'failure', 2000, null)
      recorder.execution('T.b', 'error', 3000, null)
      recorder.execution('T.b', 'interrupted', 99_000, null)
      recorder.execution('T.a', 'success', 500, null)
    })
    const a = { started: 2, finished: 1, successes: 1, failures: 0, errors: 0, interrupted: 0 }
    const b = { started: 5, finished: 3, successes: 1, failures: 1, errors: 1, interrupted: 1 }
    assert.deepEqual(
      aggregate
        .executions()
        .map(({ test, totals, duration }) => [test, totals, duration.count, duration.max]),
      [
        ['T.a', a, 1, 500],
        ['T.b', b, 3, 3000],
      ],
    )
    assert.deepEqual(aggregate.tests(), {
      started: 7,
      finished: 4,
      successes: 2,
      failures: 1,
      errors: 1,
      interrupted: 1,
    })
  })

  it('adds up socket activity of all tests', () => {
    const aggregate = totalsOf((recorder) => {
      recorder.internal('socket.opened', 'T.a', 1)
      recorder.internal('socket.opened', 'T.b', 1)
      recorder.internal('socket.closed', 'T.a', 1)
      recorder.internal('socket.message-sent', 'T.a', 3)
      recorder.internal('socket.bytes-sent', 'T.a', 300)
      recorder.internal('socket.message-received', 'T.b', 4)
      recorder.internal('socket.bytes-received', 'T.b', 400)
    })
    assert.deepEqual(aggregate.websockets(), {
      opened: 2,
      closed: 1,
      messagesSent: 3,
      messagesReceived: 4,
      bytesSent: 300,
      bytesReceived: 400,
    })
  })

  it('takes the same error of several tests for one, most frequent first', () => {
    let clock = 0
    const aggregate = totalsOf(
      (recorder) => {
        recorder.error('T.b', 'TypeError', 'user 2 is gone', () => 'second')
        recorder.error('T.a', 'TypeError', 'user 1 is gone', () => 'first')
        for (let index = 0; index < 5; index++) recorder.error('T.a', 'RangeError', 'too much', () => 'often')
        recorder.error('T.b', 'TypeError', 'user 3 is gone', () => 'never asked for')
      },
      () => (clock += 10),
    )
    assert.deepEqual(
      aggregate.errorGroups().map(({ detail, count }) => [detail.message, detail.sample, count]),
      [
        ['too much', 'often', 5],
        ['user 2 is gone', 'second', 3],
      ],
    )
    const [, gone] = aggregate.errorGroups()
    assert.deepEqual([gone!.detail.firstSeen, gone!.lastSeen], [10, clock])
  })

  it('knows nothing before anything came', () => {
    const aggregate = new Aggregate()
    assert.deepEqual(aggregate.hits(), { count: 0, failed: 0, interrupted: 0, bytesIn: 0, bytesOut: 0 })
    assert.equal(aggregate.tests().started, 0)
    assert.ok(aggregate.toDelta().isEmpty)
  })
})
