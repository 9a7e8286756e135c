import { earlierDetail, type ErrorDetail } from './definition.ts'
import { Delta } from './delta.ts'
import { Distribution } from './distribution.ts'
import { SeriesTotals } from './series-totals.ts'
import {
  hitKinds,
  interruptedStatus,
  overflowName,
  seriesId,
  type SeriesKey,
  type SeriesKind,
} from './series.ts'

export interface HitTotals {
  /** All attempts, failed and interrupted ones included. */
  count: number
  /** No complete answer, or an unexpected status; interrupted hits are not failed. */
  failed: number
  /** Cut by the end of the run. */
  interrupted: number
  bytesIn: number
  bytesOut: number
}

export interface ExecutionTotals {
  started: number
  /** successes + failures + errors */
  finished: number
  successes: number
  failures: number
  errors: number
  /** Cut by the end of the run. started = finished + interrupted + running + lost. */
  interrupted: number
}

/** Executions of one test or scenario. Cut ones are in no distribution: they have no duration. */
export interface ExecutionFigures {
  totals: ExecutionTotals
  duration: Distribution
  /** From the intended start; empty but in open models. */
  responseTime: Distribution
}

/** What became of connections. */
export interface ConnectionTotals {
  opened: number
  closed: number
  /** All handshakes, resumed ones included. */
  tlsHandshakes: number
  tlsResumed: number
}

export interface SocketTotals {
  opened: number
  closed: number
  messagesSent: number
  messagesReceived: number
  bytesSent: number
  bytesReceived: number
}

/** Errors of one kind; the detail is of the first one. */
export interface ErrorGroup {
  detail: ErrorDetail
  count: number
  /** Epoch milliseconds. */
  lastSeen: number
}

const startedSeries = 'execution.started'

/** The totals of a run: every delta is applied once, in any order. */
export class Aggregate {
  readonly #series = new Map<string, SeriesTotals>()
  // Kept up to date by `apply`, so that a console may ask for them many times a second.
  readonly #serviceTime = new Distribution()
  readonly #responseTime = new Distribution()
  readonly #hits: HitTotals = { count: 0, failed: 0, interrupted: 0, bytesIn: 0, bytesOut: 0 }

  /** By series id. */
  get series(): ReadonlyMap<string, SeriesTotals> {
    return this.#series
  }

  apply(delta: Delta): void {
    for (const [id, change] of delta.series) {
      let totals = this.#series.get(id)
      if (totals === undefined) {
        totals = new SeriesTotals(change.key, change.detail)
        this.#series.set(id, totals)
      }
      totals.apply(change)
      const { kind, status } = change.key
      if (kind === 'hit-response') this.#responseTime.apply(change)
      if (!hitKinds.has(kind)) continue
      this.#serviceTime.apply(change)
      this.#hits.count += change.count
      if (status === interruptedStatus) this.#hits.interrupted += change.count
      else this.#hits.failed += change.failed
      this.#hits.bytesIn += change.bytesIn
      this.#hits.bytesOut += change.bytesOut
    }
  }

