import assert from 'node:assert/strict'
import { Aggregate } from '../src/aggregate.ts'
import { Catalogue } from '../src/catalogue.ts'
import { Recorder } from '../src/recorder.ts'
import { hitKinds, type HitKind } from '../src/series.ts'
import { summarize } from '../src/summarize.ts'
import type { RunFacts, Summary } from '../src/summary.ts'
import { WindowCutter } from '../src/window-cutter.ts'

const facts: RunFacts = {
  runId: 'r1',
  seed: 42,
  startedAt: Date.UTC(2026, 10, 21, 12, 0, 0),
  endedAt: Date.UTC(2026, 10, 21, 12, 0, 10),
  verdict: 'passed',
  exitCode: 0,
  reasons: [],
  agents: [
    {
      id: 'a1',
      host: 'h',
      state: 'done',
      hits: 4,
      windows: 11,
      windowsLost: 0,
      ledger: { planned: 2, started: 2, finished: 2, reported: 2, lost: 0, dropped: 0 },
    },
  ],
  coverage: { windowsOwed: 11, windowsReceived: 11, ratio: 1, missing: [] },
  lostExecutions: 3,
  plannedExecutions: 2,
  droppedExecutions: 0,
  generator: { limited: false, eventLoopLagP99: 0.4, cpu: 0.3, gcShare: 0.01, warnings: [], tainted: [] },
  thresholds: [],
  warmUp: null,
  loadSeconds: 8,
  overflowed: false,
}

const everything: Partial<RunFacts> = {
  generator: {
    ...facts.generator,
    tainted: [{ agent: 'a1', fromSecond: 3, toSecond: 4, reasons: ['gc'] }],
  },
  thresholds: [{ expression: 'p(95)<200', value: 120, ok: true, abortOnFail: false }],
  feeds: [{ name: 'users.csv', rows: 9, used: 4, returned: 1, leftOver: 5, perhapsTwice: 0 }],
  warmUp: { seconds: 2, aggregate: new Aggregate() },
}

/** What `record` records, as totals. */
function totalsOf(record: (recorder: Recorder) => void): Aggregate {
  const cutter = new WindowCutter()
  record(new Recorder({ maxSeries: 100, define: (definition) => cutter.add(definition) }))
  const aggregate = new Aggregate()
  aggregate.apply(cutter.cut())
  return aggregate
}

function summaryOf(
  record: (recorder: Recorder) => void,
  other: Partial<RunFacts> = {},
  maxSeries = 100,
): Summary {
  const cutter = new WindowCutter()
  const now = () => Date.UTC(2026, 10, 21, 12, 0, 5)
  record(new Recorder({ maxSeries, define: (definition) => cutter.add(definition), now }))
  const catalogue = new Catalogue(maxSeries)
  const aggregate = new Aggregate()
  aggregate.apply(catalogue.admit(cutter.cut()))
  return summarize(aggregate, { ...facts, overflowed: catalogue.overflowed, ...other })
}

