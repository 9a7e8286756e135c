import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Delta, DeltaEncoder, emptySeriesDelta, type SeriesDelta } from '@loads-runner/metrics'
import type { Labels, MetricFamily } from '../../src/exposition/family.ts'
import { LabelNames, labelValue } from '../../src/exposition/label-names.ts'
import { RunFigures } from '../../src/exposition/run-figures.ts'
import { fixtureRun, fixtureSummary } from '../../src/testing.ts'
import { runOf } from './support/run.ts'

const named = (families: readonly MetricFamily[], name: string) => {
  const family = families.find((each) => each.name === name)
  assert.ok(family !== undefined, `there is no ${name}`)
  return family
}

/** Label values and value; of histograms the number of samples. */
function rows(family: MetricFamily): [Record<string, string>, number][] {
  const plain = (labels: Labels) =>
    Object.fromEntries(labels.filter(([label]) => label !== 'run' && label !== 'project'))
  return family.type === 'histogram'
    ? family.samples.map(({ labels, histogram }) => [plain(labels), histogram.count])
    : family.samples.map(({ labels, value }) => [plain(labels), value])
}

const total = (family: MetricFamily) => rows(family).reduce((sum, [, value]) => sum + value, 0)

/** A run that has recorded these series and nothing else. */
function runWith(...series: SeriesDelta[]): RunFigures {
  const run = runOf(fixtureRun().slice(0, 1))
  const delta = new Delta()
  for (const each of series) delta.add(each)
  const [snapshot] = fixtureRun()
  run.view.apply({ ...(snapshot as any), delta: new DeltaEncoder().encodeFull(delta) })
  return new RunFigures(run)
}

function hits(
  count: number,
  tags: Record<string, string>,
  more: Partial<SeriesDelta['key']> = {},
): SeriesDelta {
  const key = { kind: 'http', test: 't', name: 'GET /', method: 'GET', status: '200', tags, ...more } as const
  return {
    ...emptySeriesDelta(key, null),
    count,
    failed: count,
    sum: count * 1_000,
    min: 1_000,
    max: 1_000,
    buckets: new Map([[300, count]]),
  }
}

describe('a run as families of metrics', () => {
  it('equals the summary, the warm-up left out', () => {
    const families = new RunFigures(runOf(fixtureRun())).families()
    const summary = fixtureSummary()
    assert.equal(total(named(families, 'loads_hits_total')), summary.hits.count)
    assert.equal(total(named(families, 'loads_hits_failed_total')), summary.hits.failed)
    assert.equal(total(named(families, 'loads_hit_duration_seconds')), summary.serviceTime.count)
    assert.equal(total(named(families, 'loads_response_time_seconds')), summary.responseTime!.count)
    assert.equal(total(named(families, 'loads_bytes_received_total')), summary.hits.bytesIn)
    const outcomes = new Map<string, number>()
    for (const [{ outcome }, value] of rows(named(families, 'loads_executions_total')))
      outcomes.set(outcome!, (outcomes.get(outcome!) ?? 0) + value)
    assert.equal(outcomes.get('success') ?? 0, summary.tests.successes)
    assert.equal(outcomes.get('error') ?? 0, summary.tests.errors)
    assert.equal(
      total(named(families, 'loads_errors_total')),
      summary.errorGroups.reduce((sum, { count }) => sum + count, 0),
    )
    for (const [name, value] of Object.entries(summary.counters))
      assert.deepEqual(
        rows(named(families, 'loads_counter_total')).find(([labels]) => labels.name === name)?.[1],
        value,
      )
    assert.deepEqual(
      rows(named(families, 'loads_threshold_ok')).map(([, value]) => value),
      [0],
    )
    const states = rows(named(families, 'loads_run_state'))
    assert.deepEqual(
      states.filter(([, value]) => value === 1).map(([{ state }]) => state),
      ['done'],
    )
    assert.equal(states.length, 9)
    assert.deepEqual(rows(named(families, 'loads_observed')), [
      [{ name: 'target_cpu', source: 'conductor' }, 42.5],
    ])
    assert.deepEqual(
      rows(named(families, 'loads_agent_hits_total')).map(([labels]) => labels.agent),
      ['agent-1', 'agent-2'],
    )
  })

  it('keeps apart what differs in the spelling of a tag only, and merges what differs in nothing that is shown', () => {
    const figures = runWith(
      hits(1, { 'a-b': 'x' }),
      hits(2, { a_b: 'x' }),
      hits(4, { 'a b': 'x' }),
      hits(8, { scenario: 'buy' }),
    )
    const family = named(figures.families(), 'loads_hits_total')
    const shown = rows(family).map(([labels, value]) => {
      const ofTags = Object.entries(labels).filter(([label]) => /^(tag_|scenario)/.test(label))
      return [Object.fromEntries(ofTags), value] as const
    })
    assert.deepEqual(new Set(shown.map(([, value]) => value)), new Set([1, 2, 4, 8]))
    assert.equal(new Set(shown.map(([labels]) => JSON.stringify(labels))).size, 4)
    assert.ok(shown.some(([labels]) => JSON.stringify(labels) === '{"scenario":"buy"}'))
    // Later pages have the same names.
    assert.deepEqual(rows(named(figures.families(), 'loads_hits_total')), rows(family))

    const long = 'x'.repeat(2_000)
    const merged = runWith(hits(1, { a: `${long}1` }), hits(2, { a: `${long}2` })).families()
    assert.deepEqual(
      rows(named(merged, 'loads_hits_total')).map(([, value]) => value),
      [3],
    )
    assert.deepEqual(
      rows(named(merged, 'loads_hit_duration_seconds')).map(([, count]) => count),
      [3],
    )
  })

  it('counts an interrupted hit as none that failed', () => {
    const families = runWith(
      hits(5, {}, { status: 'interrupted' }),
      hits(2, {}, { status: '500' }),
    ).families()
    assert.equal(total(named(families, 'loads_hits_total')), 7)
    assert.equal(total(named(families, 'loads_hits_failed_total')), 2)
  })

  it('has valid, unique, ordered labels whatever users name things', () => {
    const families = new RunFigures(runOf(fixtureRun({ names: 'hostile' }))).families()
    for (const { name, samples } of families) {
      const ids = samples.map(({ labels }) => JSON.stringify(labels))
      assert.equal(new Set(ids).size, ids.length, name)
      for (const { labels } of samples) {
        const names = labels.map(([label]) => label)
        assert.deepEqual(names, names.toSorted())
        for (const [label, value] of labels) {
          assert.match(label, /^[a-zA-Z_][a-zA-Z0-9_]*$/)
          assert.ok(value !== '' && value.length <= 1_000 && value.isWellFormed())
        }
      }
    }
  })
})

describe('names of labels', () => {
  it('are valid, never the same for two tags, and always the same for one', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 12 })), (tags) => {
        const names = new LabelNames()
        const made = new Map(tags.map((tag) => [tag, names.of('tag_', tag)]))
        assert.equal(new Set(made.values()).size, made.size)
        for (const [tag, name] of made) {
          assert.match(name, /^tag_[a-zA-Z0-9_]*$/)
          assert.equal(names.of('tag_', tag), name)
        }
      }),
    )
  })

  it('have values that are well-formed and bounded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const value = labelValue(text)
        assert.ok(value.length <= 1_000 && value.isWellFormed())
      }),
    )
    assert.equal(labelValue('a\ud800b'), 'a\ufffdb')
    assert.equal(labelValue('😀\n"'), '😀\n"')
  })
})
