/**
 * A series is one line of figures. Users choose names of hits (and of what is told about them: phases, response times),
 * checks, steps, counters, gauges and timings, so these are admitted by the broker up to a limit; execution, response,
 * lateness, error and internal series come from the engine and are bounded by it.
 */
export type SeriesKind =
  | HitKind
  | 'counter'
  | 'gauge'
  | 'timing'
  | 'execution'
  | 'error'
  | 'internal'
  /** A check that held (`status` ok) or did not (`status` failed). */
  | 'check'
  /** Duration of a named step. */
  | 'step'
  /** Part of a hit's time; `status` is the name of the phase. */
  | 'phase'
  /** From the intended start: of an execution (`name` is the test) ... */
  | 'response'
  /** ... and of its first hit (name, method and status are the hit's). */
  | 'hit-response'
  /** From the intended to the actual start of an execution; `name` is the test. */
  | 'lateness'

/** Kinds of requests: each is a hit. */
export type HitKind = 'http' | 'websocket' | 'sse' | 'grpc' | 'tcp' | 'udp' | 'call'

export interface SeriesKey {
  readonly kind: SeriesKind
  /** Label of the test that was running: `TestWebSite.test_es`; '' for series of the run as a whole. */
  readonly test: string
  readonly name: string
  /** HTTP method; '' where it means nothing. */
  readonly method: string
  /** HTTP status, an error class, an execution's outcome; '' where it means nothing. */
  readonly status: string
  readonly tags: Readonly<Record<string, string>>
}

/** Name of the series that takes what the catalogue has no room for. */
export const overflowName = '(other)'

const allHitKinds: readonly HitKind[] = ['http', 'websocket', 'sse', 'grpc', 'tcp', 'udp', 'call']

/** Kinds of series that are hits. */
export const hitKinds: ReadonlySet<SeriesKind> = new Set(allHitKinds)

/** Kinds whose names come from users and are admitted by the broker. */
export const admittedKinds: ReadonlySet<SeriesKind> = new Set<SeriesKind>([
  ...allHitKinds,
  'counter',
  'gauge',
  'timing',
  'check',
  'step',
  'phase',
  'hit-response',
])

/** Kinds with a distribution of durations. */
const timedKinds: ReadonlySet<SeriesKind> = new Set<SeriesKind>([
  ...allHitKinds,
  'execution',
  'timing',
  'step',
  'phase',
  'response',
  'hit-response',
  'lateness',
])

export function isHitKind(kind: SeriesKind): kind is HitKind {
  return hitKinds.has(kind)
}

/** Parts of a hit's time, in their order. */
export const hitPhases = ['blocked', 'dns', 'connect', 'tls', 'send', 'wait', 'receive'] as const
export type HitPhase = (typeof hitPhases)[number]

/** Statuses of a check. */
export const checkStatuses = { ok: 'ok', failed: 'failed' } as const

/** One string per series: equal keys give equal ids, whatever the order of their tags. */
export function seriesId(key: SeriesKey): string {
  const tags = Object.keys(key.tags).sort()
  const tail = tags.length === 0 ? [] : tags.flatMap((tag) => [tag, key.tags[tag]])
  return JSON.stringify([key.kind, key.test, key.name, key.method, key.status, ...tail])
}

/** Status of a hit that was cut by the end of the run, and outcome of such an execution. */
export const interruptedStatus = 'interrupted'

/** Statuses that stay apart in an overflow series, by kind: a run counts them apart. Few, or memory had no bound. */
const keptStatuses: Partial<Record<SeriesKind, readonly string[]>> = {
  check: [checkStatuses.ok, checkStatuses.failed],
  phase: hitPhases,
}

/** The overflow series that a key falls into: per kind and test, so that sums per test stay exact. */
export function overflowOf(key: SeriesKey): SeriesKey {
  const isKept = key.status === interruptedStatus || keptStatuses[key.kind]?.includes(key.status) === true
  const status = isKept ? key.status : ''
  return { kind: key.kind, test: key.test, name: overflowName, method: '', status, tags: {} }
}

/** Does a series keep a distribution of durations? The others keep a count and a value only. */
export function isTimed(kind: SeriesKind): boolean {
  return timedKinds.has(kind)
}
