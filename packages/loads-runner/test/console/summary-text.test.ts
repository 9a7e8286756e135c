import assert from 'node:assert/strict'
import { quantileText } from '../../src/console/quantile-text.ts'
import { classicText, summaryText } from '../../src/console/summary-text.ts'
import { agentRow, stats, summary } from '../fixtures.ts'

describe('summaryText', () => {
  it('begins with the lines that Loads has always printed', () => {
    assert.equal(
      classicText(summary()),
      [
        '',
        'Hits: 1',
        'Duration: 0.03 seconds',
        'Approximate Average RPS: 39',
        'Average request time: 0.01s',
        '',
        'Success: 1',
        'Errors: 0',
        'Failures: 0',
        '',
      ].join('\n'),
    )
    assert.ok(summaryText(summary()).startsWith(classicText(summary())))
  })

  it('shows small figures as more than nothing', () => {
    const slow = summary({
      hits: { ...summary().hits, perSecond: 0.254 },
      serviceTime: stats({ count: 1, mean: 0.42 }),
    })
    assert.match(classicText(slow), /RPS: 0\.25\n/)
    assert.match(classicText(slow), /request time: 0\.0004s\n/)
  })

  it('says all that there is, and nothing of what there is not', () => {
    assert.equal(
      summaryText(summary(), '/results/1').replace(classicText(summary()), ''),
      `
Request times:
   min    p50    p90    p95    p99  p99.9  p99.99   max
  10ms  ~10ms  ~10ms  ~10ms  ~10ms  ~10ms   ~10ms  10ms

Executions:
  test                 success  error  failure  cut    p50    p95   max
  TestWebSite.test_es        1      0        0    0  ~10ms  ~10ms  10ms

Slowest requests:
  name                        status  hits  failed    p50    p95    p99   max
  GET http://localhost:9200/  200        1       0  ~10ms  ~10ms  ~10ms  10ms

Status: 2xx 1; 120 B in, 80 B out
Connections: 1 opened, 0 closed

Verdict: passed (seed 7, run r1)
Results: /results/1
Report: /results/1/report.html
`,
    )
  })

  it('survives a run that made no load', () => {
    const nothing = summary({
      verdict: 'infrastructure',
      exitCode: 4,
      reasons: ['asked for 5 agents, 3 are registered'],
      started: null,
      durationSeconds: 0,
      serviceTime: stats(),
      executions: [],
      series: [],
      agents: [],
      hits: { count: 0, failed: 0, interrupted: 0, perSecond: 0, bytesIn: 0, bytesOut: 0 },
    })
    const text = summaryText(nothing)
    assert.match(
      text,
      /Hits: 0\nDuration: 0\.00 seconds\nApproximate Average RPS: 0\nAverage request time: 0\.00s\n/,
    )
    assert.match(text, /Verdict: infrastructure .*\n  asked for 5 agents, 3 are registered\n$/)
  })

  it('groups errors with a sample, and keeps control characters out', () => {
    const group = {
      type: 'Error',
      message: 'boom\u001b[2J',
      count: 1200,
      firstSeen: '',
      lastSeen: '',
      sample: 'line 1\nline 2\n',
    }
    const text = summaryText(summary({ errorGroups: [group, ...Array(9).fill(group)] }))
    assert.match(text, /Errors by kind:\n  1,200 x Error: boom \[2J\n      line 1\n      line 2\n/)
    assert.match(text, /and 5 more kinds in summary\.json\n/)
    assert.ok(!text.includes('\u001b'))
  })

  it('does not say the message of an error twice', () => {
    const group = {
      type: 'AssertionError',
      message: 'not equal:\n\n1 !== 2\n',
      count: 3,
      firstSeen: '',
      lastSeen: '',
      sample: 'AssertionError [ERR_ASSERTION]: not equal:\n\n1 !== 2\n\n    at test_a (example.ts:3:4)',
    }
    const text = summaryText(summary({ errorGroups: [group] }))
    assert.match(text, /\n  3 x AssertionError: not equal: 1 !== 2\n      at test_a \(example\.ts:3:4\)\n\n/)
  })

  it('keeps the lines of a reason apart', () => {
    const reasons = ['setUpRun failed: TestX: Error: no\n    at Function.setUpRun (x.ts:1:2)', 'and so on']
    assert.match(
      summaryText(summary({ reasons })),
      /\n  setUpRun failed: TestX: Error: no\n      at Function\.setUpRun \(x\.ts:1:2\)\n  and so on\n/,
    )
  })

  it('names lost agents, missing windows and warnings', () => {
    const lost = agentRow('a2', 'there', 'lost')
    const text = summaryText(
      summary({
        agents: [agentRow('a1', 'here'), { ...lost, windowsLost: 3, ledger: { ...lost.ledger, lost: 2 } }],
        coverage: {
          windowsOwed: 20,
          windowsReceived: 17,
          ratio: 0.85,
          missing: [{ agent: 'a2', fromSecond: 4, toSecond: 7, hitsAtMost: 1500 }],
        },
        generator: { ...summary().generator, warnings: ['the event loop was late'] },
      }),
    )
    assert.match(text, /a2     there  lost      1        1        1         1     2             3\n/)
    assert.match(
      text,
      /Coverage: 85\.00% \(17 of 20 windows\); missing: a2 from second 4 to 7 \(1,500 hits at most\)\n/,
    )
    assert.match(text, /warning: the event loop was late\n/)
  })

  it('counts status classes and error classes', () => {
    const [row] = summary().series
    const series = ['200', '204', '404', 'refused', '101'].map((status, index) => ({
      ...row!,
      status,
      count: index + 1,
    }))
    const text = summaryText(summary({ series, hits: { ...summary().hits, failed: 7 } }))
    assert.match(text, /Status: 1xx 5, 2xx 3, 4xx 3, refused 4; 7 failed; 120 B in, 80 B out\n/)
  })

  it("shows the user's own figures and sockets", () => {
    const text = summaryText(
      summary({
        counters: { 'items sold': 12_345, ratio: 0.5 },
        gauges: { depth: 3, '(other)': null },
        timings: { parse: stats({ count: 2, p50: 1, p95: 2, max: 2, trustedTo: 0 }) },
        websockets: {
          opened: 2,
          closed: 2,
          messagesSent: 1,
          messagesReceived: 4,
          bytesSent: 10,
          bytesReceived: 2048,
        },
      }),
    )
    assert.match(text, /Counters:\n  name         value\n  items sold  12,345\n  ratio          0\.5\n/)
    assert.match(text, /Gauges:\n  name     value\n  depth        3\n  \(other\)      -\n/)
    assert.match(
      text,
      /Timings:\n  name   count     p50     p95    max\n  parse      2  ~1\.0ms  ~2\.0ms  2\.0ms\n/,
    )
    assert.match(
      text,
      /WebSockets: 2 opened, 2 closed; sent 1 message \(10 B\), received 4 messages \(2\.0 kB\)\n/,
    )
  })
})

describe('summaryText of an open model with everything in it', () => {
  const times = (p50: number, samples = 10_000) =>
    stats({
      count: samples,
      min: 1,
      mean: p50,
      p50,
      p90: p50 * 2,
      p95: p50 * 3,
      p99: p50 * 4,
      p999: p50 * 5,
      p9999: p50 * 6,
      max: p50 * 7,
      trustedTo: samples >= 10_000 ? 0.999 : 0,
    })
  const [execution] = summary().executions
  const [row] = summary().series
  const full = summary({
    serviceTime: times(10),
    responseTime: times(40),
    executions: [{ ...execution!, duration: times(20), responseTime: times(50) }],
    scenarios: [
      { ...execution!, name: 'browsers', duration: times(20), responseTime: null },
      { ...execution!, name: 'buyers', duration: times(20), responseTime: times(50) },
    ],
    series: [
      { ...row!, serviceTime: times(10), responseTime: times(40) },
      { ...row!, kind: 'grpc', name: 'shop.Cart/Add', method: '', status: 'OK', serviceTime: times(5) },
    ],
    checks: [
      { name: 'has a title', test: 'T.a', ok: 100, failed: 0, tags: {} },
      { name: 'is quick\u001b[2J', test: 'T.a', ok: 99_999, failed: 1, tags: { tier: 'gold' } },
    ],
    steps: [{ name: 'login / form', test: 'T.a', tags: {}, duration: times(30) }],
    phases: [
      { name: '/', method: 'GET', phase: 'wait', time: times(3) },
      { name: '/', method: 'GET', phase: 'connect', time: times(1, 10) },
    ],
    connections: { opened: 1200, closed: 1200, tlsHandshakes: 1200, tlsResumed: 1100 },
    schedule: { planned: 2000, started: 1990, dropped: 10, latenessP99: 8, lateness: times(2) },
    feeds: [{ name: 'users.csv', rows: 1000, used: 990, returned: 5, leftOver: 10, perhapsTwice: 1 }],
    generator: {
      ...summary().generator,
      tainted: [
        { agent: 'a1', fromSecond: 3, toSecond: 5, reasons: ['event-loop-lag', 'cpu'] },
        { agent: 'a2', fromSecond: 7, toSecond: 8, reasons: ['ports'] },
      ],
    },
    warmUp: { seconds: 10, hits: 1200, executions: 1190 },
    thresholds: [
      { expression: 'http_req_duration: p(95)<200', value: 153.4, ok: true, abortOnFail: false },
      { expression: 'errors: rate<0.01', value: 0.05, ok: false, abortOnFail: true },
      { expression: 'no_such: count>0', value: null, ok: false, abortOnFail: false },
    ],
  })

  it('shows it in the order in which it is read', () => {
    assert.equal(
      summaryText(full).replace(classicText(full), ''),
      `
Request times:
              min   p50   p90    p95    p99  p99.9  p99.99    max
  service   1.0ms  10ms  20ms   30ms   40ms   50ms   ~60ms   70ms
  response  1.0ms  40ms  80ms  120ms  160ms  200ms  ~240ms  280ms
  (response: from the moment at which the schedule meant to start)

Schedule: 2,000 planned, 1,990 started, 10 dropped; lateness p50 2.0ms, p99 8.0ms, max 14ms
Warm-up: the first 10 s are in no figure (1,200 hits, 1,190 executions)

Scenarios:
  scenario  success  error  failure  cut   p50   p95    max  response p95
  browsers        1      0        0    0  20ms  60ms  140ms             -
  buyers          1      0        0    0  20ms  60ms  140ms         150ms

Executions:
  test                 success  error  failure  cut   p50   p95    max  response p95
  TestWebSite.test_es        1      0        0    0  20ms  60ms  140ms         150ms

Slowest requests:
  kind  name                        status  hits  failed    p50   p95   p99   max  response p95
  http  GET http://localhost:9200/  200        1       0   10ms  30ms  40ms  70ms         120ms
  grpc  shop.Cart/Add               OK         1       0  5.0ms  15ms  20ms  35ms             -

Parts of the time of requests (p95):
  name   blocked  dns  connect  tls  send   wait  receive
  GET /        -    -   ~3.0ms    -     -  9.0ms        -

Steps:
  name          test   count   p50   p95    p99    max
  login / form  T.a   10,000  30ms  90ms  120ms  210ms

Checks:
     name                    test      ok  failed
  ✗  is quick [2J tier=gold  T.a   99.99%       1
  ✓  has a title             T.a     100%       0

Status: 2xx 1, OK 1; 120 B in, 80 B out
Connections: 1,200 opened, 1,200 closed; 1,200 TLS handshakes, 1,100 of them resumed

Unique rows:
  feed        rows  used  left over  given back  perhaps twice
  users.csv  1,000   990         10           5              1

Doubtful: a1 from second 3 to 5 (event loop late, no CPU left), a2 from second 7 to 8 (no ports left)

Thresholds:
  ✗ errors: rate<0.01  5%
  ✗ no_such: count>0  no data
  ✓ http_req_duration: p(95)<200  153ms

Verdict: passed (seed 7, run r1)
`,
    )
  })

  it('stays short and narrow with a thousand series, checks and thresholds', () => {
    const many = <T>(one: T) => Array.from({ length: 1000 }, () => one)
    const text = summaryText(
      summary({
        series: many(full.series[0]!),
        checks: many(full.checks[1]!),
        steps: many(full.steps[0]!),
        scenarios: many(full.scenarios[1]!),
        phases: full.phases,
      }),
    )
    assert.ok(text.split('\n').length < 100, `${text.split('\n').length} lines`)
    assert.match(text, /  and 990 more in summary\.json\n/)
    assert.ok(text.split('\n').every((line) => line.length <= 120))
    assert.ok(!text.includes('\u001b'))
  })

  it('says 100% of checks only where all have held', () => {
    const almost = { name: 'a', test: 't', ok: 999_999, failed: 1, tags: {} }
    assert.match(summaryText(summary({ checks: [almost] })), /✗  a     t     99\.99%       1\n/)
    assert.match(
      summaryText(summary({ checks: [{ ...almost, failed: 0 }] })),
      /✓  a     t     100%       0\n/,
    )
  })
})

describe('quantileText', () => {
  it('marks what too few samples lie beyond', () => {
    const known = stats({ count: 1000, p50: 5, p99: 20, p999: 30, trustedTo: 0.99 })
    assert.equal(quantileText(known, 'p50'), '5.0ms')
    assert.equal(quantileText(known, 'p99'), '20ms')
    assert.equal(quantileText(known, 'p999'), '~30ms')
    assert.equal(quantileText(known, 'p9999'), '-')
  })
})
