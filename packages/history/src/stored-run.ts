import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Verdict } from '@loads-runner/metrics'
import { isFields } from './defaults.ts'
import { eventsOf, markOf, readFields, readFirstRecord, readSummary, type RunKind } from './run-files.ts'

/** One run in a store: what a list shows. */
export interface StoredRun {
  runId: string
  /** Of its directory; absolute. */
  path: string
  /** The name of its directory: `2026-11-21--3`. */
  name: string
  kind: RunKind
  /** What was run, as typed. */
  names: string[]
  project: string | null
  user: string | null
  labels: Record<string, string>
  /** Epoch milliseconds at which load began; where that is not known, at which the run was written. */
  startedAt: number
  /** Null without a summary. */
  durationSeconds: number | null
  /** Null: it has no summary, since it goes on or nobody saw its end (a `kill -9`). */
  verdict: Verdict | null
  exitCode: number | null
  hits: number | null
  /** Share of hits that failed, 0 to 1; null without hits. */
  errorRate: number | null
  /** Of all hits, in milliseconds; null without hits. */
  p95: number | null
  agents: number | null
  /** Why it cannot be read; null where it can. */
  trouble: string | null
}

/** What a list needs of the two files of a run. */
export async function readStoredRun(path: string, kind: RunKind): Promise<StoredRun> {
  const { mtimeMs } = await stat(join(path, markOf[kind]))
  const nothing: StoredRun = {
    runId: '',
    path,
    name: basename(path),
    kind,
    names: [],
    project: null,
    user: null,
    labels: {},
    startedAt: mtimeMs,
    durationSeconds: null,
    verdict: null,
    exitCode: null,
    hits: null,
    errorRate: null,
    p95: null,
    agents: null,
    trouble: null,
  }
  try {
    const described = await describe(path, kind)
    // A damaged summary is as good as none; the run itself is there.
    const summary = await readSummary(path, kind).catch(() => null)
    if (summary === null) {
      const startedAt = described.startedAt ?? (await firstAt(path)) ?? mtimeMs
      return { ...nothing, ...described, startedAt }
    }
    const { started, durationSeconds, verdict, exitCode, hits, serviceTime, agents } = summary
    const startedAt = started === null ? (described.startedAt ?? mtimeMs) : Date.parse(started)
    const errorRate = hits.count === 0 ? null : hits.failed / hits.count
    const figures = { hits: hits.count, errorRate, p95: serviceTime.p95, agents: agents.length }
    return { ...nothing, ...described, startedAt, durationSeconds, verdict, exitCode, ...figures }
  } catch (error) {
    return { ...nothing, trouble: (error as Error).message }
  }
}

/** When the first event of a run directory was made. */
async function firstAt(path: string): Promise<number | null> {
  const first = await readFirstRecord(join(path, eventsOf['run-directory'])).catch(() => null)
  return typeof first?.at === 'number' ? first.at : null
}

async function describe(path: string, kind: RunKind): Promise<Partial<StoredRun>> {
  const record =
    kind === 'journal'
      ? await readFirstRecord(join(path, eventsOf.journal))
      : await readFields(join(path, markOf[kind]))
  const { runId, spec, at } = record ?? {}
  if (typeof runId !== 'string' || !isFields(spec))
    throw new Error(`${join(path, markOf[kind])} does not say what was run`)
  const { names, project, user, labels } = spec
  return {
    runId,
    names: Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [],
    project: typeof project === 'string' ? project : null,
    user: typeof user === 'string' ? user : null,
    labels: wordsOf(labels),
    ...(kind === 'journal' && typeof at === 'number' ? { startedAt: at } : {}),
  }
}

function wordsOf(value: unknown): Record<string, string> {
  if (!isFields(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** When a file was written, and how long it is: what tells that it has not changed. */
export async function stampOf(file: string): Promise<string> {
  const info = await stat(file).catch(() => null)
  return info === null ? '-' : `${info.mtimeMs} ${info.size}`
}
