import { Delta, DeltaEncoder, emptySeriesDelta, type SeriesKey } from '@loads-runner/metrics'
import type { AgentConnection, RunSpec, WindowMessage } from '@loads-runner/protocol'
import type { MovedUser, Share } from '@loads-runner/testcase/load'

const test = 'TestWebSite.test_es'

/** What an agent knows of one run, and the windows that it makes of it. Each execution makes one hit. */
export class FakeSession {
  readonly runId: string
  readonly spec: RunSpec
  readonly share: Share
  readonly moved: MovedUser[] = []
  /** Every window that was cut. */
  readonly windows: { window: WindowMessage; delta: Delta }[] = []
  stage = -1
  executions = 0
  acked = -1
  lagMs = 0
  cpu = 0.2
  activeUsers = 0
  #encoder = new DeltaEncoder()
  #delta = new Delta()
  #progress: number[] = []
  readonly #ledger = { planned: 0, started: 0, finished: 0, interrupted: 0 }
  #atMs = 0

  constructor(runId: string, spec: RunSpec, share: Share) {
    this.runId = runId
    this.spec = spec
    this.share = share
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
      generator: { eventLoopLagMs: this.lagMs, cpu: this.cpu },
    }
    this.windows.push({ window, delta: this.#delta })
    this.#progress = []
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

  /** Users of a stage, own ones and those taken over, with the iterations they still have to make. */
  usersOf(stage: number): { user: number; from: number; count: number }[] {
    const iterations = this.spec.profile.stages[stage]?.iterations ?? 1
    const range = this.share.ranges[stage]!
    const own = Array.from({ length: range.count }, (_, index) => {
      return { user: range.first + index, from: 0, count: iterations }
    })
    const moved = this.moved.filter((each) => each.stage === stage)
    return [
      ...own,
      ...moved.map(({ user, fromIteration }) => ({
        user,
        from: fromIteration,
        count: iterations - fromIteration,
      })),
    ]
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