  /** Everything so far as one delta: what a new Aggregate has to apply to be equal to this one. */
  toDelta(): Delta {
    const delta = new Delta()
    for (const [id, totals] of this.#series) delta.series.set(id, totals.toDelta())
    return delta
  }

  /** All hits, of every kind. */
  hits(): HitTotals {
    return { ...this.#hits }
  }

  /** Service times of all hits, interrupted ones included. Live: do not change it. */
  serviceTime(): Distribution {
    return this.#serviceTime
  }

  /** Response times of the first hits of executions of open models; empty elsewhere. Live: do not change it. */
  responseTime(): Distribution {
    return this.#responseTime
  }

  /** All executions of all tests. */
  tests(): ExecutionTotals {
    const all = noExecutions()
    for (const { totals } of this.executions()) {
      all.started += totals.started
      all.finished += totals.finished
      all.successes += totals.successes
      all.failures += totals.failures
      all.errors += totals.errors
      all.interrupted += totals.interrupted
    }
    return all
  }

  /** Executions by test, in order of the labels. */
  executions(): ({ test: string } & ExecutionFigures)[] {
    return this.executionsBy(({ test }) => test).map(({ label, ...figures }) => ({ test: label, ...figures }))
  }

  /** Executions by whatever label a series has, in order of the labels; a series without one (null) is left out. */
  executionsBy(labelOf: (key: SeriesKey) => string | null): ({ label: string } & ExecutionFigures)[] {
    const rows = new Map<string, { label: string } & ExecutionFigures>()
    const rowOf = (label: string) => {
      let row = rows.get(label)
      if (row === undefined) {
        row = {
          label,
          totals: noExecutions(),
          duration: new Distribution(),
          responseTime: new Distribution(),
        }
        rows.set(label, row)
      }
      return row
    }
    for (const series of this.#series.values()) {
      const { kind, name, status } = series.key
      const isStart = kind === 'internal' && name === startedSeries
      if (!isStart && kind !== 'execution' && kind !== 'response') continue
      const label = labelOf(series.key)
      if (label === null) continue
      const { totals, duration, responseTime } = rowOf(label)
      if (isStart) totals.started += series.value
      else if (kind === 'response') {
        if (status !== interruptedStatus) responseTime.merge(series)
      } else if (status === interruptedStatus) totals.interrupted += series.count
      else {
        if (status === 'success') totals.successes += series.count
        else if (status === 'failure') totals.failures += series.count
        else totals.errors += series.count
        totals.finished += series.count
        duration.merge(series)
      }
    }
    return [...rows.values()].sort((one, other) => (one.label < other.label ? -1 : 1))
  }

  /** WebSocket activity after the handshake. */
  websockets(): SocketTotals {
    return {
      opened: this.internal('socket.opened'),
      closed: this.internal('socket.closed'),
      messagesSent: this.internal('socket.message-sent'),
      messagesReceived: this.internal('socket.message-received'),
      bytesSent: this.internal('socket.bytes-sent'),
      bytesReceived: this.internal('socket.bytes-received'),
    }
  }

  connections(): ConnectionTotals {
    const tlsResumed = this.internal('connection.tls-resumed')
    return {
      opened: this.internal('connection.opened'),
      closed: this.internal('connection.closed'),
      tlsHandshakes: this.internal('connection.tls') + tlsResumed,
      tlsResumed,
    }
  }

  /** What an internal series counted, over all tests. */
  internal(name: string): number {
    let sum = 0
    for (const series of this.#ofKind('internal')) if (series.key.name === name) sum += series.value
    return sum
  }

  /** Groups of errors, the same error of several tests taken together, most frequent first. */
  errorGroups(): ErrorGroup[] {
    const groups = new Map<string, ErrorGroup>()
    for (const { key, detail, count, lastAt } of this.#ofKind('error')) {
      const mine = detail ?? { type: key.name, message: '', sample: '', firstSeen: lastAt }
      const group = groups.get(key.name) ?? { detail: mine, count: 0, lastSeen: 0 }
      group.detail = earlierDetail(group.detail, mine) ?? mine
      group.count += count
      group.lastSeen = Math.max(group.lastSeen, lastAt)
      groups.set(key.name, group)
    }
    return [...groups.values()].sort((one, other) => other.count - one.count)
  }

  /** Series of one kind, most frequent first. */
  ofKind(kind: SeriesKind): SeriesTotals[] {
    return [...this.#ofKind(kind)].sort((one, other) => other.count - one.count || compareIds(one, other))
  }

  /** Durations of all series of one kind together. */
  timesOf(kind: SeriesKind): Distribution {
    const times = new Distribution()
    for (const series of this.#ofKind(kind)) times.merge(series)
    return times
  }

  /** True when names of this kind fell into an overflow series. */
  hasOverflowed(kind: SeriesKind): boolean {
    for (const series of this.#ofKind(kind)) if (series.key.name === overflowName) return true
    return false
  }

  *#ofKind(kind: SeriesKind): Generator<SeriesTotals> {
    for (const series of this.#series.values()) if (series.key.kind === kind) yield series
  }
}

function noExecutions(): ExecutionTotals {
  return { started: 0, finished: 0, successes: 0, failures: 0, errors: 0, interrupted: 0 }
}

/** A stable order, whatever the order in which series came. */
function compareIds(one: SeriesTotals, other: SeriesTotals): number {
  return seriesId(one.key) < seriesId(other.key) ? -1 : 1
}
