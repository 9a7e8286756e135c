import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { Aggregate } from '../src/aggregate.ts'
import type { Definition } from '../src/definition.ts'
import { DeltaDecoder } from '../src/delta-decoder.ts'
import { DeltaEncoder } from '../src/delta-encoder.ts'
import { Delta } from '../src/delta.ts'
import { bucketOf, Histogram } from '../src/histogram.ts'
import { Recorder } from '../src/recorder.ts'
import { bucketsOf, createBlock, doublesOf, words, wordsOf } from '../src/series-block.ts'
import type { SeriesKey } from '../src/series.ts'
import { WindowCutter } from '../src/window-cutter.ts'

const key: SeriesKey = { kind: 'http', test: 'T.a', name: '/', method: 'GET', status: '200', tags: {} }

type Step =
  | { do: 'hit'; thread: number; name: string; micros: number; failed: boolean }
  | { do: 'count'; thread: number; amount: number }
  | { do: 'gauge'; thread: number; value: number }
  | { do: 'restart'; thread: number }
  | { do: 'cut' }

const threads = fc.nat({ max: 2 })
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('hit' as const),
      thread: threads,
      name: fc.constantFrom('/a', '/b', '/c'),
      micros: fc.nat({ max: 4_000_000_000 }),
      failed: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('count' as const), thread: threads, amount: fc.integer() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('gauge' as const), thread: threads, value: fc.integer() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), thread: threads }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
)

