import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { compareRuns, type Comparison } from '../src/compare-runs.ts'
import { openRecording, type Recording } from '../src/recording.ts'
import { spec } from '../src/testing.ts'
import { eventsOf, withDirectory, writeRun, type Samples } from './run-maker.ts'

type Seconds = readonly (readonly Samples[])[]

function recordingOf(seconds: Seconds, runId = 'r'): Recording {
  const { events, summary } = eventsOf({ runId, seconds })
  const rest = { kind: 'run-directory', source: null, unknownRecords: 0 } as const
  return {
    runId,
    path: `/${runId}`,
    spec: spec(),
    summary,
    ...rest,
    events: async function* () {
      yield* events
    },
  }
}

function compare(before: Seconds, after: Seconds): Promise<Comparison> {
  return compareRuns(recordingOf(before, 'before'), recordingOf(after, 'after'))
}

/** A run of so many seconds with 20 hits in each, around so many microseconds. */
function steady(seconds: number, micros: number, key: Samples['key'] = {}): Samples[][] {
  return Array.from({ length: seconds }, (_, second) =>
    Array.from({ length: 4 }, (_, index) => {
      // A pattern that repeats in no block.
      const spread = 1 + (((second * 7 + index * 13) % 29) - 14) / 100
      return { micros: Math.round(micros * spread), count: 5, key: { ...key } }
    }),
  )
}

