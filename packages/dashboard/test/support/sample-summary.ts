import type { Summary } from '@loads-runner/metrics'
import type { AgentRow, ErrorRow, RunTotals, SeriesRow } from '../../src/model.ts'

interface SampleFigures {
  series: readonly SeriesRow[]
  totals: RunTotals
  agents: readonly AgentRow[]
  errors: readonly ErrorRow[]
  seconds: number
  /** Epoch milliseconds. */
  began: number
}

/** The summary that fits a sample model. */
export function sampleSummary({ series, totals, agents, errors, seconds, began }: SampleFigures): Summary {
  const successes = totals.executions - totals.failures - totals.errors
  const executions = {
    started: totals.executions,
    successes,
    failures: totals.failures,
    errors: totals.errors,
    interrupted: 0,
  }
  return {
    schema: 'loads.summary/1',
    runId: '20260314-093000-7f3a',
    seed: 4711,
    verdict: 'failed',
    exitCode: 99,
    reasons: ['threshold crossed: http_req_failed: rate<0.01 (it was 1.34 %)', 'agent agent-4 was lost'],
    started: new Date(began).toISOString(),
    durationSeconds: seconds,
    tests: { ...executions, finished: totals.executions, lost: 0 },
    hits: {
      count: totals.hits,
      failed: totals.failedHits,
      interrupted: 0,
      perSecond: seconds > 0 ? totals.hits / seconds : 0,
      bytesIn: totals.bytesIn,
      bytesOut: totals.bytesOut,
    },
    serviceTime: totals.serviceTime,
    responseTime: totals.responseTime,
    executions: [
      {
        test: 'Checkout.test_buy',
        ...executions,
        duration: totals.serviceTime,
        responseTime: totals.responseTime,
      },
    ],
    scenarios: [],
    series: series
      .filter(({ kind, time }) => kind === 'http' && time !== null)
      .map(({ test, name, method, status, tags, count, failed, time }) => ({
        kind: 'http' as const,
        test,
        name,
        method,
        status,
        tags,
        count,
        failed,
        partial: false,
        serviceTime: time!,
        responseTime: null,
      })),
    checks: [{ name: 'the cart has a total', test: 'Checkout.test_buy', ok: 1_200, failed: 3, tags: {} }],
    steps: [],
    phases: [],
    connections: { opened: 400, closed: 380, tlsHandshakes: 400, tlsResumed: 12 },
    websockets: {
      opened: 0,
      closed: 0,
      messagesSent: 0,
      messagesReceived: 0,
      bytesSent: 0,
      bytesReceived: 0,
    },
    counters: { 'orders placed': 1_234 },
    gauges: { 'queue length': 17 },
    timings: {},
    errorGroups: errors.map((error) => ({
      ...error,
      firstSeen: new Date(error.firstSeen).toISOString(),
      lastSeen: new Date(error.lastSeen).toISOString(),
    })),
    agents: agents.map(({ id, host, state, hits, windows, windowsMissing }) => ({
      id,
      host,
      state: state === 'lost' ? 'lost' : 'done',
      hits,
      windows,
      windowsLost: windowsMissing,
      ledger: { planned: hits, started: hits, finished: hits, reported: hits, lost: 0, dropped: 0 },
    })),
    coverage: {
      windowsOwed: seconds * agents.length,
      windowsReceived: seconds * agents.length - 4,
      ratio: totals.coverage,
      missing: [{ agent: 'agent-4', fromSecond: 95, toSecond: 99, hitsAtMost: 300 }],
    },
    schedule: {
      planned: totals.planned,
      started: totals.started,
      dropped: totals.dropped,
      latenessP99: 3.2,
      lateness: null,
    },
    feeds: [],
    generator: {
      limited: false,
      eventLoopLagP99: 2.4,
      cpu: 1.31,
      gcShare: 0.011,
      warnings: ['agent-2: 1 s in which it did not keep up'],
      tainted: [{ agent: 'agent-2', fromSecond: 97, toSecond: 98, reasons: ['event-loop-lag'] }],
    },
    warmUp: { seconds: 10, hits: 1_100, executions: 366 },
    thresholds: [
      { expression: 'http_req_duration: p(95)<200', value: 86, ok: true, abortOnFail: false },
      { expression: 'http_req_failed: rate<0.01', value: 0.0134, ok: false, abortOnFail: false },
    ],
  }
}
