/**
 * What outputs cost the process they are in: milliseconds of processor time per second of a run of 200 series.
 * By hand: node --import tsx packages/outputs/benchmark/output-host.bench.ts
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { RunView } from '@loads-runner/history'
import { Delta, DeltaEncoder, Recorder, WindowCutter } from '@loads-runner/metrics'
import type { RunEvent, SnapshotEvent } from '@loads-runner/protocol'
import { createOutput } from '../src/create-output.ts'
import type { OutputEnvironment } from '../src/environment.ts'
import { OutputHost } from '../src/host.ts'
import { defaultLaneTimes } from '../src/lane.ts'
import { parseOutput } from '../src/request.ts'
import { fixtureRun, fixtureStart } from '../src/testing.ts'

const series = 200
const seconds = 120
const hitsPerSecond = 20_000
const rounds = 3

/** A run of minutes is played in a moment: each of its seconds is written by itself all the same. */
const times = { ...defaultLaneTimes, lingerMs: 0 }

/** A run as its broker tells it: one commit per second, all series in each. */
function eventsOf(): RunEvent[] {
  const cutter = new WindowCutter()
  const recorder = new Recorder({ maxSeries: series, define: (definition) => cutter.add(definition) })
  const encoder = new DeltaEncoder()
  const [first] = fixtureRun() as [SnapshotEvent]
  const spec = { ...first.spec, warmUpMs: 0, thresholds: [] }
  const events: RunEvent[] = [
    { ...first, spec, delta: encoder.encodeFull(new Delta()) },
    { type: 'state', at: fixtureStart, state: 'running', startedAt: fixtureStart, stage: 0, note: '' },
  ]
  let seed = 1
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let second = 0; second < seconds; second++) {
    for (let hit = 0; hit < hitsPerSecond; hit++) {
      const micros = 5_000 * Math.exp(2 * random())
      recorder.hit(
        'http',
        'TestShop.test_buy',
        `GET /${hit % series}`,
        'GET',
        '200',
        false,
        micros,
        512,
        96,
        null,
      )
    }
    const elapsedMs = (second + 1) * 1_000
    const agent = {
      agent: 'agent-1',
      incarnation: 'x',
      number: second,
      fromMs: second * 1_000,
      toMs: elapsedMs,
    }
    events.push({
      type: 'commit',
      at: fixtureStart + elapsedMs,
      windows: [{ ...agent, activeUsers: 50, hits: hitsPerSecond, eventLoopLagMs: 1, cpu: 1, latenessMs: 0 }],
      activeUsers: 50,
      elapsedMs,
      started: second,
      finished: second,
      interrupted: 0,
      planned: 0,
      dropped: 0,
      warmUp: false,
      generator: { eventLoopLagMs: 1, cpu: 1, latenessMs: 0 },
      delta: encoder.encode(cutter.cut()),
    })
  }
  const summary = (fixtureRun().at(-1) as Extract<RunEvent, { type: 'finished' }>).summary
  events.push({ type: 'finished', at: fixtureStart + seconds * 1_000, state: 'done', summary })
  return events
}

/** Milliseconds of processor time, all threads, per second of the run: the best of some rounds. */
async function costOf(play: () => Promise<void>): Promise<number> {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    await play()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1_000 / seconds)
  }
  return best
}

async function main(): Promise<void> {
  const events = eventsOf()
  const directory = await mkdtemp(join(tmpdir(), 'loads-bench-'))
  const environment: OutputEnvironment = { cwd: directory, env: {}, log: () => {} }
  const line = (name: string, ms: number) =>
    console.log(`${name.padEnd(32)} ${ms.toFixed(2).padStart(8)} ms/s`)
  console.log(`${series} series, ${hitsPerSecond} hits per second, one commit per second, ${seconds} s`)
  try {
    line(
      'the view alone',
      await costOf(async () => {
        const view = new RunView()
        for (const event of events) view.apply(event)
      }),
    )
    const files = ['json:f.json', 'ndjson:f.ndjson', 'csv:f.csv', 'junit:f.xml', 'html:f.html']
    const statsd = 'statsd:127.0.0.1:9'
    for (const texts of [['null'], ...files.map((text) => [text]), [statsd], files, [...files, statsd]])
      line(
        texts.length > 2
          ? `${texts.length === files.length ? 'all files' : 'all files and statsd'}`
          : texts[0]!,
        await costOf(async () => {
          const outputs = await Promise.all(texts.map((text) => createOutput(parseOutput(text), environment)))
          const host = new OutputHost({ outputs, environment, onTrouble: console.error, times })
          for (const event of events) {
            host.take(event)
            await setImmediate()
            await host.ready()
          }
          await host.finish(30_000)
        }),
      )
  } finally {
    await rm(directory, { recursive: true })
  }
}

await main()
