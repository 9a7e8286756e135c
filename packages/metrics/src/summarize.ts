import { Aggregate, type ExecutionFigures } from './aggregate.ts'
import { checkRows, phaseRows, stepRows } from './breakdown.ts'
import type { Distribution } from './distribution.ts'
import { hitKinds, isHitKind, overflowName, seriesId, type SeriesKey } from './series.ts'
import type { Stats } from './stats.ts'
import type { RunFacts, Summary } from './summary.ts'

/** The tag that tells the scenarios of a run apart. */
export const scenarioTag = 'scenario'

/**
 * Makes the summary of a run: pure. `aggregate` holds what was recorded after the warm-up. An execution that was under
 * way when the warm-up ended counts as started after it, so that started = finished + interrupted + lost all the same.
 */
export function summarize(aggregate: Aggregate, facts: RunFacts): Summary {
  const warmUp = facts.warmUp?.aggregate ?? new Aggregate()
  const hits = aggregate.hits()
  const tests = withCarriedOver(aggregate.tests(), warmUp.tests())
  const seconds = Math.max(0, facts.loadSeconds - (facts.warmUp?.seconds ?? 0))
  const lateness = knownStats(aggregate.timesOf('lateness'))
  return {
    schema: 'loads.summary/1',
    runId: facts.runId,
    seed: facts.seed,
    verdict: facts.verdict,
    exitCode: facts.exitCode,
    reasons: [...facts.reasons],
    started: facts.startedAt === null ? null : isoTime(facts.startedAt),
    durationSeconds: facts.loadSeconds,
    tests: { ...tests, lost: facts.lostExecutions },
    hits: {
      count: hits.count,
      failed: hits.failed,
      interrupted: hits.interrupted,
      perSecond: seconds > 0 ? hits.count / seconds : 0,
      bytesIn: hits.bytesIn,
      bytesOut: hits.bytesOut,
    },
    serviceTime: aggregate.serviceTime().stats(),
    responseTime: knownStats(aggregate.responseTime()),
    executions: executionRows(aggregate, warmUp, ({ test }) => test).map(({ label, ...row }) => ({
      test: label,
      ...row,
    })),
    scenarios: executionRows(aggregate, warmUp, ({ tags }) => tags[scenarioTag] ?? null).map(
      ({ label, ...row }) => ({ name: label, ...row }),
    ),
    series: seriesRows(aggregate, facts.overflowed),
    checks: checkRows(aggregate),
    steps: stepRows(aggregate),
    phases: phaseRows(aggregate),
    connections: aggregate.connections(),
    websockets: aggregate.websockets(),
    // fromEntries: a name may be `__proto__`, which an assignment would swallow.
    counters: Object.fromEntries(aggregate.ofKind('counter').map(({ key, value }) => [key.name, value])),
    gauges: Object.fromEntries(
      aggregate.ofKind('gauge').map(({ key, value }) => [key.name, key.name === overflowName ? null : value]),
    ),
    timings: Object.fromEntries(
      aggregate.ofKind('timing').map((series) => [series.key.name, series.stats()]),
    ),
    errorGroups: errorRows(aggregate),
    agents: facts.agents,
    coverage: facts.coverage,
    schedule: {
      planned: facts.plannedExecutions,
      started: tests.started + warmUpStarts(warmUp),
      dropped: facts.droppedExecutions,
      latenessP99: lateness?.p99 ?? null,
      lateness,
    },
    feeds: facts.feeds ?? [],
    generator: facts.generator,
    warmUp:
      facts.warmUp === null
        ? null
        : {
            seconds: facts.warmUp.seconds,
            hits: warmUp.hits().count,
            executions: warmUp.tests().finished,
          },
    thresholds: facts.thresholds,
  }
}

function knownStats(times: Distribution): Stats | null {
  return times.count === 0 ? null : times.stats()
}

/** Executions that began and ended in the warm-up: in the schedule, but in no other figure. */
function warmUpStarts(warmUp: Aggregate): number {
  const { finished, interrupted } = warmUp.tests()
  return finished + interrupted
}

/** Adds the executions that were under way when the warm-up ended to those that started after it. */
function withCarriedOver<T extends ExecutionFigures['totals']>(
  totals: T,
  warmUp: ExecutionFigures['totals'],
): T {
  const carried = Math.max(0, warmUp.started - warmUp.finished - warmUp.interrupted)
  return { ...totals, started: totals.started + carried }
}

type ExecutionRow = { label: string } & Omit<Summary['executions'][number], 'test'>

function executionRows(
  aggregate: Aggregate,
  warmUp: Aggregate,
  labelOf: (key: SeriesKey) => string | null,
): ExecutionRow[] {
  const before = new Map(warmUp.executionsBy(labelOf).map(({ label, totals }) => [label, totals]))
  return aggregate.executionsBy(labelOf).map(({ label, totals, duration, responseTime }) => {
    const early = before.get(label)
    const { started } = early === undefined ? totals : withCarriedOver(totals, early)
    return {
      label,
      // An end needs a start: where starts were recorded without the label's tags, ends tell of them.
      started: Math.max(started, totals.finished + totals.interrupted),
      successes: totals.successes,
      failures: totals.failures,
      errors: totals.errors,
      interrupted: totals.interrupted,
      duration: duration.stats(),
      responseTime: knownStats(responseTime),
    }
  })
}

function seriesRows(aggregate: Aggregate, overflowed: boolean): Summary['series'] {
  const rows: Summary['series'] = []
  for (const kind of hitKinds) {
    if (!isHitKind(kind)) continue
    // An agent may have overflowed before the catalogue was full, so no name of the kind is sure to be complete.
    const partial = overflowed || aggregate.hasOverflowed(kind)
    for (const series of aggregate.ofKind(kind)) {
      const { key } = series
      const responses = aggregate.series.get(seriesId({ ...key, kind: 'hit-response' }))
      rows.push({
        kind,
        test: key.test,
        name: key.name,
        method: key.method,
        status: key.status,
        tags: { ...key.tags },
        count: series.count,
        failed: series.failed,
        partial,
        serviceTime: series.stats(),
        responseTime: responses === undefined ? null : responses.stats(),
      })
    }
  }
  return rows.sort((one, other) => other.count - one.count)
}

function errorRows(aggregate: Aggregate): Summary['errorGroups'] {
  return aggregate.errorGroups().map(({ detail, count, lastSeen }) => ({
    type: detail.type,
    message: detail.message,
    count,
    firstSeen: isoTime(detail.firstSeen),
    lastSeen: isoTime(Math.max(lastSeen, detail.firstSeen)),
    sample: detail.sample,
  }))
}

/** Times come from other machines: one beyond what a date can hold must not break a summary. */
function isoTime(millis: number): string {
  const latest = 8.64e15
  return new Date(Math.min(latest, Math.max(-latest, millis))).toISOString()
}
