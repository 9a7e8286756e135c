/**
 * How long a stored run takes to read: totals and intervals of its events, and its comparison with itself.
 *
 *     node --import tsx packages/history/benchmark/recording.bench.ts [seconds of the run] [series]
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bucketOf, Delta, DeltaEncoder, emptySeriesDelta } from '@loads-runner/metrics'
import { EventLogWriter } from '@loads-runner/protocol'
import { compareRuns } from '../src/compare-runs.ts'
import { openRecording } from '../src/recording.ts'
import { EventMaker, spec } from '../src/testing.ts'
import { totalsOf } from '../src/totals.ts'

const [seconds = 600, series = 200] = process.argv.slice(2).map(Number)

const directory = await mkdtemp(join(tmpdir(), 'history-bench-'))
try {
  await write()
  const { size } = await stat(join(directory, 'events'))
  console.log(`${seconds} s of ${series} series: ${(size / 1e6).toFixed(1)} MB of events`)
  await timed('totals', async () => void (await totalsOf(await openRecording(directory))))
  await timed('totals and intervals of 1, 10 and 60 s', async () => {
    await totalsOf(await openRecording(directory), { spansMs: [1_000, 10_000, 60_000] })
  })
  await timed('comparison of two', async () => {
    await compareRuns(await openRecording(directory), await openRecording(directory))
  })
  console.log(`resident at most: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`)
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const startedMs = performance.now()
  await work()
  console.log(`${what}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
}

async function write(): Promise<void> {
  const maker = new EventMaker()
  const encoder = new DeltaEncoder()
  const description = { runId: 'r1', spec: spec() }
  await writeFile(join(directory, 'run.json'), JSON.stringify(description))
  const log = await EventLogWriter.open(join(directory, 'events'), { sync: false })
  await log.append(maker.snapshot({ startedAt: 1, delta: encoder.encodeFull(new Delta()) }))
  for (let second = 0; second < seconds; second++)
    await log.append(maker.commit(1, { delta: encoder.encode(deltaOf(second)) }))
  await log.close()
}

function deltaOf(second: number): Delta {
  const delta = new Delta()
  for (let index = 0; index < series; index++) {
    const name = `GET /${index}`
    const key = { kind: 'http', test: 'T.test_x', name, method: 'GET', status: '200', tags: {} } as const
    const buckets = new Map(
      Array.from({ length: 40 }, (_, each) => [bucketOf(5000 + index * 10 + second) + each, 1 + (each % 3)]),
    )
    const count = [...buckets.values()].reduce((sum, samples) => sum + samples, 0)
    delta.add({ ...emptySeriesDelta(key, null), count, sum: count * 6000, min: 500, max: 90_000, buckets })
  }
  return delta
}
