import assert from 'node:assert/strict'
import { Aggregate, DeltaDecoder } from '@loads-runner/metrics'
import type { RunEvent } from '@loads-runner/protocol'
import { profileOf, scenarioOf } from '@loads-runner/protocol/testing'
import { applyUpdate } from '../src/apply-update.ts'
import { buildModel } from '../src/build-model.ts'
import { DashboardError } from '../src/errors.ts'
import type { RunModel } from '../src/model.ts'
import { RunModeler } from '../src/run-modeler.ts'
import { ScriptedRun, type ScriptOptions } from './support/scripted-run.ts'

/** A modeler whose clock the test sets. */
function modelerOf(...events: RunEvent[]) {
  const clock = { ms: 0 }
  const modeler = new RunModeler({ now: () => clock.ms })
  for (const event of events) modeler.apply(event)
  return { modeler, clock }
}

function sumOf(model: RunModel, column: 'hitsPerSecond' | 'failedPerSecond' | 'executionsPerSecond'): number {
  return model.points[column].reduce(
    (sum, rate, place) => sum + (rate * model.points.spanMs[place]!) / 1000,
    0,
  )
}

describe('RunModeler', () => {
  const kinds: [string, ScriptOptions][] = [
    ['an open model', {}],
    ['a closed model', { open: false }],
    ['a run with a warm-up', { warmUpMs: 5_000 }],
    ['a run with many series', { series: 60, agents: 5 }],
  ]
  for (const [name, options] of kinds)
    it(`says the figures of the summary, exactly, of ${name}`, async () => {
      const run = new ScriptedRun(options)
      const model = await buildModel(run.events(40))
      const summary = run.summary()
      assert.deepEqual(model.summary, JSON.parse(JSON.stringify(summary)))
      const { totals } = model
      assert.deepEqual(totals.serviceTime, summary.serviceTime)
      assert.deepEqual(totals.responseTime, summary.responseTime)
      assert.equal(totals.hits, summary.hits.count)
      assert.ok(totals.hits > 0)
      assert.equal(totals.failedHits, summary.hits.failed)
      assert.equal(totals.bytesIn, summary.hits.bytesIn)
      assert.equal(totals.bytesOut, summary.hits.bytesOut)
      assert.equal(totals.executions, summary.tests.finished)
      assert.equal(totals.failures, summary.tests.failures)
      assert.equal(totals.errors, summary.tests.errors)
      assert.equal(totals.planned, summary.schedule.planned)
      assert.equal(totals.started, summary.schedule.started)
      assert.equal(totals.dropped, summary.schedule.dropped)
      assert.equal(totals.coverage, summary.coverage.ratio)
      const rows = model.series.filter(({ kind }) => kind === 'http')
      assert.equal(rows.length, summary.series.length)
      for (const series of summary.series) {
        const row = rows.find((each) => each.name === series.name && each.status === series.status)
        assert.deepEqual(row?.time, series.serviceTime)
        assert.equal(row?.count, series.count)
        assert.equal(row?.failed, series.failed)
      }
      const errors = model.errors.map(({ type, count }) => [type, count])
      assert.deepEqual(
        errors,
        summary.errorGroups.map(({ type, count }) => [type, count]),
      )
    })

  it('has points that add up to the totals', async () => {
    const model = await buildModel(new ScriptedRun().events(50))
    assert.equal(model.points.fromMs.length, 50)
    assert.equal(Math.round(sumOf(model, 'hitsPerSecond')), model.totals.hits)
    assert.equal(Math.round(sumOf(model, 'failedPerSecond')), model.totals.failedHits)
    assert.equal(Math.round(sumOf(model, 'executionsPerSecond')), model.totals.executions)
    const cells = model.heatmap.columns.flatMap((column) =>
      column.cells.filter((_, place) => place % 2 === 1),
    )
    assert.equal(
      cells.reduce((sum, count) => sum + count, 0),
      model.totals.hits,
    )
  })

  it('takes quantiles of the merged histogram of each second, and of each ten seconds', () => {
    const run = new ScriptedRun({ series: 20 })
    const { modeler } = modelerOf(...run.begin())
    const decoder = new DeltaDecoder()
    const seconds: Aggregate[] = []
    for (let second = 0; second < 800; second++) {
      const commit = run.second()
      modeler.apply(commit)
      const delta = decoder.decode(commit.delta)
      const aggregate = new Aggregate()
      aggregate.apply(delta)
      seconds.push(aggregate)
    }
    modeler.apply(run.finished())
    const { points } = modeler.model()
    const p95 = (place: number, from: number, count: number) => {
      const merged = new Aggregate()
      for (const each of seconds.slice(from, from + count)) merged.apply(each.toDelta())
      const expected = merged.serviceTime().stats().p95!
      // Extremes are those of the series so far, so the last bucket may be cut elsewhere.
      assert.ok(
        Math.abs(points.p95[place]! - expected) <= expected * 0.008,
        `${points.p95[place]} ${expected}`,
      )
    }
    assert.equal(points.spanMs[0], 10_000)
    assert.equal(points.spanMs.at(-1), 1_000)
    p95(0, 0, 10)
    p95(3, 30, 10)
    p95(points.fromMs.length - 1, 799, 1)
    assert.equal(points.fromMs.at(-1), 799_000)
  })

  it('has no rates of starts, and no response times, where nothing is planned', async () => {
    const model = await buildModel(new ScriptedRun({ open: false }).events(5))
    assert.ok(model.points.plannedPerSecond.every((rate) => rate === null))
    assert.ok(model.points.startedPerSecond.every((rate) => rate === null))
    assert.ok(model.points.responseP95.every((time) => time === null))
    assert.equal(model.totals.planned, null)
    assert.equal(model.totals.responseTime, null)
  })

  it('tells what was not measured as null, and silence as 0', async () => {
    const run = new ScriptedRun({ series: 0, open: false })
    const model = await buildModel(run.events(4))
    assert.deepEqual(model.points.hitsPerSecond, [0, 0, 0, 0])
    assert.deepEqual(model.points.p95, [null, null, null, null])
    assert.equal(model.totals.serviceTime.p95, null)
    assert.deepEqual(model.heatmap.bounds, [])
  })

  it('says of a run whose events break off that its end is not known', async () => {
    const whole = new ScriptedRun().events(5)
    const { head, summary } = await buildModel(whole)
    assert.notEqual(head.state, 'ended')
    assert.notEqual(summary, null)
    const cut = await buildModel([...new ScriptedRun().events(5)].filter(({ type }) => type !== 'finished'))
    assert.equal(cut.summary, null)
    assert.equal(cut.head.state, 'ended')
    assert.match(cut.head.note, /nobody has recorded its end/)
    assert.equal(cut.points.fromMs.length, 5)
  })

  it('keeps the warm-up out of totals, and shows it over time', async () => {
    const run = new ScriptedRun({ warmUpMs: 3_000 })
    const model = await buildModel(run.events(6))
    assert.equal(model.points.fromMs.length, 6)
    assert.ok(Math.round(sumOf(model, 'hitsPerSecond')) > model.totals.hits)
    const [band] = model.bands.filter(({ kind }) => kind === 'warm-up')
    assert.deepEqual([band?.fromMs, band?.toMs], [0, 3_000])
  })

  it('shows notes, faults, controls, thresholds and agents as marks and bands', () => {
    const run = new ScriptedRun({
      spec: {
        profile: profileOf({
          type: 'externally-controlled',
          controls: 'users',
          start: 5,
          durationMs: null,
          spacing: 'uniform',
          users: 10,
          maxLateMs: 1000,
        }),
      },
    })
    const at = run.startedAt + 2_000
    const published = { at, elapsedMs: 2_000, source: 'ada@here' }
    const fault = { type: 'fault' as const, id: 'f', name: 'slow disk', detail: 'by 50 ms', ...published }
    const control = { type: 'control' as const, at, elapsedMs: 2_000, scenario: 'main', by: 'bob@there' }
    const expression = 'http_req_duration: p(95)<200'
    const thresholds = (elapsedMs: number, value: number, ok: boolean): RunEvent => ({
      type: 'thresholds',
      at,
      elapsedMs,
      states: [{ expression, value, ok }],
    })
    const agent = { ...run.snapshot().agents[1]!, state: 'lost' as const }
    const { modeler } = modelerOf(
      ...run.begin(),
      run.second(),
      { type: 'note', text: 'deploy', tags: {}, ...published },
      { ...fault, state: 'begins' },
      { ...control, target: 5, paused: true },
      thresholds(2_000, 250, false),
      { type: 'agent', at, agent, note: 'silent for 6 s' },
      run.second(),
      { ...fault, state: 'ends', elapsedMs: 7_000 },
      { ...control, target: 8, paused: false, elapsedMs: 8_000 },
      thresholds(9_000, 150, true),
    )
    const model = modeler.model()
    assert.deepEqual(
      model.marks.map(({ kind, label, source }) => [kind, label, source]),
      [
        ['state', 'running', 'broker'],
        ['note', 'deploy', 'ada@here'],
        ['control', 'paused', 'bob@there'],
        ['threshold', `crossed: ${expression}`, 'broker'],
        ['agent', 'agent-2 is lost: silent for 6 s', 'here'],
        ['control', 'goes on with 8 users', 'bob@there'],
        ['threshold', `holds again: ${expression}`, 'broker'],
      ],
    )
    assert.deepEqual(
      model.bands.map(({ kind, label, fromMs, toMs }) => [kind, label, fromMs, toMs]),
      [
        ['fault', 'slow disk', 2_000, 7_000],
        ['paused', 'paused', 2_000, 8_000],
      ],
    )
    const [threshold] = model.thresholds
    assert.equal(threshold?.text, '150 ms')
    assert.deepEqual(threshold?.past, [
      [2_000, 250, false],
      [9_000, 150, true],
    ])
    assert.deepEqual(
      model.head.scenarios.map(({ controls, target, paused }) => [controls, target, paused]),
      [['users', 8, false]],
    )
    assert.deepEqual(
      model.agents.map(({ id, state, activeUsers }) => [id, state, activeUsers]),
      [
        ['agent-1', 'running', 5],
        ['agent-2', 'lost', 0],
      ],
    )
  })

  it('shows thresholds before anything is known of them', () => {
    const { modeler } = modelerOf(...new ScriptedRun().begin())
    assert.deepEqual(modeler.model().thresholds, [
      { expression: 'http_req_duration: p(95)<200', value: null, ok: null, text: 'no data', past: [] },
    ])
  })

  it('shows missing windows, doubtful seconds and stages', async () => {
    const stage = { type: 'constant-users', users: 1, durationMs: 2_000, rampUpMs: 0 } as const
    const run = new ScriptedRun({
      open: false,
      spec: { profile: { scenarios: [scenarioOf({ stages: [stage, { ...stage, users: 2 }] })] } },
    })
    const events: RunEvent[] = [...run.begin(), run.second(), run.second()]
    const next: RunEvent = {
      type: 'state',
      at: run.startedAt + 2_000,
      state: 'running',
      startedAt: run.startedAt,
      stage: 1,
      note: '',
    }
    const model = await buildModel([...events, next, run.second(), run.second(), run.finished()])
    assert.deepEqual(
      model.bands.map(({ kind, label, fromMs, toMs }) => [kind, label, fromMs, toMs]),
      [
        ['stage', 'stage 1 of 2', 0, 2_000],
        ['stage', 'stage 2 of 2', 2_000, 4_000],
        ['missing', 'figures of agent-2 are missing', 3_000, 4_000],
        ['tainted', 'agent-1 did not keep up', 1_000, 2_000],
      ],
    )
    assert.deepEqual(model.head.scenarios[0]?.load, '1 user for 2s; then 2 users for 2s')
  })

  it('goes on after a snapshot in mid-run, without what was not seen', () => {
    const run = new ScriptedRun()
    const { modeler } = modelerOf(...run.begin(), run.second(), run.second(), run.second())
    run.second()
    run.second()
    modeler.apply(run.snapshotNow())
    modeler.apply(run.second())
    modeler.apply(run.finished())
    const model = modeler.model()
    assert.equal(model.points.fromMs[0], 0)
    assert.equal(model.points.fromMs.at(-1), 5_000)
    assert.ok(!model.points.fromMs.includes(3_000) && !model.points.fromMs.includes(4_000))
    assert.equal(model.totals.hits, run.summary().hits.count)
    assert.deepEqual(model.totals.serviceTime, run.summary().serviceTime)
    assert.ok(model.points.plannedPerSecond.every((rate) => rate !== null && rate >= 0 && rate < 30))
  })

  it('begins with a run that goes on already', () => {
    const run = new ScriptedRun()
    run.begin()
    for (let second = 0; second < 30; second++) run.second()
    const { modeler } = modelerOf(run.snapshotNow(), run.second(), run.second(), run.finished())
    const model = modeler.model()
    assert.deepEqual(model.points.fromMs, [30_000, 31_000])
    assert.ok(model.points.plannedPerSecond.every((rate) => rate !== null && rate < 30))
    assert.deepEqual(model.totals.serviceTime, run.summary().serviceTime)
  })

  it('makes old points longer, and keeps its memory bounded', () => {
    const run = new ScriptedRun({ series: 1, agents: 1 })
    const { modeler } = modelerOf(...run.begin())
    const hours = 4
    for (let second = 0; second < hours * 3_600; second++) modeler.apply(run.second())
    modeler.apply(run.finished())
    const { points, heatmap } = modeler.model()
    const count = (spanMs: number) => points.spanMs.filter((each) => each === spanMs).length
    assert.ok(count(1_000) >= 600 && count(1_000) <= 720, String(count(1_000)))
    assert.ok(count(10_000) >= 600 && count(10_000) <= 720, String(count(10_000)))
    assert.ok(count(60_000) >= 110 && count(60_000) <= 120, String(count(60_000)))
    assert.ok(modeler.sizes.moments < 2_000)
    assert.equal(heatmap.columns.length, points.fromMs.length)
    // Without a gap, and without saying anything twice.
    for (const [place, fromMs] of points.fromMs.entries())
      assert.equal(points.fromMs[place + 1] ?? hours * 3_600_000, fromMs + points.spanMs[place]!)
    const hits = points.hitsPerSecond.reduce(
      (sum, rate, place) => sum + (rate * points.spanMs[place]!) / 1000,
      0,
    )
    assert.ok(Math.abs(hits - run.summary().hits.count) < 5)
  })

  it('shows a second as soon as the first figures of it have come, and whole when all have', () => {
    const run = new ScriptedRun({ open: false, agents: 1 })
    const { modeler } = modelerOf(...run.begin(), run.second(), run.second())
    assert.deepEqual(modeler.model().points.fromMs, [0, 1_000])
    const early = modeler.model().points.hitsPerSecond[1]!
    // Another agent's part of the same second.
    modeler.apply(run.late(0))
    assert.deepEqual(modeler.model().points.fromMs, [0, 1_000])
    const whole = modeler.model().points.hitsPerSecond[1]!
    assert.ok(whole > early)
    modeler.apply(run.second())
    modeler.apply(run.second())
    modeler.apply(run.finished())
    const { points, totals } = modeler.model()
    assert.equal(points.hitsPerSecond[1], whole)
    assert.equal(
      points.hitsPerSecond.reduce((sum, rate) => sum + rate, 0),
      totals.hits,
    )
  })

  for (const [lastMs, shown] of [
    [40, 3],
    [99, 3],
    [100, 4],
    [600, 4],
  ] as const)
    it(`shows ${shown} points of three seconds and ${lastMs} ms, and all hits in the totals`, () => {
      const run = new ScriptedRun({ open: false, agents: 1 })
      const { modeler } = modelerOf(...run.begin(), run.second(), run.second(), run.second())
      const model = modeler.model()
      modeler.update(true)
      const last = run.second()
      const [window] = last.windows
      modeler.apply({
        ...last,
        elapsedMs: 3_000 + lastMs,
        windows: [{ ...window!, fromMs: 3_000, toMs: 3_000 + lastMs }],
      })
      applyUpdate(model, modeler.update(true)!)
      modeler.apply(run.finished({ durationSeconds: 3 + lastMs / 1000 }))
      applyUpdate(model, modeler.update(true)!)
      const { points, heatmap, totals } = modeler.model()
      assert.equal(points.fromMs.length, shown)
      assert.equal(heatmap.columns.length, shown)
      assert.equal(totals.hits, run.summary().hits.count)
      // Who has followed it sees the same.
      assert.deepEqual([model.points, model.heatmap, model.totals], [points, heatmap, totals])
    })

  it('has the distribution of a name with several statuses, merged, in its first line', () => {
    const names = ['/a', '/a', '/a', '/a']
    const run = new ScriptedRun({ names, series: 4, agents: 1 })
    const { modeler } = modelerOf(...run.begin())
    const followed = modeler.model()
    for (let second = 0; second < 20; second++) {
      modeler.apply(run.second())
      applyUpdate(followed, modeler.update(true)!)
    }
    const { series, totals } = modeler.model()
    const hits = series.filter(({ kind }) => kind === 'http')
    assert.deepEqual(hits.map(({ status }) => status).sort(), ['200', '503'])
    assert.deepEqual(hits[0]!.merged, totals.serviceTime)
    assert.ok(!('merged' in hits[1]!))
    assert.deepEqual(followed.series, series)
    // What has but one line needs none.
    assert.ok(series.filter(({ kind }) => kind !== 'http').every((row) => !('merged' in row)))
  })

  it('refuses events without a beginning', async () => {
    const run = new ScriptedRun()
    await assert.rejects(
      buildModel([run.running()]),
      (error: unknown) => error instanceof DashboardError && error.code === 'DASHBOARD_EVENTS',
    )
  })
})
