import assert from 'node:assert/strict'
import { Aggregate, Catalogue, DeltaDecoder } from '@loads-runner/metrics'
import type { CommitEvent } from '@loads-runner/protocol'
import { specOf } from '@loads-runner/protocol/testing'
import { CommitLoop } from '../src/commit-loop.ts'
import type { Journal } from '../src/journal.ts'
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

  function open(warmUpMs: number): void {
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
      journal,
      windowMs: 1000,
      warmUpMs,
      incarnationOf: () => 'i1',
      figures: () => ({ at: clock.now(), activeUsers: 0, elapsedMs: 0, ...counts, generator }),
      complete: () => false,
      onCommit: (_, event) => {
        if (event.windows.some(({ number }) => number === 13)) throw new Error('a defect')
        commits.push(event)
      },
      onDefect: (error) => defects.push(error),
    })
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
    assert.deepEqual(
      commits.map(({ windows }) => windows.map(({ number }) => number)),
      [[0], [1, 2]],
    )
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
    await journal.finishOne()
    assert.equal(loop.idle, false)
    await journal.finishOne()
    assert.deepEqual(
      commits.map(({ warmUp, windows: all }) => [
        warmUp,
        all.map(({ agent, number }) => `${agent} ${number}`),
      ]),
      [
        [true, ['a1 0', 'a1 1', 'a2 0', 'a2 1']],
        [false, ['a1 2', 'a1 3', 'a2 2']],
      ],
    )
    assert.equal(loop.idle, true)
    assert.deepEqual([loop.warmUp.aggregate.hits().count, loop.warmUp.endMs], [33, 2000])
    assert.equal(loop.aggregate.hits().count, 1300)
    const late = new Aggregate()
    late.apply(new DeltaDecoder().decode(loop.encodeTotals()))
    assert.equal(late.hits().count, 1300)
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
