import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bucketOf, Delta, DeltaEncoder, emptySeriesDelta, summarize } from '@loads-runner/metrics'
import type { SeriesKey, Summary, Verdict } from '@loads-runner/metrics'
import { EventLogWriter } from '@loads-runner/protocol'
import type { CommitEvent, RunEvent, RunSpec } from '@loads-runner/protocol'
import { RunView } from '../src/run-view.ts'
import { EventMaker, hitKey, spec, summary } from '../src/testing.ts'

/** A directory for one test, gone after it. */
export async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'history-'))
  try {
    await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** So many samples of so many microseconds each, in a second of the run. */
export interface Samples {
  key?: Partial<SeriesKey>
  micros: number
  count?: number
  failed?: number
}

export interface RunPlan {
  runId?: string
  startedAt?: number
  spec?: Partial<RunSpec>
  verdict?: Verdict
  /** One list per second. */
  seconds?: readonly (readonly Samples[])[]
  /** It is killed: neither `finished` nor a summary. */
  isTorn?: boolean
}

/** The events of a run as a broker tells them. */
export function eventsOf(plan: RunPlan): { events: RunEvent[]; summary: Summary } {
  const {
    runId = 'r1',
    startedAt = 1_700_000_000_000,
    seconds = [],
    verdict = 'passed',
    isTorn = false,
  } = plan
  const maker = new EventMaker()
  const encoder = new DeltaEncoder()
  const events: RunEvent[] = [
    maker.snapshot({
      runId,
      at: startedAt - 100,
      spec: spec(plan.spec),
      delta: encoder.encodeFull(new Delta()),
    }),
    { type: 'state', at: startedAt, state: 'running', startedAt, stage: 0, note: '' },
  ]
  for (const [second, samples] of seconds.entries())
    events.push(commitOf(second, startedAt, encoder.encode(deltaOf(samples))))
  const view = new RunView(() => 0)
  for (const event of events) view.apply(event)
  const result = summarize(view.aggregate, {
    ...factsOf(summary()),
    runId,
    startedAt,
    endedAt: startedAt + seconds.length * 1000,
    verdict,
    exitCode: verdict === 'passed' ? 0 : 1,
    loadSeconds: seconds.length,
  })
  const at = startedAt + seconds.length * 1000
  if (!isTorn) events.push({ type: 'finished', at, state: 'done', summary: JSON.stringify(result) })
  return { events, summary: result }
}

export function deltaOf(samples: readonly Samples[]): Delta {
  const delta = new Delta()
  for (const { key, micros, count = 1, failed = 0 } of samples) {
    const figures = { count, failed, sum: micros * count, min: micros, max: micros }
    const whole = { ...hitKey(), ...key }
    delta.add({ ...emptySeriesDelta(whole, null), ...figures, buckets: new Map([[bucketOf(micros), count]]) })
  }
  return delta
}

/** Writes a run directory. */
export async function writeRun(directory: string, plan: RunPlan = {}): Promise<Summary> {
  const { events, summary: result } = eventsOf(plan)
  await mkdir(directory, { recursive: true })
  const { runId = 'r1', isTorn = false } = plan
  const source = { testDir: '/tests', includeFile: [], external: [] }
  const description = { runId, seed: 7, versions: {}, hosts: [], source, spec: spec(plan.spec) }
  await writeFile(join(directory, 'run.json'), JSON.stringify(description))
  if (!isTorn) await writeFile(join(directory, 'summary.json'), JSON.stringify(result, null, 2))
  await writeLog(
    join(directory, 'events'),
    events.map((event, sequence) => ({ sequence, skipped: 0, ...event })),
  )
  return result
}

/** Writes the journal of a broker. */
export async function writeJournal(directory: string, plan: RunPlan = {}): Promise<Summary> {
  const { events, summary: result } = eventsOf(plan)
  await mkdir(directory, { recursive: true })
  const { runId = 'r1', startedAt = 1_700_000_000_000 } = plan
  const submitted = { type: 'submitted', at: startedAt - 500, runId, spec: spec(plan.spec) }
  const members = { type: 'members', at: startedAt - 400, members: [] }
  await writeLog(join(directory, 'journal'), [submitted, members, ...events.slice(1)])
  return result
}

async function writeLog(file: string, records: readonly object[]): Promise<void> {
  const log = await EventLogWriter.open(file, { sync: false })
  await Promise.all(records.map((record) => log.append(record)))
  await log.close()
}

function commitOf(second: number, startedAt: number, delta: Uint8Array): CommitEvent {
  const [fromMs, toMs] = [second * 1000, second * 1000 + 1000]
  const generator = { eventLoopLagMs: 1, cpu: 0.5, latenessMs: 0 }
  const figures = { activeUsers: 1, hits: 1, ...generator }
  return {
    type: 'commit',
    at: startedAt + toMs,
    windows: [{ agent: 'a1', incarnation: 'a1-1', number: second, fromMs, toMs, ...figures }],
    activeUsers: 1,
    elapsedMs: toMs,
    started: 0,
    finished: 0,
    interrupted: 0,
    planned: 0,
    dropped: 0,
    warmUp: false,
    generator,
    delta,
  }
}

function factsOf({ agents, coverage, generator, thresholds }: Summary) {
  const facts = { agents, coverage, generator, thresholds, seed: 7, reasons: [] }
  return {
    ...facts,
    lostExecutions: 0,
    plannedExecutions: null,
    droppedExecutions: 0,
    warmUp: null,
    overflowed: false,
  }
}
