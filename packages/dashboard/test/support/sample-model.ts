import type {
  AgentRow,
  Band,
  Heatmap,
  Points,
  RunModel,
  RunTotals,
  RunUpdate,
  SeriesRow,
} from '../../src/model.ts'
import { emptyPoints, pushPoint, type Point } from './sample-points.ts'
import { medianAt, noise, peakRate, round, sampleRow, statsAround } from './sample-series.ts'
import { sampleSummary } from './sample-summary.ts'
import { hostileErrors, hostileNames } from './hostile.ts'

export interface SampleOptions {
  /** Length of the run so far. */
  seconds?: number
  series?: number
  agents?: number
  /** Names, messages and notes that try to break out of a page. */
  hostile?: boolean
  /** The run has ended: with a summary. */
  ended?: boolean
}

const began = Date.UTC(2026, 2, 14, 9, 30, 0)

/**
 * A model of a run that looks like a real one, the same for the same options: an open model that ramps up, an agent
 * that is lost, a fault that makes everything slow, thresholds that are crossed meanwhile. For pages and their tests;
 * it runs in browsers.
 */
export function sampleModel(options: SampleOptions = {}): RunModel {
  const { seconds = 300, series = 200, agents = 4, hostile = false, ended = false } = options
  const run = new SampleRun(series, agents, hostile)
  const points = emptyPoints()
  const columns: Heatmap['columns'] = []
  for (let second = 0; second < seconds; second++) {
    pushPoint(points, run.second(second))
    columns.push(run.column(second))
  }
  return run.model(points, columns, seconds, ended)
}

/** What comes after a sample model: one update per second, without an end. The model itself is left alone. */
export function* sampleUpdates(
  model: RunModel,
  options: SampleOptions = {},
): Generator<RunUpdate, never, void> {
  const agents = model.agents.length
  const run = new SampleRun(model.series.length, agents, options.hostile ?? false)
  for (let second = Math.round(model.head.elapsedMs / 1000); ; second++) {
    // Replays what is past, so that totals are right.
    while (run.next <= second) run.second(run.next)
    const points = emptyPoints()
    pushPoint(points, run.at(second))
    const rows = run.rows(second + 1).filter((_, index) => (index + second) % 3 === 0)
    const update: RunUpdate = {
      head: { ...model.head, elapsedMs: (second + 1) * 1000, progress: Math.min(1, (second + 1) / 1800) },
      totals: run.totals(),
      points,
      columns: [run.column(second)],
      series: rows.map(({ id, count, failed, perSecond, time, spark, value }) => ({
        id,
        count,
        failed,
        perSecond,
        time,
        spark,
        value,
      })),
      agents: run.agents(second + 1),
    }
    if (second % 10 === 0)
      update.log = [
        { at: began + second * 1000, level: 'info', source: 'broker', text: `second ${second} is committed` },
      ]
    yield update
  }
}

class SampleRun {
  readonly #series: number
  readonly #agents: number
  readonly #hostile: boolean
  readonly #past: Point[] = []
  #hits = 0
  #failed = 0
  #planned = 0
  #dropped = 0
  #bytesIn = 0

  constructor(series: number, agents: number, hostile: boolean) {
    this.#series = series
    this.#agents = agents
    this.#hostile = hostile
  }

  get next(): number {
    return this.#past.length
  }

  at(second: number): Point {
    return this.#past[second]!
  }