/** The names of all fields, in order, lists by their first row. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return null
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeOf(each)]))
}

const stats = Object.fromEntries(
  ['count', 'sum', 'min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'p9999', 'max', 'trustedTo'].map(
    (name) => [name, null],
  ),
)
const fieldsOf = (...names: string[]) => Object.fromEntries(names.map((name) => [name, null]))

describe('summarize', () => {
  it('has every field of the contract', () => {
    const summary = summaryOf((recorder) => {
      const tags = { region: 'eu', scenario: 'buyers' }
      recorder.hit('http', 'T.a', 'GET /', 'GET', '200', false, 1000, 100, 10, tags)
      recorder.hitResponse('T.a', 'GET /', 'GET', '200', 1400, tags)
      recorder.internal('execution.started', 'T.a', 1, tags)
      recorder.execution('T.a', 'success', 1500, tags)
      recorder.response('T.a', 'success', 1900, tags)
      recorder.lateness('T.a', 400, tags)
      recorder.check('T.a', 'has a title', true, tags)
      recorder.step('T.a', 'log in', 1400, tags)
      recorder.phase('T.a', 'GET /', 'GET', 'wait', 800, tags)
      recorder.error('T.a', 'TypeError', 'x is undefined', () => 'stack')
      recorder.count('sold', 3)
      recorder.gauge('depth', 7)
      recorder.timing('render', 2000)
    }, everything)
    assert.deepEqual(shapeOf(JSON.parse(JSON.stringify(summary))), {
      ...fieldsOf('schema', 'runId', 'seed', 'verdict', 'exitCode'),
      reasons: [],
      ...fieldsOf('started', 'durationSeconds'),
      tests: fieldsOf('started', 'finished', 'successes', 'failures', 'errors', 'interrupted', 'lost'),
      hits: fieldsOf('count', 'failed', 'interrupted', 'perSecond', 'bytesIn', 'bytesOut'),
      serviceTime: stats,
      responseTime: stats,
      executions: [
        {
          ...fieldsOf('test', 'started', 'successes', 'failures', 'errors', 'interrupted'),
          duration: stats,
          responseTime: stats,
        },
      ],
      scenarios: [
        {
          ...fieldsOf('name', 'started', 'successes', 'failures', 'errors', 'interrupted'),
          duration: stats,
          responseTime: stats,
        },
      ],
      series: [
        {
          ...fieldsOf('kind', 'test', 'name', 'method', 'status'),
          tags: fieldsOf('region', 'scenario'),
          ...fieldsOf('count', 'failed', 'partial'),
          serviceTime: stats,
          responseTime: stats,
        },
      ],
      checks: [{ ...fieldsOf('name', 'test', 'ok', 'failed'), tags: fieldsOf('region', 'scenario') }],
      steps: [{ ...fieldsOf('name', 'test'), tags: fieldsOf('region', 'scenario'), duration: stats }],
      phases: [{ ...fieldsOf('name', 'method', 'phase'), time: stats }],
      connections: fieldsOf('opened', 'closed', 'tlsHandshakes', 'tlsResumed'),
      websockets: fieldsOf(
        'opened',
        'closed',
        'messagesSent',
        'messagesReceived',
        'bytesSent',
        'bytesReceived',
      ),
      counters: fieldsOf('sold'),
      gauges: fieldsOf('depth'),
      timings: { render: stats },
      errorGroups: [fieldsOf('type', 'message', 'count', 'firstSeen', 'lastSeen', 'sample')],
      agents: [
        {
          ...fieldsOf('id', 'host', 'state', 'hits', 'windows', 'windowsLost'),
          ledger: fieldsOf('planned', 'started', 'finished', 'reported', 'lost', 'dropped'),
        },
      ],
      coverage: { ...fieldsOf('windowsOwed', 'windowsReceived', 'ratio'), missing: [] },
      schedule: { ...fieldsOf('planned', 'started', 'dropped', 'latenessP99'), lateness: stats },
      feeds: [fieldsOf('name', 'rows', 'used', 'returned', 'leftOver', 'perhapsTwice')],
      generator: {
        ...fieldsOf('limited', 'eventLoopLagP99', 'cpu', 'gcShare'),
        warnings: [],
        tainted: [{ ...fieldsOf('agent', 'fromSecond', 'toSecond'), reasons: [null] }],
      },
      warmUp: fieldsOf('seconds', 'hits', 'executions'),
      thresholds: [fieldsOf('expression', 'value', 'ok', 'abortOnFail')],
    })
  })

  it('says what was recorded', () => {
    const summary = summaryOf((recorder) => {
      for (let index = 0; index < 3; index++) {
        recorder.hit('http', 'T.a', 'GET /', 'GET', '200', false, 2000, 100, 10, null)
      }
      recorder.hit('http', 'T.a', 'GET /', 'GET', 'refused', true, 500, 0, 0, null)
      recorder.hit('http', 'T.a', 'GET /', 'GET', 'interrupted', false, 500, 0, 0, null)
      recorder.hit('websocket', 'T.a', '/ws', 'GET', '101', false, 500, 0, 0, null)
      for (let index = 0; index < 6; index++) recorder.internal('execution.started', 'T.a', 1)
      recorder.execution('T.a', 'success', 1500, null)
      recorder.execution('T.a', 'failure', 2500, null)
      recorder.execution('T.a', 'interrupted', 500, null)
      recorder.count('sold', 3)
      recorder.gauge('depth', -7)
      recorder.timing('render', 2000)
    })
    assert.equal(summary.started, '2026-11-21T12:00:00.000Z')
    assert.equal(summary.durationSeconds, 8)
    assert.deepEqual(summary.tests, {
      started: 6,
      finished: 2,
      successes: 1,
      failures: 1,
      errors: 0,
      interrupted: 1,
      lost: 3,
    })
    assert.deepEqual(summary.hits, {
      count: 6,
      failed: 1,
      interrupted: 1,
      perSecond: 0.75,
      bytesIn: 300,
      bytesOut: 30,
    })
    assert.deepEqual(
      summary.series.map(({ kind, status, count, failed, partial }) => [
        kind,
        status,
        count,
        failed,
        partial,
      ]),
      [
        ['http', '200', 3, 0, false],
        ['http', 'interrupted', 1, 0, false],
        ['http', 'refused', 1, 1, false],
        ['websocket', '101', 1, 0, false],
      ],
    )
    assert.equal(summary.serviceTime.sum, 7.5)
    assert.deepEqual([summary.counters, summary.gauges], [{ sold: 3 }, { depth: -7 }])
    assert.equal(summary.timings['render']!.max, 2)
    assert.equal(summary.executions[0]!.duration.mean, 2)
    assert.deepEqual(summary.schedule, {
      planned: 2,
      started: 6,
      dropped: 0,
      latenessP99: null,
      lateness: null,
    })
  })

  it('says nothing of response times, lateness and scenarios where there are none', () => {
    const summary = summaryOf((recorder) => {
      recorder.hit('http', 'T.a', '/', 'GET', '200', false, 2000, 100, 10, null)
      recorder.execution('T.a', 'success', 1500, null)
    })
    assert.deepEqual(
      [
        summary.responseTime,
        summary.executions[0]!.responseTime,
        summary.series[0]!.responseTime,
        summary.schedule.lateness,
        summary.scenarios,
        summary.warmUp,
      ],
      [null, null, null, null, [], null],
    )
  })

  it('counts hits of every kind', () => {
    const summary = summaryOf((recorder) => {
      for (const kind of hitKinds) {
        recorder.hit(kind as HitKind, 'T.a', '/', '', 'ok', kind === 'grpc', 1000, 2, 1, null)
      }
    })
    const { count, failed, bytesIn } = summary.hits
    assert.deepEqual([count, failed, bytesIn], [hitKinds.size, 1, 2 * hitKinds.size])
    assert.deepEqual(summary.series.map(({ kind }) => kind).toSorted(), [...hitKinds].toSorted())
  })

  it('gives a series the response times of its own hits only', () => {
    const summary = summaryOf((recorder) => {
      for (const name of ['/first', '/second']) {
        recorder.hit('http', 'T.a', name, 'GET', '200', false, 1000, 1, 1, null)
      }
      recorder.hitResponse('T.a', '/first', 'GET', '200', 5000, null)
    })
    assert.deepEqual(
      summary.series.map(({ name, responseTime }) => [name, responseTime?.max ?? null]),
      [
        ['/first', 5],
        ['/second', null],
      ],
    )
    assert.deepEqual([summary.responseTime?.count, summary.responseTime?.max], [1, 5])
    assert.equal(summary.hits.count, 2)
  })

  it('merges the rows of one test and keeps scenarios apart', () => {
    const summary = summaryOf((recorder) => {
      for (const scenario of ['buyers', 'lookers']) {
        const tags = { scenario }
        recorder.internal('execution.started', 'T.a', 2, tags)
        recorder.execution('T.a', 'success', 1000, tags)
        if (scenario === 'buyers') recorder.execution('T.a', 'failure', 3000, tags)
      }
      recorder.internal('execution.started', 'T.b', 1)
      recorder.execution('T.b', 'success', 1000, null)
    })
    assert.deepEqual(
      summary.executions.map(({ test, started, successes, failures }) => [
        test,
        started,
        successes,
        failures,
      ]),
      [
        ['T.a', 4, 2, 1],
        ['T.b', 1, 1, 0],
      ],
    )
    assert.deepEqual(
      summary.scenarios.map(({ name, started, successes, failures, duration }) => [
        name,
        started,
        successes,
        failures,
        duration.max,
      ]),
      [
        ['buyers', 2, 1, 1, 3],
        ['lookers', 2, 1, 0, 1],
      ],
    )
  })

  it('counts checks, steps, phases and connections', () => {
    const summary = summaryOf((recorder) => {
      for (let index = 0; index < 3; index++) recorder.check('T.a', 'has a title', index > 0, null)
      recorder.check('T.a', 'is fast', true, null)
      recorder.step('T.a', 'log in', 2000, null)
      recorder.step('T.a', 'log in', 4000, null)
      for (const test of ['T.a', 'T.b']) {
        recorder.phase(test, 'GET /', 'GET', 'wait', 3000, null)
        recorder.phase(test, 'GET /', 'GET', 'dns', 1000, null)
        recorder.internal('connection.opened', test, 2)
        recorder.internal('connection.tls', test, 2)
        recorder.internal('connection.tls-resumed', test, 1)
        recorder.internal('connection.closed', test, 1)
      }
    })
    assert.deepEqual(summary.checks, [
      { name: 'has a title', test: 'T.a', ok: 2, failed: 1, tags: {} },
      { name: 'is fast', test: 'T.a', ok: 1, failed: 0, tags: {} },
    ])
    assert.deepEqual(
      summary.steps.map(({ name, duration }) => [name, duration.count, duration.mean]),
      [['log in', 2, 3]],
    )
    assert.deepEqual(
      summary.phases.map(({ phase, time }) => [phase, time.count, time.sum]),
      [
        ['dns', 2, 2],
        ['wait', 2, 6],
      ],
    )
    assert.deepEqual(summary.connections, { opened: 4, closed: 2, tlsHandshakes: 6, tlsResumed: 2 })
    assert.deepEqual([summary.hits.count, summary.serviceTime.count], [0, 0])
  })

  it('leaves the warm-up out, and its books balance', () => {
    const aggregate = totalsOf((recorder) => {
      for (let index = 0; index < 2; index++) recorder.internal('execution.started', 'T.a', 1)
      for (let index = 0; index < 5; index++) recorder.execution('T.a', 'success', 1000, null)
      recorder.hit('http', 'T.a', '/', 'GET', '200', false, 2000, 1, 1, null)
    })
    const warmUp = totalsOf((recorder) => {
      for (let index = 0; index < 7; index++) recorder.internal('execution.started', 'T.a', 1)
      for (let index = 0; index < 3; index++) recorder.execution('T.a', 'error', 1000, null)
      recorder.execution('T.a', 'interrupted', 1000, null)
      for (let index = 0; index < 9; index++) {
        recorder.hit('http', 'T.a', '/', 'GET', '500', true, 9000, 1, 1, null)
      }
    })
    const warm = { seconds: 3, aggregate: warmUp }
    const summary = summarize(aggregate, { ...facts, lostExecutions: 0, warmUp: warm })
    const { tests } = summary
    assert.deepEqual([tests.started, tests.finished, tests.errors, tests.interrupted], [5, 5, 0, 0])
    assert.equal(summary.executions[0]!.started, 5)
    assert.deepEqual([summary.hits.count, summary.hits.perSecond, summary.serviceTime.max], [1, 0.2, 2])
    assert.deepEqual(summary.warmUp, { seconds: 3, hits: 9, executions: 3 })
    assert.equal(summary.schedule.started, 9)
  })

  it('of a run without load has zeros and nulls, never NaN or a missing field', () => {
    const summary = summaryOf(() => {}, { startedAt: null, loadSeconds: 0, plannedExecutions: null })
    assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary)
    assert.deepEqual([summary.started, summary.hits.perSecond, summary.schedule.planned], [null, 0, null])
    assert.deepEqual([summary.serviceTime.count, summary.serviceTime.p95], [0, null])
  })

  it('groups errors with times as text', () => {
    const summary = summaryOf((recorder) => {
      for (let user = 0; user < 9; user++)
        recorder.error('T.a', 'TypeError', `no user ${user}`, () => 'stack')
    })
    const at = '2026-11-21T12:00:05.000Z'
    assert.deepEqual(summary.errorGroups, [
      { type: 'TypeError', message: 'no user 0', count: 9, firstSeen: at, lastSeen: at, sample: 'stack' },
    ])
  })

  it('marks every name of a run that overflowed as partial, and keeps the sums', () => {
    const summary = summaryOf(
      (recorder) => {
        for (let user = 0; user < 40; user++) {
          recorder.hit('http', 'T.a', `/user/${user}`, 'GET', '200', false, 100, 1, 1, null)
        }
        recorder.gauge('g1', 5)
      },
      {},
      3,
    )
    assert.equal(summary.hits.count, 40)
    assert.equal(
      summary.series.reduce((sum, { count }) => sum + count, 0),
      40,
    )
    assert.deepEqual(
      summary.series.map(({ name, count, partial }) => [name, count, partial]),
      [
        ['(other)', 37, true],
        ['/user/0', 1, true],
        ['/user/1', 1, true],
        ['/user/2', 1, true],
      ],
    )
    assert.deepEqual(summary.gauges, { '(other)': null })
  })

  it('keeps names that objects treat specially', () => {
    const summary = summaryOf((recorder) => {
      recorder.count('__proto__', 3)
      recorder.count('constructor', 4)
    })
    const text = JSON.stringify(summary.counters)
    assert.deepEqual(text, '{"__proto__":3,"constructor":4}')
  })
})
