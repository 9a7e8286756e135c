import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Aggregate, Delta, emptySeriesDelta, type SeriesKey } from '@loads-runner/metrics'
import type { Interval } from '@loads-runner/history'
import { bytesOf, defaultQueueLimits, LaneQueue, type QueueLimits, type Waiting } from '../src/lane-queue.ts'
import type { OutputRecord } from '../src/output.ts'

type EventRecord = Extract<OutputRecord, { type: 'event' }>['event']

function deltaOf(hits: number, bucket = 300): Delta {
  const key: SeriesKey = { kind: 'http', test: 'T', name: '/', method: 'GET', status: '200', tags: {} }
  const delta = new Delta()
  const series = { ...emptySeriesDelta(key, null), count: hits, sum: hits * 1_000, min: 1_000, max: 1_000 }
  delta.add({ ...series, buckets: new Map([[bucket, hits]]) })
  return delta
}

function waiting(record: OutputRecord): Waiting {
  return { record, bytes: bytesOf(record) }
}

function figures(hits: number, elapsedMs: number, warmUp = false, bucket = 300): Waiting {
  return waiting({ type: 'figures', at: elapsedMs, elapsedMs, warmUp, delta: deltaOf(hits, bucket) })
}

function interval(spanMs: number, fromMs: number): Waiting {
  return waiting({
    type: 'interval',
    interval: { spanMs, fromMs, agents: [], delta: deltaOf(1) } as unknown as Interval,
  })
}

function event(type: 'log' | 'state', text = ''): Waiting {
  return waiting({ type: 'event', event: { type, text } as unknown as EventRecord })
}

const end = waiting({ type: 'end', summary: null })

function queueOf(limits: Partial<QueueLimits>): LaneQueue {
  return new LaneQueue({ ...defaultQueueLimits, ...limits })
}

function hitsOf(records: readonly Waiting[], warmUp = false): number {
  const aggregate = new Aggregate()
  for (const { record } of records)
    if (record.type === 'figures' && record.warmUp === warmUp) aggregate.apply(record.delta)
  assert.equal(aggregate.hits().count, aggregate.serviceTime().count)
  return aggregate.hits().count
}

describe('LaneQueue', () => {
  it('gives out what came in, in order', () => {
    const queue = queueOf({})
    const records = [figures(1, 1), event('log'), interval(1_000, 0), end]
    for (const record of records) queue.push(record)
    const first = queue.take(2)
    assert.deepEqual(first, records.slice(0, 2))
    queue.putBack(first)
    assert.deepEqual(queue.take(10), records)
    assert.deepEqual([queue.length, queue.dropped], [0, 0])
  })

  it('adds figures up where it is long, loses none, and changes none that was handed in', () => {
    const queue = queueOf({ mergeFrom: 3, records: 10 })
    const given = Array.from({ length: 100 }, (_, index) => figures(index, index, index < 50))
    for (const each of given) queue.push(each)
    const all = queue.take(100)
    assert.ok(all.length <= 4)
    assert.equal(queue.dropped, 0)
    assert.equal(hitsOf(all, true), (49 * 50) / 2)
    assert.equal(hitsOf(all, false), (99 * 100) / 2 - (49 * 50) / 2)
    assert.equal(hitsOf(given, true), (49 * 50) / 2)
    assert.equal(hitsOf(given, false), (99 * 100) / 2 - (49 * 50) / 2)
    const last = all.at(-1)!.record
    assert.ok(last.type === 'figures' && last.elapsedMs === 99)
  })

  it('never adds to figures that are being written', () => {
    const queue = queueOf({ mergeFrom: 1 })
    for (let index = 0; index < 5; index++) queue.push(figures(1, index))
    const taken = queue.take(10)
    const before = hitsOf(taken)
    for (let index = 0; index < 5; index++) queue.push(figures(1, index))
    assert.equal(hitsOf(taken), before)
    queue.putBack(taken)
    for (let index = 0; index < 5; index++) queue.push(figures(1, index))
    assert.equal(hitsOf(taken), before)
    assert.equal(hitsOf(queue.take(100)), 15)
  })

  it('drops the oldest of the shortest intervals first, then events, never the end and states', () => {
    const queue = queueOf({ records: 4 })
    const [one, ten, two, state, log] = [
      interval(1_000, 0),
      interval(10_000, 0),
      interval(1_000, 1_000),
      event('state'),
      event('log'),
    ]
    for (const each of [one, ten, two, state]) queue.push(each)
    queue.push(log)
    queue.push(event('state', 'other'))
    queue.push(event('state', 'third'))
    queue.push(end)
    const left = queue.take(100)
    assert.ok(!left.includes(one) && !left.includes(two) && !left.includes(ten) && !left.includes(log))
    assert.ok(left.includes(state) && left.includes(end))
    assert.equal(queue.dropped, 4)
  })

  it('is bounded by bytes', () => {
    const queue = queueOf({ bytes: 10_000 })
    const long = 'x'.repeat(1_000)
    for (let index = 0; index < 100; index++) queue.push(event('log', long))
    const left = queue.take(1_000)
    assert.ok(left.length >= 3 && left.length <= 5, String(left.length))
    assert.equal(queue.dropped, 100 - left.length)
  })

  it('adds figures up rather than drop them where they take too much memory', () => {
    const queue = queueOf({ bytes: 5_000 })
    for (let index = 0; index < 100; index++) queue.push(figures(1, index, index < 30))
    assert.equal(queue.dropped, 0)
    const all = queue.take(100)
    assert.ok(all.length < 10)
    assert.deepEqual([hitsOf(all, true), hitsOf(all, false)], [30, 70])
  })

  it('keeps its bounds and its figures whatever happens', () => {
    const action = fc.oneof(
      fc.record({
        do: fc.constant('figures' as const),
        hits: fc.integer({ min: 1, max: 9 }),
        warmUp: fc.boolean(),
        bucket: fc.integer({ min: 1, max: 5 }),
      }),
      fc.record({ do: fc.constantFrom('interval' as const, 'log' as const, 'state' as const) }),
      fc.record({
        do: fc.constantFrom('write' as const, 'fail' as const),
        most: fc.integer({ min: 1, max: 8 }),
      }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const limits = { records: 20, mergeFrom: 5, bytes: 1e9 }
        const queue = new LaneQueue(limits)
        const written: Waiting[] = []
        const sum = { true: 0, false: 0 }
        let states = 0
        for (const [at, each] of actions.entries()) {
          if (each.do === 'figures') {
            queue.push(figures(each.hits, at, each.warmUp, each.bucket))
            sum[`${each.warmUp}`] += each.hits
          } else if ('most' in each) {
            const taken = queue.take(each.most)
            if (each.do === 'write') written.push(...taken)
            else queue.putBack(taken)
          } else if (each.do === 'interval') queue.push(interval(1_000, at))
          else {
            queue.push(event(each.do))
            if (each.do === 'state') states++
          }
        }
        assert.ok(queue.length <= Math.max(limits.records, states + 2), 'the bound')
        const all = [...written, ...queue.take(1e9)]
        assert.equal(
          all.filter(({ record }) => record.type === 'event' && record.event.type === 'state').length,
          states,
        )
        // Those of the warm-up and those after it are one record each at least.
        if (states <= limits.records - 2)
          assert.deepEqual([hitsOf(all, true), hitsOf(all, false)], [sum.true, sum.false])
      }),
      { numRuns: 300 },
    )
  })
})
