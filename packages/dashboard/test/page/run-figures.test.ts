import assert from 'node:assert/strict'
import type { Stats } from '@loads-runner/metrics'
import { quantileText, trustText } from '../../page/view/quantiles.ts'
import { settingsOf } from '../../page/report/settings.ts'
import { connectionFacts } from '../../page/report/summary-panels.ts'
import { allParts, partsOf } from '../../page/view/section.ts'
import { checkLines, isRequest, lineCounts, requestLines } from '../../page/view/series-lines.ts'
import { sparkPath } from '../../page/view/sparkline.ts'
import { agentStanding, runStanding } from '../../page/view/standing.ts'
import { orderedThresholds, statePieces } from '../../page/view/thresholds-section.ts'
import { tilesOf } from '../../page/view/tiles.ts'
import type { SeriesRow } from '../../src/model.ts'
import { sampleModel } from '../support/sample-model.ts'

function stats(p95: number, trustedTo: number): Stats {
  return {
    count: 100,
    sum: 100,
    min: 1,
    mean: 1,
    p50: p95 / 2,
    p90: p95,
    p95,
    p99: p95 * 2,
    p999: null,
    p9999: null,
    max: p95 * 3,
    trustedTo,
  }
}

function row(id: string, status: string, changes: Partial<SeriesRow> = {}): SeriesRow {
  return {
    id,
    kind: 'http',
    test: 'Shop.test_buy',
    name: '/cart',
    method: 'GET',
    status,
    tags: {},
    count: 10,
    failed: 0,
    value: null,
    perSecond: 1,
    time: stats(20, 0.95),
    spark: { spanMs: 1_000, count: [1, 2], p95: [3, null] },
    ...changes,
  }
}

describe('quantiles', () => {
  it('are marked where too few samples lie beyond them', () => {
    assert.equal(quantileText(stats(20, 0.95), 'p95'), '20.0 ms')
    assert.equal(quantileText(stats(20, 0.95), 'p99'), '~40.0 ms')
    assert.equal(quantileText(null, 'p50'), '–')
    assert.equal(trustText(stats(20, 0.999)), 'trusted to p99.9')
    assert.equal(trustText({ ...stats(20, 0), count: 0 }), 'no samples')
  })
})

describe('table of requests', () => {
  it('has one line per name and in it one per status, which add up', () => {
    const rows = [
      row('1', '200', { count: 90, merged: stats(42, 0.9) }),
      row('2', '503', { count: 10, failed: 10, time: stats(500, 0.5), tags: { tenant: 'a' } }),
      row('3', '200', { name: '/', count: 5 }),
    ]
    const [cart, home] = requestLines(rows)
    assert.equal(cart!.name, 'GET /cart')
    assert.deepEqual([cart!.count, cart!.failed, cart!.status], [100, 10, '200, 503'])
    assert.deepEqual(
      cart!.children.map(({ status, count }) => [status, count]),
      [
        ['200', 90],
        ['503 tenant=a', 10],
      ],
    )
    // Of all statuses together, as the server has merged them: never made of the quantiles of each.
    assert.deepEqual(cart!.time, stats(42, 0.9))
    assert.deepEqual(
      cart!.children.map(({ time }) => time!.p95),
      [20, 500],
    )
    assert.deepEqual(home!.time, stats(20, 0.95))
    assert.deepEqual(home!.children, [])
  })

  it('adds lines of different lengths from their ends', () => {
    const short = row('2', '503', { spark: { spanMs: 1_000, count: [5], p95: [null] } })
    assert.deepEqual(lineCounts(requestLines([row('1', '200'), short])[0]!), [1, 7])
  })

  it('holds every hit of a model once', () => {
    const { series } = sampleModel({ series: 300, hostile: true })
    const requests = series.filter(isRequest)
    const lines = requestLines(requests)
    const sum = (list: readonly { count: number }[]) => list.reduce((all, { count }) => all + count, 0)
    assert.equal(sum(lines), sum(requests))
    assert.equal(new Set(lines.map(({ key }) => key)).size, lines.length)
  })

  it('checks have both outcomes in one line', () => {
    const check = { kind: 'check', method: '', name: 'has price', time: null }
    const lines = checkLines([
      row('1', 'ok', { ...check, count: 7 }),
      row('2', 'failed', { ...check, count: 3, failed: 3 }),
      row('3', '200'),
    ])
    assert.deepEqual(
      lines.map(({ name, ok, failed }) => [name, ok, failed]),
      [['has price', 7, 3]],
    )
  })

  it('small lines have gaps where nothing was measured', () => {
    assert.equal(sparkPath([0, 10, null, 10], 10).match(/M/g)?.length, 2)
    assert.equal(sparkPath([null, 5, null], 5).match(/h1/g)?.length, 1)
    assert.equal(sparkPath([], 10), '')
    assert.equal(sparkPath([0, 0], 0), '')
  })
})