  /** Seconds are made in order. */
  second(second: number): Point {
    const ramp = Math.min(1, (second + 1) / 60)
    const planned = peakRate * ramp
    const isFault = second % 240 >= 120 && second % 240 < 150
    const medianMs = medianAt(second)
    const dropped = isFault && second % 240 > 135 ? planned * 0.04 : 0
    const hits = Math.round(planned * 3 * (isFault ? 0.82 : 1) * (0.97 + 0.06 * noise(second, 1)))
    const failed = Math.round(
      hits * (isFault ? 0.06 + 0.05 * noise(second, 2) : noise(second, 3) < 0.1 ? 0.003 : 0),
    )
    const lost = this.#lostAt() <= second && second < this.#lostAt() + 6 ? 0.75 : 1
    const point: Point = {
      fromMs: second * 1000,
      spanMs: 1000,
      hitsPerSecond: hits * lost,
      failedPerSecond: failed,
      executionsPerSecond: Math.round((hits * lost) / 3),
      errorsPerSecond: Math.round(failed / 3),
      activeUsers: Math.round(planned * (medianMs / 60) * (0.95 + 0.1 * noise(second, 4))) + 4,
      plannedPerSecond: round(planned),
      startedPerSecond: round(planned * (isFault ? 0.93 : 1) * lost),
      droppedPerSecond: round(dropped),
      p50: round(medianMs),
      p95: round(medianMs * 2.6 * (0.95 + 0.1 * noise(second, 5))),
      p99: round(medianMs * 4.1 * (0.9 + 0.3 * noise(second, 6))),
      max: round(medianMs * (7 + 20 * noise(second, 7) ** 3)),
      responseP50: round(medianMs * (isFault ? 1.9 : 1.04)),
      responseP95: round(medianMs * (isFault ? 9 : 2.9)),
      responseP99: round(medianMs * (isFault ? 16 : 4.6)),
      bytesInPerSecond: hits * 2_150,
      bytesOutPerSecond: hits * 310,
      eventLoopLagMs: round(0.8 + noise(second, 8) + (second % 97 === 0 ? 14 : 0)),
      latenessMs: round(0.2 + 0.4 * noise(second, 9)),
      cpu: round(this.#agents * (0.3 * ramp + 0.05 * noise(second, 10))),
    }
    this.#past.push(point)
    this.#hits += point.hitsPerSecond
    this.#failed += failed
    this.#planned += planned
    this.#dropped += dropped
    this.#bytesIn += point.bytesInPerSecond
    return point
  }

  /** A cloud around the median, with a slow second mode, in rows of a quarter of a factor of ten. */
  column(second: number): Heatmap['columns'][number] {
    const cells: number[] = []
    const medianMs = medianAt(second)
    const hits = this.at(second).hitsPerSecond
    for (const [row, low] of bounds.entries()) {
      const middle = low * 1.15
      const main = gauss(Math.log(middle / medianMs), 0.45)
      const slow = 0.09 * gauss(Math.log(middle / (medianMs * 3.4)), 0.3)
      const count = Math.round(hits * 0.28 * (main + slow) * (0.85 + 0.3 * noise(second, 20 + row)))
      if (count > 0) cells.push(row, count)
    }
    return { fromMs: second * 1000, spanMs: 1000, cells }
  }

  totals(): RunTotals {
    const executions = Math.round(this.#hits / 3)
    return {
      hits: this.#hits,
      failedHits: this.#failed,
      executions,
      failures: Math.round(this.#failed / 5),
      errors: Math.round(this.#failed / 9),
      activeUsers: this.#past.at(-1)?.activeUsers ?? 0,
      planned: Math.round(this.#planned),
      started: Math.round(this.#planned - this.#dropped),
      dropped: Math.round(this.#dropped),
      bytesIn: this.#bytesIn,
      bytesOut: Math.round(this.#bytesIn / 7),
      serviceTime: statsAround(24, this.#hits),
      responseTime: statsAround(29, executions),
      coverage: this.#agents > 1 ? 0.9968 : 1,
    }
  }

  rows(seconds: number): SeriesRow[] {
    return Array.from({ length: this.#series }, (_, index) =>
      sampleRow(index, seconds, this.#hits, this.#hostile),
    )
  }

  agents(seconds: number): AgentRow[] {
    return Array.from({ length: this.#agents }, (_, index) => {
      const isLost = this.#agents > 1 && index === this.#agents - 1 && seconds > this.#lostAt()
      const name = this.#hostile && index === 0 ? hostileNames[0]! : `agent-${index + 1}`
      return {
        id: name,
        incarnation: `0000-${index}`,
        host: this.#hostile && index === 1 ? hostileNames[1]! : `load-${(index % 3) + 1}.example`,
        state: isLost ? 'lost' : 'running',
        activeUsers: isLost ? 0 : Math.round((this.#past.at(-1)?.activeUsers ?? 0) / this.#agents),
        hits: Math.round((this.#hits / this.#agents) * (isLost ? 0.6 : 1)),
        share: (1 / this.#agents) * (isLost ? 0.6 : 1),
        eventLoopLagMs: round(0.9 + index * 0.4),
        cpu: isLost ? 0 : round(0.32 + 0.04 * index),
        latenessMs: round(0.3 + 0.1 * index),
        windows: isLost ? this.#lostAt() : seconds,
        windowsMissing: isLost ? 4 : 0,
      }
    })
  }

  model(points: Points, columns: Heatmap['columns'], seconds: number, ended: boolean): RunModel {
    const label = this.#hostile ? hostileNames[2]! : 'deploy 4.2.1'
    const agents = this.agents(seconds)
    const totals = this.totals()
    const series = this.rows(seconds)
    const errors = this.#errors(seconds)
    return {
      head: {
        runId: '20260314-093000-7f3a',
        names: this.#hostile ? [hostileNames[0]!, 'shop.Checkout'] : ['shop.Checkout', 'shop.Browse'],
        project: this.#hostile ? hostileNames[1]! : 'shop',
        user: 'ada@example',
        labels: {
          branch: 'main',
          build: '1734',
          ...(this.#hostile ? { [hostileNames[0]!]: hostileNames[3]! } : {}),
        },
        state: ended ? 'done' : 'running',
        note: '',
        seed: 4711,
        submittedAt: began - 4_000,
        startedAt: began,
        elapsedMs: seconds * 1000,
        plannedMs: 1_800_000,
        progress: ended ? 1 : Math.min(1, seconds / 1800),
        warmUpMs: 10_000,
        scenarios: [
          {
            name: this.#hostile ? hostileNames[0]! : 'checkout',
            load: `0 to ${peakRate}/s in 1m, then ${peakRate}/s for 29m`,
            controls: null,
            target: null,
            paused: false,
          },
          { name: 'browse', load: '50 users until stopped', controls: 'users', target: 50, paused: false },
          {
            name: 'search',
            load: '100/s until stopped',
            controls: 'rate',
            target: 120,
            paused: seconds % 2 === 1,
          },
        ],
      },
      totals,
      points,
      heatmap: { bounds: [...bounds], columns },
      series,
      errors,
      agents,
      thresholds: this.#thresholds(seconds),
      bands: this.#bands(seconds),
      marks: [
        { kind: 'state', atMs: 0, label: 'running', source: 'broker' },
        { kind: 'note', atMs: 45_000, label, source: 'ada@example' },
        { kind: 'control', atMs: 75_000, label: 'search: set to 120/s', source: 'bob@example' },
        {
          kind: 'threshold',
          atMs: 126_000,
          label: 'crossed: http_req_duration: p(95)<200',
          source: 'broker',
        },
        {
          kind: 'threshold',
          atMs: 153_000,
          label: 'holds again: http_req_duration: p(95)<200',
          source: 'broker',
        },
        {
          kind: 'agent' as const,
          atMs: this.#lostAt() * 1000,
          label: `agent-${this.#agents} is lost`,
          source: 'broker',
        },
      ].filter(({ atMs }) => atMs < seconds * 1000) as RunModel['marks'],
      log: [
        { at: began - 3_000, level: 'info', source: 'broker', text: 'all agents are ready' },
        {
          at: began + 121_000,
          level: 'warning',
          source: 'agent-2',
          text: 'an execution takes longer than 5 s',
        },
        {
          at: began + this.#lostAt() * 1000,
          level: 'error',
          source: this.#hostile ? hostileNames[0]! : 'broker',
          text: this.#hostile ? hostileNames[4]! : `agent-${this.#agents} has not been heard of for 6 s`,
        },
      ],
      observed: {
        'postgres.connections': this.#observe(seconds, 11, 40),
        [this.#hostile ? hostileNames[1]! : 'node.cpu']: this.#observe(seconds, 12, 0.9),
      },
      summary: ended ? sampleSummary({ series, totals, agents, errors, seconds, began }) : null,
    }
  }

  #lostAt(): number {
    return 95
  }

  #observe(seconds: number, lane: number, scale: number): { fromMs: number[]; value: number[] } {
    const fromMs = Array.from({ length: Math.floor(seconds / 5) }, (_, index) => index * 5_000)
    return { fromMs, value: fromMs.map((at) => round(scale * (0.6 + 0.4 * noise(at, lane)))) }
  }

  #errors(seconds: number): RunModel['errors'] {
    const plain = [
      { type: 'AssertionError', message: 'expected 503 to equal 200', count: 412 },
      { type: 'TimeoutError', message: 'no answer within 30 s from http://shop.example/checkout', count: 37 },
      { type: 'TypeError', message: "Cannot read properties of undefined (reading 'total')", count: 3 },
    ]
    const all = this.#hostile ? [...hostileErrors, ...plain] : plain
    return all.map(({ type, message, count }, index) => ({
      type,
      message,
      count,
      firstSeen: began + Math.min(seconds, 121 + index) * 1000,
      lastSeen: began + Math.min(seconds, 149 - index) * 1000,
      sample: `${type}: ${message}\n    at Checkout.test_buy (shop.ts:${41 + index}:15)\n    at async run (shop.ts:9:3)`,
    }))
  }

  #thresholds(seconds: number): RunModel['thresholds'] {
    const times = Array.from({ length: Math.ceil(seconds / 5) }, (_, index) => index * 5)
    const duration = times.map((second): [number, number | null, boolean | null] => {
      const value =
        second < 10
          ? null
          : round(
              62 +
                (second > 120 ? Math.min(170, (second - 120) * 7) : 0) -
                (second > 150 ? Math.min(120, (second - 150) * 4) : 0),
            )
      return [second * 1000, value, value === null ? null : value < 200]
    })
    const last = duration.at(-1) ?? [0, null, null]
    return [
      {
        expression: 'http_req_duration: p(95)<200',
        value: last[1],
        ok: last[2],
        text: last[1] === null ? 'no data' : `${last[1]} ms`,
        past: duration,
      },
      {
        expression: 'http_req_failed: rate<0.01',
        value: 0.0134,
        ok: false,
        text: '1.34 %',
        past: times.map((second) => [second * 1000, second > 120 ? 0.0134 : 0.0004, second <= 120]),
      },
      { expression: 'errors{scenario:browse}: rate<0.02', value: null, ok: null, text: 'no data', past: [] },
    ]
  }

  #bands(seconds: number): Band[] {
    const bands: Band[] = [
      { id: 'warm-up', kind: 'warm-up', label: 'warm-up', detail: 'in no total', fromMs: 0, toMs: 10_000 },
      {
        id: 'stage-0',
        kind: 'stage',
        label: 'stage 1 of 2',
        detail: '0 to 400/s in 1m',
        fromMs: 0,
        toMs: 60_000,
      },
      {
        id: 'stage-1',
        kind: 'stage',
        label: 'stage 2 of 2',
        detail: '400/s for 29m',
        fromMs: 60_000,
        toMs: null,
      },
      {
        id: 'paused-search',
        kind: 'paused',
        label: 'search is paused',
        detail: 'bob@example',
        fromMs: 80_000,
        toMs: 90_000,
      },
      {
        id: 'missing-0',
        kind: 'missing',
        label: 'windows missing',
        detail: 'agent-4: 4 s, 300 hits at most',
        fromMs: 95_000,
        toMs: 99_000,
      },
      {
        id: 'tainted-0',
        kind: 'tainted',
        label: 'agent-2 did not keep up',
        detail: 'event-loop-lag',
        fromMs: 97_000,
        toMs: 98_000,
      },
    ]
    for (let from = 120; from < seconds; from += 240)
      bands.push({
        id: `fault-${from}`,
        kind: 'fault',
        label: this.#hostile ? hostileNames[0]! : 'delay database',
        detail: 'postgres:5432 answers 100 ms later',
        fromMs: from * 1000,
        toMs: from + 30 <= seconds ? (from + 30) * 1000 : null,
      })
    return bands.filter(({ fromMs }) => fromMs < seconds * 1000)
  }
}

/** Quarters of an octave from 2 ms to 4 s. */
const bounds: readonly number[] = Array.from({ length: 44 }, (_, row) => round(2 * 2 ** (row / 4)))

function gauss(distance: number, width: number): number {
  return Math.exp(-(distance * distance) / (2 * width * width))
}