describe('compareRuns', () => {
  it('calls a run that is compared with itself the same', async () => {
    for (const seconds of [3, 80]) {
      const run = steady(seconds, 20_000)
      const { all, series } = await compare(run, run)
      assert.equal(all.change, 'same')
      assert.equal(all.delta, 0)
      assert.equal(all.superiority, 0.5)
      assert.equal(all.p, 1)
      assert.equal(all.ratio.p95, 1)
      assert.equal(series[0]!.change, 'same')
      assert.equal(series[0]!.errors.change, 'same')
    }
  })

  it('finds a run that is slower, by its blocks', async () => {
    const { all, series, before, after } = await compare(steady(80, 20_000), steady(80, 30_000))
    assert.equal(all.change, 'slower')
    assert.ok(all.delta! > 0.9)
    assert.ok(all.ratio.p50! > 1.4 && all.ratio.p50! < 1.6)
    assert.deepEqual(all.basis, { type: 'blocks', spanMs: 10_000, before: 8, after: 8 })
    assert.equal(all.before!.count, 1600)
    assert.equal(all.before!.perSecond, 20)
    assert.equal(series.length, 1)
    assert.equal(series[0]!.change, 'slower')
    assert.equal(before.runId, 'before')
    assert.equal(after.verdict, 'passed')
  })

  it('changes the signs when the runs change places', async () => {
    const [one, other] = [steady(80, 20_000), steady(80, 30_000)]
    const there = await compare(one, other)
    const back = await compare(other, one)
    assert.equal(back.all.change, 'faster')
    assert.equal(back.all.delta, -there.all.delta!)
    assert.equal(back.all.p, there.all.p)
    assert.ok(Math.abs(back.all.ratio.p95! * there.all.ratio.p95! - 1) < 1e-12)
  })

  it('compares samples where there are too few blocks', async () => {
    const { all } = await compare(steady(20, 20_000), steady(20, 30_000))
    assert.deepEqual(all.basis, { type: 'samples' })
    assert.equal(all.change, 'slower')
  })

  it('does not call a difference a change that is significant and small', async () => {
    // 1 % slower: with so many samples every test sees it, nobody else would.
    const many = (micros: number) =>
      steady(20, micros).map((second) => second.map((each) => ({ ...each, count: 5000 })))
    const { all } = await compare(many(20_000), many(20_250))
    assert.ok(all.p! < 1e-6)
    assert.ok(all.delta! > 0 && all.delta! < 0.147)
    assert.equal(all.change, 'same')
  })

  it('does not prove a change by hits that depend on each other', async () => {
    // One long bad time in each run, in another place: many hits, few independent moments.
    const bad = (from: number, to: number) =>
      steady(80, 20_000).map((second, at) =>
        second.map((each) => ({
          ...each,
          count: 50,
          micros: at >= from && at < to ? each.micros * 5 : each.micros,
        })),
      )
    const { all } = await compare(bad(20, 40), bad(20, 60))
    assert.ok(all.delta! > 0.147)
    assert.ok(all.p! > 0.01)
    assert.equal(all.change, 'same')
  })

  it('merges statuses and tags, and keeps names, methods and tests apart', async () => {
    const run = steady(20, 20_000).map((second, at) =>
      second.flatMap((each) => [
        { ...each, key: { name: '/a', status: at % 2 === 0 ? '200' : '304' } },
        { ...each, key: { name: '/a', status: '200', tags: { zone: 'eu' } } },
        { ...each, key: { name: '/a', method: 'POST' } },
        { ...each, key: { kind: 'step' as const, name: 'log in', method: '', status: '' } },
        { ...each, key: { kind: 'execution' as const, name: 'T.test_a' } },
      ]),
    )
    const { series, all } = await compare(run, run)
    assert.deepEqual(
      series.map(({ kind, name, method, before }) => [kind, name, method, before!.count]),
      [
        ['http', '/a', 'GET', 800],
        ['http', '/a', 'POST', 400],
        ['step', 'log in', '', 400],
      ],
    )
    assert.equal(all.before!.count, 1200, 'hits only')
    assert.equal(series[2]!.before!.errorRate, null, 'a step cannot fail')
    assert.deepEqual(series[2]!.errors, { difference: null, p: null, change: 'same' })
  })

  it('says which series are new, gone, or too short', async () => {
    const few = [[{ micros: 5000, count: 19, key: { name: '/few' } }]]
    const before = [...steady(5, 20_000, { name: '/old' }), ...few]
    const after = [...steady(5, 20_000, { name: '/new' }), ...few]
    const { series } = await compare(before, after)
    const byName = new Map(series.map((each) => [each.name, each]))
    assert.equal(byName.get('/old')!.change, 'gone')
    assert.equal(byName.get('/old')!.after, null)
    assert.equal(byName.get('/new')!.change, 'new')
    assert.equal(byName.get('/new')!.delta, null)
    assert.equal(byName.get('/few')!.change, 'too few samples')
    assert.equal(byName.get('/few')!.p, null)
    assert.equal(byName.get('/few')!.delta, 0)
  })

  it('compares shares of failed hits apart from times', async () => {
    const failing = (failed: number) =>
      steady(20, 20_000).map((second) => second.map((each) => ({ ...each, failed })))
    const { all } = await compare(failing(0), failing(1))
    assert.equal(all.change, 'same')
    assert.equal(all.errors.change, 'more')
    assert.equal(all.errors.difference, 0.2)
    assert.equal((await compare(failing(1), failing(0))).all.errors.change, 'fewer')
  })

  it('compares response times where both runs have an open model', async () => {
    const open = steady(20, 20_000).map((second) =>
      second.flatMap((each) => [
        each,
        { ...each, micros: each.micros * 2, key: { kind: 'hit-response' as const } },
      ]),
    )
    assert.equal((await compare(open, steady(20, 20_000))).responses, null)
    const { responses } = await compare(open, open)
    assert.equal(responses!.change, 'same')
    assert.equal(responses!.before!.count, 400)
  })

  it('needs more for a change where many series could have changed by chance', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `/${index}`)
    const runOf = (slow: number) =>
      Array.from({ length: 70 }, (_, second) =>
        names.map((name, index) => {
          const wobble = ((second * 31 + index * 17) % 97) / 10
          return {
            key: { name },
            count: 5,
            micros: 20_000 + Math.round(wobble * 500) + (index < slow ? 9000 : 0),
          }
        }),
      )
    const { series } = await compare(runOf(0), runOf(1))
    const changed = series.filter(({ change }) => change !== 'same').map(({ name }) => name)
    assert.ok(changed.length <= 1 && changed.every((name) => name === '/0'), changed.join())
    const shifted = series.find(({ name }) => name === '/0')!
    assert.ok(shifted.delta! > 0.9)
    assert.equal(
      (await compare(runOf(0), runOf(0))).series.filter(({ change }) => change !== 'same').length,
      0,
    )
  })

  it('is never slower and faster for the wrong reason', async () => {
    const micros = fc.integer({ min: 2000, max: 200_000 })
    await fc.assert(
      fc.asyncProperty(micros, micros, fc.constantFrom(4, 70), async (one, other, seconds) => {
        const { all } = await compare(steady(seconds, one), steady(seconds, other))
        const back = await compare(steady(seconds, other), steady(seconds, one))
        const mirrored = { slower: 'faster', faster: 'slower' } as Record<string, string>
        assert.equal(back.all.change, mirrored[all.change] ?? all.change)
        if (other > one * 1.4) assert.equal(all.change, 'slower')
        if (other < one / 1.4) assert.equal(all.change, 'faster')
        if (all.change === 'slower') assert.ok(all.delta! >= 0.147 && all.p! < 0.01)
      }),
      { numRuns: 15 },
    )
  })

  it('reads runs from disk, killed ones too', () =>
    withDirectory(async (directory) => {
      const [one, other] = [join(directory, '1'), join(directory, '2')]
      await writeRun(one, { runId: 'one', seconds: steady(20, 20_000) })
      await writeRun(other, { runId: 'other', seconds: steady(15, 40_000), isTorn: true })
      const { all, after } = await compareRuns(await openRecording(one), await openRecording(other))
      assert.equal(all.change, 'slower')
      assert.equal(all.after!.perSecond, 20, 'over the seconds that are there')
      assert.equal(after.verdict, null)
    }))
})
