import { interruptedStatus, hitKinds, type Aggregate, type Delta, type Stats } from '@loads-runner/metrics'
import { responseFields, statsFields, type Times } from './times.ts'

/** What `loads_run` has of the series of a span: all tests together. */
interface RunFigures {
  hits: number
  failed: number
  bytesIn: number
  bytesOut: number
  successes: number
  failures: number
  errors: number
  serviceTime: Stats
  responseTime: Stats
  lateness: Stats
}

export function figuresOfDelta(delta: Delta, times: Times): RunFigures {
  const figures = { hits: 0, failed: 0, bytesIn: 0, bytesOut: 0, successes: 0, failures: 0, errors: 0 }
  const all = [...delta.series.values()]
  for (const { key, count, failed, bytesIn, bytesOut } of all) {
    if (hitKinds.has(key.kind)) {
      figures.hits += count
      // A hit that was cut by the end of the run has not failed.
      if (key.status !== interruptedStatus) figures.failed += failed
      figures.bytesIn += bytesIn
      figures.bytesOut += bytesOut
    } else if (key.kind === 'execution' && key.status !== interruptedStatus) {
      if (key.status === 'success') figures.successes += count
      else if (key.status === 'failure') figures.failures += count
      else figures.errors += count
    }
  }
  const ofKind = (kind: string) => times.stats(all.filter(({ key }) => key.kind === kind))
  return {
    ...figures,
    serviceTime: times.stats(all.filter(({ key }) => hitKinds.has(key.kind))),
    responseTime: ofKind('hit-response'),
    lateness: ofKind('lateness'),
  }
}

/** The same of a whole run so far. Cheap: the aggregate keeps most of it at hand. */
export function figuresOfRun(aggregate: Aggregate): RunFigures {
  const { count, failed, bytesIn, bytesOut } = aggregate.hits()
  const { successes, failures, errors } = aggregate.tests()
  return {
    hits: count,
    failed,
    bytesIn,
    bytesOut,
    successes,
    failures,
    errors,
    serviceTime: aggregate.serviceTime().stats(),
    responseTime: aggregate.responseTime().stats(),
    lateness: aggregate.timesOf('lateness').stats(),
  }
}

/** @param loadMs rates divide by it */
export function runFields(figures: RunFigures, loadMs: number): Record<string, number | null> {
  const { hits, failed, bytesIn, bytesOut, successes, failures, errors } = figures
  const perSecond = (count: number) => (loadMs > 0 ? (count * 1000) / loadMs : null)
  const executions = successes + failures + errors
  return {
    hits,
    failed,
    bytes_in: bytesIn,
    bytes_out: bytesOut,
    executions,
    successes,
    failures,
    errors,
    hits_per_second: perSecond(hits),
    failed_per_second: perSecond(failed),
    executions_per_second: perSecond(executions),
    errors_per_second: perSecond(failures + errors),
    ...statsFields(figures.serviceTime),
    ...responseFields(figures.responseTime),
    lateness_p99: figures.lateness.p99,
  }
}
