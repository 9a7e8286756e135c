import assert from 'node:assert/strict'
import { bucketOf, Delta, emptySeriesDelta } from '@loads-runner/metrics'
import type { SeriesKey } from '@loads-runner/metrics'
import type { CommitEvent } from '@loads-runner/protocol'
import fc from 'fast-check'
import { IntervalCutter } from '../src/interval-cutter.ts'
import { intervalSpansMs, type Interval } from '../src/interval.ts'
import { hitKey, spec } from '../src/testing.ts'

interface Told {
  second: number
  agent?: string
  hits?: number
  micros?: number
  failed?: number
  name?: string
  warmUp?: boolean
  fromMs?: number
  toMs?: number
  planned?: number
  activeUsers?: number
}

const startedAt = 1_700_000_000_000

/** A commit of one window, and its delta. */
function told(what: Told): [CommitEvent, Delta] {
  const { second, agent = 'a1', hits = 1, micros = 10_000, failed = 0, name = '/', warmUp = false } = what
  const { fromMs = second * 1000, toMs = second * 1000 + 1000, planned = 0, activeUsers = 1 } = what
  const delta = new Delta()
  const key: SeriesKey = { ...hitKey(), name }
  const figures = { count: hits, failed, sum: hits * micros, min: micros, max: micros, bytesIn: hits * 100 }
  if (hits > 0)
    delta.add({ ...emptySeriesDelta(key, null), ...figures, buckets: new Map([[bucketOf(micros), hits]]) })
  const health = { eventLoopLagMs: second, cpu: hits, latenessMs: 0 }
  const window = { agent, incarnation: `${agent}-1`, number: second, fromMs, toMs, activeUsers, hits }
  const event: CommitEvent = {
    type: 'commit',
    at: startedAt + toMs + 200,
    windows: [{ ...window, ...health }],
    activeUsers,
    elapsedMs: toMs + 200,
    started: planned,
    finished: 0,
    interrupted: 0,
    planned,
    dropped: 0,
    warmUp,
    generator: health,
    delta: new Uint8Array(),
  }
  return [event, delta]
}

class Cut {
  readonly handedOut: Interval[] = []
  readonly cutter: IntervalCutter

  constructor(spansMs: readonly number[] = [1000]) {
    const onInterval = (interval: Interval) => this.handedOut.push(interval)
    this.cutter = new IntervalCutter({ spansMs, onInterval })
  }

  commit(what: Told): void {
    this.cutter.commit(...told(what), startedAt)
  }

  /** The last revision of each interval of a span. */
  latest(spanMs = 1000): Interval[] {
    const found = new Map<number, Interval>()
    for (const interval of this.handedOut)
      if (interval.spanMs === spanMs) found.set(interval.fromMs, interval)
    return [...found.values()].sort((one, other) => one.fromMs - other.fromMs)
  }

  seconds(): number[] {
    return this.handedOut.map(({ fromMs }) => fromMs / 1000)
  }
}

function hitsOf({ delta }: Interval): number {
  let sum = 0
  for (const { count } of delta.series.values()) sum += count
  return sum
}

/** Counts, failed, bytes and buckets of all series, comparable; extremes are of the whole series and not summed. */
function figuresOf(deltas: Iterable<Delta>): object {
  const sum = new Delta()
  for (const delta of deltas) sum.merge(delta)
  const rows = [...sum.series].map(([id, { count, failed, sum: micros, bytesIn, buckets }]) => {
    const pairs = [...(buckets ?? [])].sort(([one], [other]) => one - other)
    return [id, count, failed, micros, bytesIn, pairs] as const
  })
  return rows.sort(([one], [other]) => (one < other ? -1 : 1))
}

