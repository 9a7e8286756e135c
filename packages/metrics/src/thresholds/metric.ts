import type { SeriesDelta } from '../delta.ts'
import { checkStatuses, hitKinds, interruptedStatus, type HitPhase, type SeriesKey } from '../series.ts'

/**
 * What a metric is made of. `trend`: durations. `share`: so many of so many. `counter`: something that adds up.
 * `custom`: a counter, gauge or timing of the user's own; which one shows when it is recorded.
 */
export type MetricType = 'trend' | 'share' | 'counter' | 'custom'

/** Words of a series that a threshold can ask for; any other word is a tag. */
export const seriesWords = ['name', 'method', 'status', 'test', 'kind'] as const
export type SeriesWord = (typeof seriesWords)[number]

/** Something that thresholds can be about: which series it is made of, and what each of them adds to it. */
export interface Metric {
  readonly name: string
  readonly type: MetricType
  /** Amounts are bytes. */
  readonly bytes: boolean
  /** Words that its series have. */
  readonly words: readonly SeriesWord[]
  /** Its series have tags. */
  readonly tagged: boolean
  selects(key: SeriesKey): boolean
  /** What a delta adds: to a counter, or to the `so many` of a share (its count is the `of so many`). */
  amountOf(series: SeriesDelta): number
}

const hitWords: readonly SeriesWord[] = ['name', 'method', 'status', 'test', 'kind']
const nameWords: readonly SeriesWord[] = ['name', 'test']
const testWords: readonly SeriesWord[] = ['test']

const countOf = (series: SeriesDelta) => series.count

function metric(
  name: string,
  type: MetricType,
  words: readonly SeriesWord[],
  selects: (key: SeriesKey) => boolean,
  amountOf: (series: SeriesDelta) => number = countOf,
): Metric {
  return { name, type, words, selects, amountOf, bytes: false, tagged: true }
}

/** A counter of the whole run: nothing in it can be told apart. */
function untagged(
  name: string,
  selects: (key: SeriesKey) => boolean,
  amountOf: (series: SeriesDelta) => number,
): Metric {
  return { ...metric(name, 'counter', [], selects, amountOf), tagged: false }
}

const isKind = (kind: SeriesKey['kind']) => (key: SeriesKey) => key.kind === kind
const isHit = (key: SeriesKey) => hitKinds.has(key.kind)
/** Executions that were cut have neither a duration nor an outcome. */
const isFinished = (key: SeriesKey) => key.kind === 'execution' && key.status !== interruptedStatus
const isResponse = (key: SeriesKey) => key.kind === 'response' && key.status !== interruptedStatus
/** Interrupted hits are hits, but not failed: as in the summary. */
const failedOf = (series: SeriesDelta) => (series.key.status === interruptedStatus ? 0 : series.failed)
const ofStatus = (status: string) => (series: SeriesDelta) =>
  series.key.status === status ? series.count : 0
const isInternal = (name: string) => (key: SeriesKey) => key.kind === 'internal' && key.name === name

/** Phases are recorded without the kind of their hit: these are of hits of all kinds. */
function phase(name: string, status: HitPhase): Metric {
  const selects = (key: SeriesKey) => key.kind === 'phase' && key.status === status
  return metric(name, 'trend', ['name', 'method', 'test'], selects)
}

function bytes(name: string, socketSeries: string, ofHit: (series: SeriesDelta) => number): Metric {
  const isSocket = isInternal(socketSeries)
  return {
    ...metric(
      name,
      'counter',
      hitWords,
      (key) => isHit(key) || isSocket(key),
      (series) => (isHit(series.key) ? ofHit(series) : series.value),
    ),
    bytes: true,
  }
}

const all: readonly Metric[] = [
  metric('http_req_duration', 'trend', hitWords, isKind('http')),
  metric('http_reqs', 'counter', hitWords, isKind('http')),
  metric('http_req_failed', 'share', hitWords, isKind('http'), failedOf),
  phase('http_req_blocked', 'blocked'),
  phase('http_req_dns', 'dns'),
  phase('http_req_connecting', 'connect'),
  phase('http_req_tls_handshaking', 'tls'),
  phase('http_req_sending', 'send'),
  phase('http_req_waiting', 'wait'),
  phase('http_req_receiving', 'receive'),
  metric('hits', 'counter', hitWords, isHit),
  metric('hit_duration', 'trend', hitWords, isHit),
  metric('hit_failed', 'share', hitWords, isHit, failedOf),
  metric('response_time', 'trend', ['name', 'method', 'status', 'test'], isKind('hit-response')),
  metric('iterations', 'counter', testWords, isFinished),
  metric('iteration_duration', 'trend', testWords, isFinished),
  metric('iteration_response_time', 'trend', testWords, isResponse),
  metric('errors', 'share', testWords, isFinished, ofStatus('error')),
  metric('failures', 'share', testWords, isFinished, ofStatus('failure')),
  metric('checks', 'share', nameWords, isKind('check'), ofStatus(checkStatuses.ok)),
  metric('step_duration', 'trend', nameWords, isKind('step')),
  metric('lateness', 'trend', testWords, isKind('lateness')),
  bytes('data_sent', 'socket.bytes-sent', (series) => series.bytesOut),
  bytes('data_received', 'socket.bytes-received', (series) => series.bytesIn),
  metric('ws_connecting', 'trend', hitWords, isKind('websocket')),
  untagged('ws_sessions', isInternal('socket.opened'), (series) => series.value),
  untagged('ws_msgs_sent', isInternal('socket.message-sent'), (series) => series.value),
  untagged('ws_msgs_received', isInternal('socket.message-received'), (series) => series.value),
  metric('grpc_req_duration', 'trend', hitWords, isKind('grpc')),
  // Not recorded in any series: the books of the agents tell it.
  untagged(
    'dropped_iterations',
    () => false,
    () => 0,
  ),
]

/** All that Loads measures by itself, by name. */
export const metrics: ReadonlyMap<string, Metric> = new Map(all.map((each) => [each.name, each]))

/** What an aggregation without a metric is of. */
export const defaultMetric: Metric = metrics.get('http_req_duration')!
export const droppedMetric: Metric = metrics.get('dropped_iterations')!

/** Counters, gauges and timings of the user's own with this name. */
export function customMetric(name: string): Metric {
  return {
    name,
    type: 'custom',
    bytes: false,
    words: [],
    tagged: false,
    selects: (key) =>
      key.name === name && (key.kind === 'counter' || key.kind === 'gauge' || key.kind === 'timing'),
    amountOf: (series) => (series.key.kind === 'timing' ? series.count : series.value),
  }
}
