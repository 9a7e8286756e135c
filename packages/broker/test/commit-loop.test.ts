import assert from 'node:assert/strict'
import { Aggregate, Catalogue, Delta, DeltaDecoder } from '@loads-runner/metrics'
import type { CommitEvent } from '@loads-runner/protocol'
import { specOf } from '@loads-runner/protocol/testing'
import fc from 'fast-check'
import { CommitLoop } from '../src/commit-loop.ts'
import { noJournal, type Journal } from '../src/journal.ts'
import { WindowStream, type TakenWindow } from '../src/window-intake.ts'
import { FakeSession } from './support/fake-session.ts'
import { ManualClock } from './support/manual-clock.ts'

/** A disk that takes as long as the test wants. */
class SlowJournal implements Journal {
  readonly active = true
  readonly records: object[] = []
  readonly #done: (() => void)[] = []

  write(record: object): Promise<void> {
    this.records.push(record)
    return new Promise((resolve) => this.#done.push(resolve))
  }

  async close(): Promise<void> {}

  async finishOne(): Promise<void> {
    this.#done.shift()!()
    await new Promise(setImmediate)
  }
}

describe('CommitLoop', () => {
  let clock: ManualClock
  let journal: SlowJournal
  let loop: CommitLoop
  let commits: CommitEvent[]
  let defects: unknown[]
  let session: FakeSession
  let stream: WindowStream

  beforeEach(() => open(0))

  function open(
    warmUpMs: number,
    to: Journal | null = null,
    complete: (agents: ReadonlySet<string>) => boolean = () => false,
  ): void {
    clock = new ManualClock()
    journal = new SlowJournal()
    commits = []
    defects = []
    session = new FakeSession('r1', specOf(), { ranges: [{ first: 0, count: 1 }] })
    stream = new WindowStream('a1', new Catalogue(1000), () => assert.fail())
    const counts = { started: 0, finished: 0, interrupted: 0, planned: 0, dropped: 0 }
    const generator = { eventLoopLagMs: 0, cpu: 0, latenessMs: 0 }
    loop = new CommitLoop({
      clock,
      journal: to ?? journal,
      windowMs: 1000,
      warmUpMs,
      incarnationOf: () => 'i1',
      figures: () => ({ at: clock.now(), activeUsers: 0, elapsedMs: 0, ...counts, generator }),
      complete,
      onCommit: (_, event) => {
        if (event.windows.some(({ number }) => number === 13)) throw new Error('a defect')
        commits.push(event)
      },
      onDefect: (error) => defects.push(error),
    })
  }

  /** What is in each commit. */
  function numbers(): string[][] {
    return commits.map(({ windows }) => windows.map(({ agent, number }) => `${agent} ${number}`))
  }

  function windowOf(name: string, hits: number): TakenWindow[] {
    session.hit(name, hits)
    return stream.offer(session.cut(), 0) as TakenWindow[]
  }

  it('counts and tells nothing before it is on disk, and has one commit under way at a time', async () => {
    loop.add(windowOf('GET /1', 1))
    loop.hurry()
    loop.add(windowOf('GET /2', 2))
    loop.hurry()
    clock.advance(5000)
    loop.add(windowOf('GET /3', 4))
    assert.equal(journal.records.length, 1)
    assert.deepEqual([commits.length, loop.aggregate.hits().count, loop.idle], [0, 0, false])
    await journal.finishOne()
    assert.deepEqual([commits.length, loop.aggregate.hits().count, loop.idle], [1, 1, false])
    assert.equal(journal.records.length, 2)
    await journal.finishOne()
    assert.deepEqual([commits.length, loop.aggregate.hits().count, loop.idle], [2, 3, false])
    await journal.finishOne()
    assert.deepEqual(numbers(), [['a1 0'], ['a1 1'], ['a1 2']])
    assert.deepEqual([loop.aggregate.hits().count, loop.idle], [7, true])
    assert.deepEqual(defects, [])
  })

  it('gives a reader that comes while a commit is under way the same totals as one from the start', async () => {
    loop.add(windowOf('GET /1', 1))
    loop.hurry()
    await journal.finishOne()
    loop.add(windowOf('GET /2', 2))
    loop.hurry()
    const late = new DeltaDecoder()
    const totals = new Aggregate()
    totals.apply(late.decode(loop.encodeTotals()))
    assert.equal(totals.hits().count, 1)
    await journal.finishOne()
    loop.add(windowOf('GET /2', 8))
    loop.hurry()
    await journal.finishOne()
    for (const commit of commits.slice(1)) totals.apply(late.decode(commit.delta))
    assert.deepEqual(totals.hits(), loop.aggregate.hits())

    const early = new DeltaDecoder()
    const all = new Aggregate()
    for (const commit of commits) all.apply(early.decode(commit.delta))
    assert.deepEqual(all.hits(), loop.aggregate.hits())
  })

  it('never mixes the warm-up with what counts, and keeps totals of each', async () => {
    open(2000)
    const others = new FakeSession('r1', specOf(), { ranges: [{ first: 1, count: 1 }] })
    const otherStream = new WindowStream('a2', new Catalogue(1000), () => assert.fail())
    const windows = Array.from({ length: 4 }, (_, index) => windowOf('GET /', 10 ** index))
    for (const hits of [2, 20, 200]) {
      others.hit('GET /', hits)
      windows.push(otherStream.offer(others.cut(), 0) as TakenWindow[])
    }
    for (const taken of windows) loop.add(taken)
    loop.hurry()
    for (let commit = 0; commit < 4; commit++) {
      assert.equal(loop.idle, false)
      await journal.finishOne()
    }
    assert.deepEqual(numbers(), [['a1 0', 'a2 0'], ['a1 1', 'a2 1'], ['a1 2', 'a2 2'], ['a1 3']])
    assert.deepEqual(
      commits.map(({ warmUp }) => warmUp),
      [true, true, false, false],
    )
    assert.equal(loop.idle, true)
    assert.deepEqual([loop.warmUp.aggregate.hits().count, loop.warmUp.endMs], [33, 2000])
    assert.equal(loop.aggregate.hits().count, 1300)
    const late = new Aggregate()
    late.apply(new DeltaDecoder().decode(loop.encodeTotals()))
    assert.equal(late.hits().count, 1300)
  })

  it('says how each agent did in each window', async () => {
    session.activeUsers = 7
    session.lagMs = 12.5
    session.latenessMs = 3
    session.cpu = 1.5
    loop.add(windowOf('GET /', 30))
    loop.hurry()
    await journal.finishOne()
    assert.deepEqual(commits[0]!.windows, [
      {
        agent: 'a1',
        incarnation: 'i1',
        number: 0,
        fromMs: 0,
        toMs: 1000,
        activeUsers: 7,
        hits: 30,
        eventLoopLagMs: 12.5,
        cpu: 1.5,
        latenessMs: 3,
      },
    ])
  })

  it('commits windows of one second together, and those of other seconds at once after it, oldest first', async () => {
    const other = new FakeSession('r1', specOf(), { ranges: [{ first: 1, count: 1 }] })
    const otherStream = new WindowStream('a2', new Catalogue(1000), () => assert.fail())
    const late = (spanMs: number, final = false) =>
      otherStream.offer(other.cut(final, spanMs), 0) as TakenWindow[]
    loop.add(windowOf('GET /', 1))
    loop.add(windowOf('GET /', 1))
    loop.add(windowOf('GET /', 1))
    // They end at 1,020, 2,480 and, the last one, at 2,500 ms: in the seconds 1, 2 and 3.
    loop.add(late(1020))
    loop.add(late(1460))
    loop.add(late(20, true))
    while (!loop.idle) await journal.finishOne()
    assert.deepEqual(numbers(), [
      ['a1 0', 'a2 0'],
      ['a1 1', 'a2 1'],
      ['a1 2', 'a2 2'],
    ])
  })

  it('tells the short window at the end of a stage from those of the second before', async () => {
    const other = new FakeSession('r1', specOf(), { ranges: [{ first: 1, count: 1 }] })
    const otherStream = new WindowStream('a2', new Catalogue(1000), () => assert.fail())
    const cut = (spanMs: number, final = false) =>
      loop.add(otherStream.offer(other.cut(final, spanMs), 0) as TakenWindow[])
    loop.add(windowOf('GET /', 1))
    cut(1010)
    cut(290)
    cut(4, true)
    loop.add(windowOf('GET /', 1))
    while (!loop.idle) await journal.finishOne()
    assert.deepEqual(numbers(), [
      ['a1 0', 'a2 0'],
      ['a2 1', 'a2 2', 'a1 1'],
    ])
  })

  it('never puts a window of an agent before an older one, whatever their times', async () => {
    const broken = (number: number, toMs: number): TakenWindow => {
      const [taken] = windowOf('GET /', 1)
      return { ...taken!, window: { ...taken!.window, number, fromMs: 0, toMs } }
    }
    loop.add([broken(0, 5000), broken(1, 1000), broken(2, 9000), broken(3, 2000)])
    loop.hurry()
    while (!loop.idle) await journal.finishOne()
    assert.deepEqual(numbers(), [
      ['a1 0', 'a1 1'],
      ['a1 2', 'a1 3'],
    ])
  })

  it('needs one commit per second for agents that are in time, however their windows come', () => {
    const agents = ['a1', 'a2', 'a3']
    /** Milliseconds by which windows end late, and by which they come later still. */
    const jitter = fc.array(fc.tuple(fc.nat(300), fc.nat(150)), { minLength: 30, maxLength: 30 })
    fc.assert(
      fc.property(jitter, (delays) => {
        open(0, noJournal, (waiting) => waiting.size === agents.length)
        const empty = (agent: string, number: number, toMs: number): TakenWindow => ({
          agent,
          window: { ...session.cut(), number, fromMs: Math.max(0, toMs - 1000), toMs },
          delta: new Delta(),
          hits: 0,
          readable: true,
        })
        for (let second = 1; second <= 10; second++) {
          const windows = agents.map((agent, index) => {
            const [lateMs, wayMs] = delays[(second - 1) * 3 + index]!
            return {
              atMs: second * 1000 + lateMs + wayMs,
              taken: empty(agent, second - 1, second * 1000 + lateMs),
            }
          })
          for (const { atMs, taken } of windows.sort((a, b) => a.atMs - b.atMs)) {
            clock.advance(Math.max(0, 1000 + atMs - clock.monotonic()))
            loop.add([taken])
          }
        }
        clock.advance(1000)
        assert.equal(commits.length, 10)
        for (const [index, { windows }] of commits.entries()) {
          assert.deepEqual(
            windows.map(({ number }) => number),
            [index, index, index],
          )
        }
      }),
      { numRuns: 50 },
    )
  })

  it('puts every window into one commit, with others of its second only, in the order of its agent', async () => {
    const spans = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 2500 })), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(spans, fc.nat(4000), async (cuts, warmUpMs) => {
        open(warmUpMs)
        const ends = [0, 0, 0]
        const counts = [0, 0, 0]
        for (const [index, spanMs] of cuts) {
          const fromMs = ends[index]!
          const toMs = (ends[index] = fromMs + spanMs)
          const window = { ...session.cut(), number: counts[index]!++, fromMs, toMs }
          loop.add([{ agent: `a${index}`, window, delta: new Delta(), hits: 0, readable: true }])
        }
        loop.hurry()
        while (!loop.idle) await journal.finishOne()
        const seen = [0, 0, 0]
        let isWarm = false
        for (const { windows, warmUp } of commits) {
          const seconds = windows.map(({ fromMs, toMs }) => (toMs - Math.min(1000, toMs - fromMs) / 2) / 1000)
          assert.equal(new Set(seconds.map(Math.floor)).size, 1)
          assert.ok(!(isWarm && warmUp), 'all of the warm-up comes first')
          isWarm ||= !warmUp
          for (const { agent, number, fromMs } of windows) {
            assert.equal(number, seen[Number(agent.slice(1))]!++)
            assert.equal(warmUp, fromMs < warmUpMs)
          }
        }
        assert.deepEqual(seen, counts)
      }),
      { numRuns: 100 },
    )
  })

  it('reports a defect that it meets after a write, where nobody else would hear of it', async () => {
    for (let number = 0; number < 13; number++) windowOf('GET /', 1)
    loop.add(windowOf('GET /', 1))
    loop.hurry()
    await journal.finishOne()
    assert.match(String(defects[0]), /a defect/)
  })

  it('does nothing any more once it is closed', async () => {
    loop.add(windowOf('GET /1', 1))
    loop.hurry()
    loop.add(windowOf('GET /2', 1))
    loop.close()
    await journal.finishOne()
    clock.advance(10_000)
    assert.deepEqual([commits.length, journal.records.length, clock.pending], [0, 1, 0])
  })
})