describe('IntervalCutter', () => {
  it('hands out a second when a commit of two seconds later has come', () => {
    const cut = new Cut()
    cut.commit({ second: 0, hits: 3 })
    cut.commit({ second: 1, hits: 4 })
    assert.deepEqual(cut.seconds(), [])
    cut.commit({ second: 2, hits: 5 })
    assert.deepEqual(cut.seconds(), [0])
    const [first] = cut.handedOut
    assert.equal(hitsOf(first!), 3)
    assert.equal(first!.at, startedAt)
    assert.equal(first!.loadMs, 1000)
    assert.equal(first!.revision, 0)
  })

  it('hands out silence as intervals of nothing', () => {
    const cut = new Cut()
    cut.commit({ second: 0, hits: 3, activeUsers: 7, planned: 9 })
    cut.cutter.tick(2999)
    assert.deepEqual(cut.seconds(), [])
    cut.cutter.tick(3000)
    assert.deepEqual(cut.seconds(), [0])
    cut.cutter.tick(5500)
    assert.deepEqual(cut.seconds(), [0, 1, 2])
    const silent = cut.handedOut[2]!
    assert.ok(silent.delta.isEmpty)
    assert.equal(silent.loadMs, 1000)
    assert.deepEqual(silent.agents, [])
    assert.equal(silent.activeUsers, 7, 'as it was last said')
    assert.equal(silent.planned, 9)
  })

  it('hands out whole what late figures have changed, with the next revision', () => {
    const cut = new Cut([1000, 10_000])
    for (let second = 0; second < 14; second++) cut.commit({ second, hits: 2 })
    const before = cut.handedOut.length
    cut.commit({ second: 3, agent: 'a2', hits: 5, name: '/late' })
    const late = cut.handedOut.slice(before)
    assert.deepEqual(
      late.map(({ spanMs, fromMs, revision }) => [spanMs, fromMs, revision]),
      [
        [1000, 3000, 1],
        [10_000, 0, 1],
      ],
    )
    assert.deepEqual(late.map(hitsOf), [7, 25])
    assert.deepEqual(
      late[0]!.agents.map(({ agent, hits }) => [agent, hits]),
      [
        ['a1', 2],
        ['a2', 5],
      ],
    )
    assert.equal(hitsOf(cut.handedOut[3]!), 2, 'what was handed out before is as it was')
    cut.commit({ second: 3, agent: 'a3', hits: 1 })
    assert.equal(cut.latest()[3]!.revision, 2)
    assert.equal(hitsOf(cut.latest()[3]!), 8)
    assert.equal(cut.cutter.tooLate, 0)
  })

  it('counts what comes too late', () => {
    const cut = new Cut()
    for (let second = 0; second < 140; second++) cut.commit({ second })
    cut.commit({ second: 18 })
    assert.equal(cut.cutter.tooLate, 0, 'of 138 closed ones, 120 are kept')
    cut.commit({ second: 17 })
    assert.equal(cut.cutter.tooLate, 1)
  })

  it('ends with the part of a second that load was made in', () => {
    const cut = new Cut(intervalSpansMs)
    for (let second = 0; second < 11; second++)
      cut.commit({ second, toMs: Math.min(10_250, (second + 1) * 1000) })
    cut.cutter.end(10_250)
    assert.equal(cut.latest().length, 11)
    assert.equal(cut.latest().at(-1)!.loadMs, 250)
    assert.deepEqual(
      cut.latest(10_000).map(({ loadMs }) => loadMs),
      [10_000, 250],
    )
    assert.deepEqual(
      cut.latest(60_000).map(({ loadMs }) => loadMs),
      [10_250],
    )
  })

  it('does not make an interval of a part of a second without figures', () => {
    const cut = new Cut()
    cut.commit({ second: 0 })
    cut.cutter.end(2400)
    assert.deepEqual(cut.seconds(), [0, 1])
  })

  it('begins at a snapshot in mid-run', () => {
    const cut = new Cut([1000, 10_000])
    cut.cutter.begin({ elapsedMs: 12_300, startedAt, spec: spec() })
    cut.commit({ second: 11, hits: 9 })
    assert.equal(cut.cutter.tooLate, 1, 'some of it is in the snapshot')
    for (let second = 12; second < 24; second++) cut.commit({ second })
    assert.equal(cut.seconds()[0], 12)
    const [ten] = cut.latest(10_000)
    assert.equal(ten!.loadMs, 8000, 'its rates are over the seconds that are known')
    assert.equal(hitsOf(ten!), 8)
  })

  it('leaves out the seconds between two snapshots', () => {
    const cut = new Cut()
    cut.cutter.begin({ elapsedMs: 0, startedAt, spec: spec() })
    for (let second = 0; second < 4; second++) cut.commit({ second })
    cut.cutter.begin({ elapsedMs: 7100, startedAt, spec: spec() })
    for (let second = 7; second < 10; second++) cut.commit({ second })
    assert.deepEqual(cut.seconds(), [0, 1, 7])
  })

  it('keeps the warm-up apart, in the second in which it ends too', () => {
    const cut = new Cut([1000, 10_000])
    cut.cutter.begin({ elapsedMs: 0, startedAt, spec: spec({ warmUpMs: 2500 }) })
    cut.commit({ second: 0, hits: 10, warmUp: true })
    cut.commit({ second: 2, hits: 20, warmUp: true, fromMs: 2000, toMs: 2500 })
    cut.commit({ second: 2, hits: 5, fromMs: 2500, toMs: 3000 })
    for (let second = 3; second < 12; second++) cut.commit({ second, hits: 1 })
    assert.deepEqual(
      cut
        .latest()
        .slice(0, 4)
        .map((each) => [each.warmUp, hitsOf(each), each.loadMs]),
      [
        [true, 10, 1000],
        [true, 0, 1000],
        [false, 5, 500],
        [false, 1, 1000],
      ],
    )
    const [ten] = cut.latest(10_000)
    assert.deepEqual([ten!.warmUp, hitsOf(ten!), ten!.loadMs], [false, 12, 7500])
  })

  it('takes the word of the broker for how far a run is', () => {
    const cut = new Cut()
    const [event, delta] = told({ second: 0, fromMs: 1e12, toMs: 1e12 + 1000 })
    cut.cutter.commit({ ...event, elapsedMs: 5000 }, delta, startedAt)
    assert.deepEqual(cut.seconds(), [0, 1, 2, 3, 4, 5].slice(0, cut.handedOut.length))
    assert.ok(cut.handedOut.length <= 6)
  })

  it('leaves out hours in which nothing was running', () => {
    const cut = new Cut()
    cut.commit({ second: 0 })
    cut.cutter.tick(1000 * 3600 * 24 * 365)
    assert.ok(cut.handedOut.length < 10)
    assert.equal(cut.seconds()[0], 0)
  })

  it('says how each agent did', () => {
    const cut = new Cut([10_000])
    for (let second = 0; second < 10; second++) {
      cut.commit({ second, agent: 'a1', hits: 2, activeUsers: second })
      cut.commit({ second, agent: 'a2', hits: 4, activeUsers: 1 })
    }
    cut.cutter.end(10_000)
    const [{ agents } = { agents: [] }] = cut.handedOut
    assert.deepEqual(
      agents.map(({ agent, hits, windows, activeUsers, eventLoopLagMs, cpu }) => {
        return [agent, hits, windows, activeUsers, eventLoopLagMs, cpu]
      }),
      [
        ['a1', 20, 10, 9, 9, 2],
        ['a2', 40, 10, 1, 9, 4],
      ],
    )
  })

  const commits = fc.array(
    fc.record({
      second: fc.nat(100),
      agent: fc.constantFrom('a1', 'a2', 'a3'),
      hits: fc.nat(20),
      micros: fc.nat(5_000_000),
      failed: fc.nat(3),
      name: fc.constantFrom('/', '/b', '/c'),
    }),
    { minLength: 1, maxLength: 150 },
  )

  it('loses and doubles nothing, whatever the order', () => {
    fc.assert(
      fc.property(commits, fc.array(fc.nat(103_000), { maxLength: 5 }), (all, ticks) => {
        const cut = new Cut(intervalSpansMs)
        cut.cutter.begin({ elapsedMs: 0, startedAt, spec: spec() })
        for (const [index, what] of all.entries()) {
          cut.commit(what)
          if (ticks[index] !== undefined) cut.cutter.tick(ticks[index])
        }
        cut.cutter.end(101_000)
        const total = figuresOf(all.map((what) => told(what)[1]))
        assert.equal(cut.cutter.tooLate, 0)
        for (const spanMs of intervalSpansMs)
          assert.deepEqual(figuresOf(cut.latest(spanMs).map(({ delta }) => delta)), total)
        for (const ten of cut.latest(10_000)) {
          const own = cut
            .latest()
            .filter(({ fromMs }) => fromMs >= ten.fromMs && fromMs < ten.fromMs + 10_000)
          assert.deepEqual(figuresOf([ten.delta]), figuresOf(own.map(({ delta }) => delta)))
          assert.equal(
            ten.loadMs,
            own.reduce((sum, { loadMs }) => sum + loadMs, 0),
          )
        }
        assert.deepEqual(
          cut.latest().map(({ fromMs }) => fromMs),
          Array.from({ length: 101 }, (_, second) => second * 1000),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the warm-up out of what counts, whatever the order', () => {
    const late = fc.array(
      fc.record({ second: fc.nat(40), hits: fc.integer({ min: 1, max: 9 }), early: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 80,
      },
    )
    fc.assert(
      fc.property(late, fc.nat(20_000), (all, warmUpMs) => {
        const cut = new Cut(intervalSpansMs)
        cut.cutter.begin({ elapsedMs: 0, startedAt, spec: spec({ warmUpMs }) })
        const counting: Delta[] = []
        for (const { second, hits, early } of all) {
          // A window of the second in which the warm-up ends may be of either sort.
          const fromMs = second * 1000
          const warmUp = fromMs + 999 < warmUpMs || (fromMs < warmUpMs && early)
          if (!warmUp) counting.push(told({ second, hits })[1])
          cut.commit({
            second,
            hits,
            warmUp,
            fromMs: warmUp ? fromMs : Math.max(fromMs, Math.min(fromMs + 999, warmUpMs)),
          })
        }
        cut.cutter.end(41_000)
        for (const spanMs of intervalSpansMs) {
          const shown = cut.latest(spanMs).filter(({ warmUp }) => !warmUp)
          assert.deepEqual(figuresOf(shown.map(({ delta }) => delta)), figuresOf(counting))
        }
        for (const ten of cut.latest(10_000)) {
          const own = cut
            .latest()
            .filter(
              ({ fromMs, warmUp }) =>
                Math.floor(fromMs / 10_000) * 10_000 === ten.fromMs && warmUp === ten.warmUp,
            )
          const loadMs = own.reduce((sum, each) => sum + each.loadMs, 0)
          assert.ok(Math.abs(ten.loadMs - loadMs) < 1e-6, `${ten.loadMs} of ${loadMs}`)
        }
      }),
      { numRuns: 80 },
    )
  })

  it('never changes what it has handed out or was given', () => {
    fc.assert(
      fc.property(commits, (all) => {
        const cut = new Cut(intervalSpansMs)
        const given: Delta[] = []
        const then: object[] = []
        for (const what of all) {
          const [event, delta] = told(what)
          given.push(delta)
          cut.cutter.commit(event, delta, startedAt)
          for (const { delta: out } of cut.handedOut.slice(then.length)) then.push(figuresOf([out]))
        }
        assert.deepEqual(
          cut.handedOut.map(({ delta }) => figuresOf([delta])),
          then,
        )
        assert.deepEqual(
          given.map((delta) => figuresOf([delta])),
          all.map((what) => figuresOf([told(what)[1]])),
        )
      }),
      { numRuns: 40 },
    )
  })
})
