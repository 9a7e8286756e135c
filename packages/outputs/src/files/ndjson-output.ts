import type { Interval } from '@loads-runner/history'
import type { OutputEnvironment } from '../environment.ts'
import type { Output, OutputRecord, OutputRun } from '../output.ts'
import { FigureRows } from './figure-rows.ts'
import { StreamOutput } from './stream-output.ts'

/** `ndjson:FILE`: one JSON object per line, its `type` first: run, interval, series, event, summary. */
export function createNdjson(args: string, environment: OutputEnvironment): Output {
  const lines = new NdjsonLines()
  return new StreamOutput({
    name: 'ndjson',
    args,
    environment,
    wants: ['interval', 'event', 'end'],
    begin: (run) => lines.head(run),
    render: (record) => lines.of(record),
  })
}

/** Records as lines of JSON. Durations are milliseconds, times ISO 8601, `elapsed` and `span` seconds. */
export class NdjsonLines {
  readonly #rows = new FigureRows()

  head({ runId, spec }: OutputRun): string {
    const { names, project, user, labels, seed, agents } = spec
    return line({ type: 'run', run: runId, names, project, user, labels, seed, agents })
  }

  of(record: OutputRecord): string {
    switch (record.type) {
      case 'interval':
        return this.#interval(record.interval)
      case 'event': {
        const { type, at, ...event } = record.event
        return line({ type: 'event', event: type, at: timeOf(at), ...event })
      }
      case 'end':
        return line({ type: 'summary', summary: record.summary })
      default:
        return ''
    }
  }

  #interval(interval: Interval): string {
    const { at, fromMs, spanMs, revision, warmUp } = interval
    const when = { at: timeOf(at), elapsed: fromMs / 1000, span: spanMs / 1000, revision, warmUp }
    const [all, ...series] = this.#rows.of(interval)
    const { count, failed, perSecond, bytesIn, bytesOut, min, mean, p50, p90, p95, p99, p999, max } = all!
    const { activeUsers, planned, started, finished, dropped, agents } = interval
    return [
      line({
        type: 'interval',
        ...when,
        hits: count,
        failed,
        perSecond,
        bytesIn,
        bytesOut,
        min,
        mean,
        p50,
        p90,
        p95,
        p99,
        p999,
        max,
        activeUsers,
        planned,
        started,
        finished,
        dropped,
        agents,
      }),
      ...series.map((row) => line({ type: 'series', ...when, ...row })),
    ].join('')
  }
}

function timeOf(at: number): string {
  return new Date(at).toISOString()
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
