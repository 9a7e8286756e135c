import { Delta, DeltaEncoder, emptySeriesDelta, type SeriesKey } from '@loads-runner/metrics'
import type { AgentConnection, RunSpec, WindowMessage } from '@loads-runner/protocol'
import {
  iterationsOf,
  runStages,
  type ControlChange,
  type MovedUnit,
  type RunStage,
  type Share,
} from '@loads-runner/testcase/load'

const test = 'TestWebSite.test_es'

/** What an agent knows of one run, and the windows that it makes of it. Each execution makes one hit. */
export class FakeSession {
  readonly runId: string
  readonly spec: RunSpec
  readonly share: Share
  readonly moved: MovedUnit[] = []
  readonly stages: RunStage[]
  /** Every window that was cut. */
  readonly windows: { window: WindowMessage; delta: Delta }[] = []
  /** The stage that was begun last. */
  stage = -1
  /** All that were begun, in order; those said again once more. */
  readonly begun: number[] = []
  /** Changes of each stage, as last heard. */
  readonly changes = new Map<number, ControlChange[]>()
  /** Rows that it leased: feed, first, count. */
  readonly leased: [string, number, number][] = []
  executions = 0
  acked = -1
  lagMs = 0
  latenessMs = 0
  cpu = 0.2
  activeUsers = 0
  #encoder = new DeltaEncoder()
  #delta = new Delta()
  #progress: number[] = []
  readonly #ledger = { planned: 0, started: 0, finished: 0, interrupted: 0, dropped: 0 }
  readonly #starts = new Map<number, number>()
  #rows: { feed: string; used: number[] }[] = []
  #atMs = 0

  constructor(runId: string, spec: RunSpec, share: Share) {
    this.runId = runId
    this.spec = spec
    this.share = share
    this.stages = runStages(spec.profile)
  }

  /**
   * Starts of one lane of an open model from its start number `from` on: the last `dropped` of them did not start in
   * time. All that started have finished.
   */
  startLane(lane: number, from: number, count: number, dropped = 0): void {
    this.#ledger.planned += count
    this.#ledger.dropped += dropped
    this.execute(lane, from, count - dropped)
    this.#progress.push(lane, from + count)
    this.#starts.set(lane, from + count)
  }

  /** Starts that a lane has made here, those before it came here included; 0 where it made none. */
  startsOf(lane: number): number {
    return this.#starts.get(lane) ?? 0
  }

  /** Starts that fell due and still wait. */
  wait(count: number): void {
    this.#ledger.planned += count
  }

  /** What the share and what was taken over holds is planned: said with the next window. */
  plan(count: number): void {
    this.#ledger.planned += count
  }

  useRows(feed: string, ...used: number[]): void {
    this.#rows.push({ feed, used })
  }

  /** Executions of one user from `from` on; the last `running` of them do not finish. */
  execute(user: number, from: number, count: number, running = 0): void {
    const finished = count - running
    this.#ledger.started += count
    this.#ledger.finished += finished
    this.executions += finished
    this.#progress.push(user, from + finished)
    this.#add({ kind: 'internal', test, name: 'execution.started' }, count)
    this.#add({ kind: 'execution', test, name: test, status: 'success' }, finished)
    this.hit('GET /', finished)
  }

  /** The running executions are cut by the end. */
  interrupt(count: number): void {
    this.#ledger.interrupted += count
    this.#add({ kind: 'execution', test, name: test, status: 'interrupted' }, count)
  }

  fail(count: number): void {
    this.#ledger.started += count
    this.#ledger.finished += count
    this.#add({ kind: 'internal', test, name: 'execution.started' }, count)
    this.#add({ kind: 'execution', test, name: test, status: 'failure' }, count)
  }

  hit(name: string, count: number): void {
    this.#add({ kind: 'http', test, name, method: 'GET', status: '200' }, count)
  }

  /** Ends a window and keeps it. */
  cut(final = false, spanMs = this.spec.windowMs): WindowMessage {
    const fromMs = this.#atMs
    this.#atMs += spanMs
    const window: WindowMessage = {
      type: 'window',
      runId: this.runId,
      number: this.windows.length,
      fromMs,
      toMs: this.#atMs,
      final,
      activeUsers: final ? 0 : this.activeUsers,
      ledger: { ...this.#ledger },
      progress: this.#progress,
      delta: this.#encoder.encode(this.#delta),
      generator: {
        eventLoopLagMs: this.lagMs,
        cpu: this.cpu,
        gcMs: 0,
        latenessMs: this.latenessMs,
        portsExhausted: false,
      },
      rows: this.#rows,
    }
    this.windows.push({ window, delta: this.#delta })
    this.#progress = []
    this.#rows = []
    this.#delta = new Delta()
    return window
  }

  /** A window once more, as it would be sent now. */
  again(number: number): WindowMessage {
    const { window, delta } = this.windows[number]!
    return { ...window, delta: this.#encoder.encode(delta) }
  }

  /** Over a new link series are defined anew. */
  relink(): void {
    this.#encoder = new DeltaEncoder()
  }

  /** What was not acknowledged is sent again over a new link. */
  resend(connection: AgentConnection): void {
    this.relink()
    for (const { window } of this.windows)
      if (window.number > this.acked) connection.send(this.again(window.number))
  }

  send(connection: AgentConnection, final = false, spanMs?: number): void {
    connection.send(this.cut(final, spanMs))
  }

  /** Units of a stage, own ones and those taken over, with the iterations they still have to make; 1 where time bounds. */
  unitsOf(stage: number): { unit: number; from: number; count: number }[] {
    const range = this.share.ranges[stage]!
    const units = Array.from({ length: range.count }, (_, index) => ({ unit: range.first + index, from: 0 }))
    for (const { unit, stage: of, fromIteration } of this.moved) {
      if (of === stage) units.push({ unit, from: fromIteration })
    }
    return units.map(({ unit, from }) => {
      return { unit, from, count: Math.max(0, (iterationsOf(this.stages[stage]!, unit) ?? from + 1) - from) }
    })
  }

  #add(key: Partial<SeriesKey> & Pick<SeriesKey, 'kind' | 'test' | 'name'>, count: number): void {
    if (count === 0) return
    const series = emptySeriesDelta({ method: '', status: '', tags: {}, ...key }, null)
    series.count = count
    if (key.kind === 'internal') series.value = count
    else {
      series.sum = count * 1000
      series.min = 1000
      series.max = 1000
      series.buckets = new Map([[300, count]])
    }
    this.#delta.add(series)
  }
}