describe('WindowCutter', () => {
  it('loses and doubles nothing: windows of restarting threads, sent and merged in any grouping, give the truth', () => {
    fc.assert(
      fc.property(
        fc.array(steps, { maxLength: 80 }),
        fc.infiniteStream(fc.nat({ max: 3 })),
        (all, groups) => {
          const cutter = new WindowCutter()
          const encoder = new DeltaEncoder()
          const decoder = new DeltaDecoder()
          let clock = 1
          const start = () =>
            new Recorder({
              maxSeries: 100,
              define: (definition) => cutter.add(definition),
              now: () => ++clock,
            })
          const recorders = [start(), start(), start()]
          const truth = new Map<string, { histogram: Histogram; failed: number; values: number[] }>()
          const windows = [new Delta(), new Delta(), new Delta(), new Delta()]
          let counted = 0
          let gauge: number | null = null

          const cut = () => {
            const window = decoder.decode(encoder.encode(cutter.cut()))
            for (const { count, buckets } of window.series.values()) {
              if (buckets === null) continue
              assert.equal(
                count,
                [...buckets.values()].reduce((sum, each) => sum + each, 0),
              )
            }
            windows[groups.next().value]!.merge(window)
          }
          for (const step of all) {
            if (step.do === 'cut') cut()
            else if (step.do === 'restart') recorders[step.thread] = start()
            else if (step.do === 'count') {
              recorders[step.thread]!.count('c', step.amount)
              counted += step.amount
            } else if (step.do === 'gauge') {
              recorders[step.thread]!.gauge('g', step.value)
              gauge = step.value
            } else {
              const { name, micros, failed } = step
              recorders[step.thread]!.hit('http', 'T.a', name, 'GET', '200', failed, micros, 3, 1, null)
              const series = truth.get(name) ?? { histogram: new Histogram(), failed: 0, values: [] }
              truth.set(name, series)
              series.histogram.record(micros)
              series.failed += failed ? 1 : 0
              series.values.push(micros)
            }
          }
          cut()
          assert.ok(cutter.cut().isEmpty)

          const totals = new Aggregate()
          const [first, second, third, fourth] = windows
          third!.merge(fourth!)
          first!.merge(third!)
          totals.apply(second!)
          totals.apply(first!)
          const hits = totals.ofKind('http')
          assert.equal(hits.length, truth.size)
          for (const series of hits) {
            const { histogram, failed, values } = truth.get(series.key.name)!
            assert.deepEqual(series.histogram!.counts, histogram.counts)
            assert.deepEqual(
              [
                series.count,
                series.failed,
                series.sum,
                series.min,
                series.max,
                series.bytesIn,
                series.bytesOut,
              ],
              [
                values.length,
                failed,
                values.reduce((sum, each) => sum + each, 0),
                Math.min(...values),
                Math.max(...values),
                3 * values.length,
                values.length,
              ],
            )
          }
          assert.equal(totals.ofKind('counter')[0]?.value ?? 0, counted)
          assert.equal(totals.ofKind('gauge')[0]?.value ?? null, gauge)
        },
      ),
    )
  })

  it('returns only series that changed', () => {
    const cutter = new WindowCutter()
    const recorder = new Recorder({ maxSeries: 10, define: (definition) => cutter.add(definition) })
    recorder.count('a', 1)
    recorder.count('b', 1)
    assert.equal(cutter.cut().series.size, 2)
    recorder.count('b', 1)
    assert.deepEqual(
      [...cutter.cut().series.values()].map(({ key: { name }, value }) => [name, value]),
      [['b', 1]],
    )
    assert.ok(cutter.cut().isEmpty)
    assert.ok(cutter.cut().isEmpty)
  })

  it('reports a gauge that was set again to the same value', () => {
    const cutter = new WindowCutter()
    let clock = 5
    const recorder = new Recorder({
      maxSeries: 10,
      define: (definition) => cutter.add(definition),
      now: () => clock,
    })
    recorder.gauge('g', 7)
    cutter.cut()
    clock = 9
    recorder.gauge('g', 7)
    const [gauge] = cutter.cut().series.values()
    assert.deepEqual([gauge!.value, gauge!.lastAt], [7, 9])
  })

  it('gives minimum and maximum of the whole series, of all threads', () => {
    const cutter = new WindowCutter()
    const open = () => new Recorder({ maxSeries: 10, define: (definition) => cutter.add(definition) })
    const [one, other] = [open(), open()]
    one.timing('t', 10)
    other.timing('t', 5000)
    cutter.cut()
    one.timing('t', 100)
    const [timing] = cutter.cut().series.values()
    assert.deepEqual([timing!.count, timing!.sum, timing!.min, timing!.max], [1, 100, 10, 5000])
  })

  it('takes words for what they are after they wrap at 2^32', () => {
    const cutter = new WindowCutter()
    const block = createBlock('http')
    const [header, buckets] = [wordsOf(block), bucketsOf(block)]
    cutter.add({ key, block, detail: null })
    const set = (changes: number, samples: number, failed: number) => {
      buckets[bucketOf(50)] = samples
      header[words.failed] = failed
      header[words.changes] = changes
    }
    set(-1, 0xffff_fff0, 0x7fff_ffff)
    const [before] = cutter.cut().series.values()
    assert.deepEqual([before!.count, before!.failed], [0xffff_fff0, 0x7fff_ffff])
    set(0, 0x10, -0x8000_0000)
    const [after] = cutter.cut().series.values()
    assert.deepEqual(
      [after!.count, after!.failed, after!.buckets],
      [0x20, 1, new Map([[bucketOf(50), 0x20]])],
    )
  })

  it('picks up a write that becomes visible after its count of changes', () => {
    const cutter = new WindowCutter()
    const block = createBlock('http')
    cutter.add({ key, block, detail: null })
    Atomics.store(wordsOf(block), words.changes, 1)
    assert.ok(cutter.cut().isEmpty)
    bucketsOf(block)[20] = 1
    doublesOf(block)[0] = 20
    const [late] = cutter.cut().series.values()
    assert.deepEqual([late!.count, late!.sum], [1, 20])
  })

  describe('of threads that write meanwhile', () => {
    const hits = 400_000
    // A worker does not inherit the loader of TypeScript: it registers one before anything else.
    const program = JSON.stringify(new URL('./recording-thread.ts', import.meta.url).href)
    const start = (count: number, seen = new Int32Array(new SharedArrayBuffer(4))) =>
      new Worker(`import('tsx/esm/api').then(({ register }) => { register(); return import(${program}) })`, {
        eval: true,
        workerData: { hits: count, seen },
      })

    it('gives windows that add up to everything they wrote', async () => {
      const cutter = new WindowCutter()
      const totals = new Aggregate()
      const seen = new Int32Array(new SharedArrayBuffer(4))
      const workers = [start(hits, seen), start(hits, seen)]
      let running = workers.length
      const ends = workers.map(async (worker) => {
        worker.on('message', (definition: Definition) => cutter.add(definition))
        await once(worker, 'exit').finally(() => running--)
      })
      let windows = 0
      const cut = () => {
        const window = cutter.cut()
        if (!window.isEmpty) windows++
        totals.apply(window)
      }
      while (running > 0) {
        cut()
        if (windows > 0) {
          Atomics.store(seen, 0, 1)
          Atomics.notify(seen, 0)
        }
        await setImmediate()
      }
      await Promise.all(ends)
      cut()
      assert.ok(windows > 1, `${windows} windows`)
      const { count, failed, bytesIn, bytesOut } = totals.hits()
      assert.deepEqual([count, failed, bytesIn, bytesOut], [2 * hits, hits / 4, 6 * hits, 2 * hits])
      let sum = 0
      for (let index = 0; index < hits; index++) sum += 1 + (index % 5000)
      const service = totals.serviceTime()
      assert.deepEqual([service.count, service.sum, service.min, service.max], [2 * hits, 2 * sum, 1, 5000])
      assert.equal(totals.internal('done'), 2)
    })

    it('keeps what a thread wrote until it was killed', async () => {
      const cutter = new WindowCutter()
      const witness = new WindowCutter()
      const totals = new Aggregate()
      const worker = start(Infinity)
      worker.on('message', (definition: Definition) => {
        cutter.add(definition)
        witness.add(definition)
      })
      let failure: unknown = null
      worker.on('error', (error) => (failure = error))
      while (totals.hits().count < 10_000 && failure === null) {
        totals.apply(cutter.cut())
        await setImmediate()
      }
      await worker.terminate()
      assert.equal(failure, null)
      totals.apply(cutter.cut())
      const inMemory = new Aggregate()
      inMemory.apply(witness.cut())
      assert.deepEqual(totals.hits(), inMemory.hits())
      assert.deepEqual(totals.serviceTime().histogram.counts, inMemory.serviceTime().histogram.counts)
      assert.equal(totals.serviceTime().sum, inMemory.serviceTime().sum)
    })
  })
})