describe('tiles', () => {
  const tile = (model: Parameters<typeof tilesOf>[0], key: string) =>
    tilesOf(model).find((each) => each.key === key)

  it('show the totals of the model', () => {
    const model = sampleModel({ seconds: 120 })
    assert.equal(tile(model, 'hits')!.value, Math.round(model.totals.hits).toLocaleString('en-US'))
    assert.equal(tile(model, 'dropped')!.value, model.totals.dropped.toLocaleString('en-US'))
    assert.equal(tile(model, 'failed')!.tone, 'bad')
  })

  it('say nothing of a schedule where there is none, and nothing of what was not measured', () => {
    const model = sampleModel({ seconds: 0, agents: 1 })
    model.head.startedAt = null
    model.totals.planned = null
    model.points.hitsPerSecond = []
    assert.equal(tile(model, 'dropped'), undefined)
    assert.equal(tile(model, 'started'), undefined)
    assert.equal(tile(model, 'rate')!.value, '–')
    assert.equal(tile(model, 'coverage')!.value, '–')
    assert.equal(tile(model, 'generator')!.value, '–')
  })

  it('judge the generator by its latest seconds, and by the summary once there is one', () => {
    const model = sampleModel({ seconds: 60, ended: true })
    model.points.eventLoopLagMs.fill(50)
    const summary = model.summary!
    summary.generator = { ...summary.generator, tainted: [], warnings: [], limited: false }
    assert.match(tile(model, 'generator')!.value, /keeps up/)
    summary.generator.limited = true
    assert.match(tile(model, 'generator')!.value, /the limit/)
    assert.match(tile({ ...model, summary: null }, 'generator')!.value, /late/)
    model.points.eventLoopLagMs.fill(1, -10)
    assert.match(tile({ ...model, summary: null }, 'generator')!.value, /keeps up/)
  })

  it('show the rate of the latest seconds, weighted by the length of points', () => {
    const model = sampleModel({ seconds: 10 })
    model.points.hitsPerSecond = [0, 0, 0, 0, 0, 10, 20, 30, 40, 50]
    assert.equal(tile(model, 'rate')!.value, '30/s')
  })
})

describe('thresholds on the page', () => {
  it('have pieces of one state, which cover the time since the first was said', () => {
    const pieces = statePieces(
      [
        [0, null, null],
        [10, 1, true],
        [20, 1, true],
        [30, 9, false],
      ],
      40,
    )
    assert.deepEqual(pieces, [
      { from: 0, to: 0.25, ok: null },
      { from: 0.25, to: 0.75, ok: true },
      { from: 0.75, to: 1, ok: false },
    ])
    assert.deepEqual(statePieces([], 40), [])
  })

  it('stand with the crossed ones first', () => {
    const { thresholds } = sampleModel()
    assert.deepEqual(
      orderedThresholds(thresholds).map(({ ok }) => ok),
      [false, null, true],
    )
  })
})

describe('states', () => {
  it('are a word and a symbol, also such as are not known here', () => {
    assert.deepEqual(runStanding('done', 'passed'), { word: 'passed', symbol: '✓', tone: 'good' })
    assert.equal(runStanding('running', null).tone, 'busy')
    assert.equal(runStanding('__proto__', null).word, '__proto__')
    assert.equal(agentStanding('constructor').word, 'constructor')
  })

  it('every update changes a part that is drawn', () => {
    assert.deepEqual(partsOf({ allPoints: sampleModel().points, columns: [] }), ['points', 'heatmap'])
    for (const part of Object.keys(sampleModel())) assert.ok(allParts.has(part as never), part)
  })
})

describe('settings of the report', () => {
  it('hold what is needed to run it again', () => {
    const settings = new Map(settingsOf(sampleModel({ ended: true })))
    assert.equal(settings.get('seed'), '4711')
    assert.equal(settings.get('load of browse'), '50 users until stopped')
    assert.equal(settings.get('label branch'), 'main')
    assert.ok(settings.has('exit code'))
    assert.ok(!new Map(settingsOf(sampleModel())).has('exit code'))
  })

  it('hold connections, and WebSockets where there were any', () => {
    const summary = sampleModel({ ended: true }).summary!
    const names = () => connectionFacts(summary).map(([name]) => name)
    assert.deepEqual(connectionFacts(summary)[0], ['connections opened', '400'])
    assert.ok(!names().includes('WebSockets opened'))
    summary.websockets = { ...summary.websockets, opened: 3, messagesSent: 1_200, bytesSent: 24_000 }
    assert.equal(new Map(connectionFacts(summary)).get('WebSockets opened'), '3')
    assert.match(new Map(connectionFacts(summary)).get('messages sent')!, /^1,200, 2[34]/)
  })
})
