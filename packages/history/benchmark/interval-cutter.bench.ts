/**
 * What it costs to cut intervals of all spans while a run goes on: a share of one core beside the load, and the memory
 * of the intervals that are kept for late figures.
 *
 *     node --expose-gc --import tsx packages/history/benchmark/interval-cutter.bench.ts
 */
import { Delta, emptySeriesDelta } from '@loads-runner/metrics'
import type { CommitEvent } from '@loads-runner/protocol'
import { IntervalCutter } from '../src/interval-cutter.ts'
import { intervalSpansMs } from '../src/interval.ts'

const seconds = 600

for (const [series, commits, buckets] of [
  [200, 1, 40],
  [200, 3, 40],
  [1000, 1, 40],
] as const) {
  const deltas = Array.from({ length: 20 }, () => deltaOf(series, buckets))
  let intervals = 0
  const cutter = new IntervalCutter({ spansMs: intervalSpansMs, onInterval: () => intervals++ })
  globalThis.gc?.()
  const heapBefore = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
  const startedMs = performance.now()
  for (let second = 0; second < seconds; second++)
    for (let part = 0; part < commits; part++)
      cutter.commit(commitOf(second, `a${part}`), deltas[(second + part) % deltas.length]!, 0)
  const spentMs = performance.now() - startedMs
  globalThis.gc?.()
  const heap = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - heapBefore
  cutter.end(seconds * 1000)
  console.log(
    `${series} series of ${buckets} buckets, ${commits} commits per second: ` +
      `${(spentMs / seconds).toFixed(2)} ms of a core per second of load (${(spentMs / seconds / 10).toFixed(2)} %), ` +
      `${intervals} intervals, ${(heap / 1e6).toFixed(1)} MB kept`,
  )
}

function deltaOf(series: number, buckets: number): Delta {
  const delta = new Delta()
  for (let index = 0; index < series; index++) {
    const name = `GET /${index}`
    const key = { kind: 'http', test: 'T.test_x', name, method: 'GET', status: '200', tags: {} } as const
    const figures = { count: 3 * buckets, sum: 100_000, min: 500, max: 9000, bytesIn: 512, bytesOut: 96 }
    const from = 200 + Math.floor(Math.random() * 60)
    const counts = new Map(Array.from({ length: buckets }, (_, bucket) => [from + bucket, 3]))
    delta.add({ ...emptySeriesDelta(key, null), ...figures, buckets: counts })
  }
  return delta
}

function commitOf(second: number, agent: string): CommitEvent {
  const [fromMs, toMs] = [second * 1000, second * 1000 + 1000]
  const generator = { eventLoopLagMs: 0, cpu: 0, latenessMs: 0 }
  const figures = { activeUsers: 10, hits: 100, ...generator }
  return {
    type: 'commit',
    at: toMs + 200,
    windows: [{ agent, incarnation: '1', number: second, fromMs, toMs, ...figures }],
    activeUsers: 10,
    elapsedMs: toMs + 200,
    started: 0,
    finished: 0,
    interrupted: 0,
    planned: 0,
    dropped: 0,
    warmUp: false,
    generator,
    delta: new Uint8Array(),
  }
}
