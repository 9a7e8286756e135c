import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  alignPoints,
  changeInWords,
  figurePairs,
  formatRatio,
  ratioOf,
  seriesPairs,
} from '../../page/live/comparison.ts'
import { happeningOfBoth } from '../../page/live/compare-happenings.ts'
import { effectSize, effectText, errorsText } from '../../page/live/effects.ts'
import type { Points } from '../../src/model.ts'
import { sampleModel } from '../support/sample-model.ts'
import { emptyPoints } from '../support/sample-points.ts'

function pointsOf(...spans: [fromMs: number, spanMs: number][]): Points {
  const points = emptyPoints()
  for (const [fromMs, spanMs] of spans) {
    points.fromMs.push(fromMs)
    points.spanMs.push(spanMs)
  }
  return points
}

describe('comparison', () => {
  it('has no ratio where one of both is unknown, or nothing', () => {
    assert.equal(ratioOf(null, 1), null)
    assert.equal(ratioOf(1, null), null)
    assert.equal(ratioOf(0, 1), null)
    assert.equal(ratioOf(2, 0), 0)
    assert.equal(formatRatio(null), '–')
    assert.deepEqual([0.5, 1.417, 14.2, 1234].map(formatRatio), ['×0.50', '×1.42', '×14.2', '×1,234'])
  })

  it('says a change in words', () => {
    assert.equal(changeInWords(1.004, 'slower', 'faster'), 'the same')
    assert.equal(changeInWords(1.25, 'slower', 'faster'), '25 % slower')
    assert.equal(changeInWords(0.5, 'slower', 'faster'), '50 % faster')
    assert.equal(changeInWords(3, 'slower', 'faster'), '3 times')
    assert.equal(changeInWords(null, 'slower', 'faster'), '')
  })

  it('shows figures of both, and their ratio', () => {
    const before = sampleModel({ seconds: 100, series: 10 })
    const after = structuredClone(before)
    after.totals.serviceTime.p95 = before.totals.serviceTime.p95! * 2
    after.totals.hits = 0
    const pairs = new Map(figurePairs(before, after).map((pair) => [pair.key, pair]))
    assert.equal(pairs.get('p95')!.ratio, 2)
    assert.equal(pairs.get('p50')!.change, 'the same')
    assert.equal(pairs.get('failed')!.after, '–')
    assert.equal(pairs.get('failed')!.ratio, null)
  })

  it('puts the largest change first, up or down, and what has no ratio last', () => {
    const before = sampleModel({ seconds: 60, series: 8 })
    const after = structuredClone(before)
    const times = after.series.filter(({ time }) => time !== null)
    times[2]!.time!.p95 = times[2]!.time!.p95! * 3
    times[4]!.time!.p95 = times[4]!.time!.p95! / 5
    after.series.push({ ...structuredClone(times[0]!), id: 'new', name: '/new' })
    const pairs = seriesPairs(before, after)
    assert.deepEqual(
      pairs.slice(0, 2).map(({ after: row }) => row!.id),
      [times[4]!.id, times[2]!.id],
    )
    const added = pairs.at(-1)!
    assert.deepEqual([added.after!.id, added.before, added.size], ['new', null, null])
  })

  it('says an effect in words, and puts what is clear before what may be chance', () => {
    const errors = { difference: null, p: null, change: 'too few samples' as const }
    const clear = { change: 'faster' as const, delta: -0.2, p: 0.0004, errors }
    const chance = {
      change: 'same' as const,
      delta: 0.9,
      p: 0.2,
      errors: { ...errors, change: 'same' as const, p: 1 },
    }
    const added = { change: 'new' as const, delta: null, p: null, errors }
    assert.deepEqual([clear, chance, added, null].map(effectText), [
      'faster, δ −0.20, p < 0.001',
      'same, δ +0.90, p 0.200',
      'new',
      '–',
    ])
    assert.deepEqual([clear, chance, null].map(errorsText), ['too few samples', 'same, p 1.000', '–'])
    assert.ok(effectSize(clear)! > effectSize(chance)!)
    assert.equal(effectSize(added), null)
  })

  it('has faults, pauses, the warm-up and the marks of both runs, each named by its run', () => {
    const before = sampleModel({ seconds: 130 })
    const after = sampleModel({ seconds: 200 })
    const { bands, marks, laneOf } = happeningOfBoth(before, after)
    const fault = (word: string) => bands.find(({ label }) => label === `${word}: delay database`)!
    // It goes on in the one, and is over in the other.
    assert.deepEqual([fault('before').fromMs, fault('before').toMs], [120_000, 130_000])
    assert.deepEqual([fault('after').fromMs, fault('after').toMs], [120_000, 150_000])
    assert.deepEqual([laneOf(fault('before')), laneOf(fault('after'))], [0, 1])
    assert.deepEqual([...new Set(bands.map(({ kind }) => kind))].sort(), ['fault', 'paused', 'warm-up'])
    assert.equal(new Set(bands.map(({ id }) => id)).size, bands.length)
    const notes = marks.filter(({ kind }) => kind === 'note')
    assert.deepEqual(
      notes.map(({ atMs, label }) => [atMs, label.split(':')[0]]),
      [
        [45_000, 'before'],
        [45_000, 'after'],
      ],
    )
  })

  it('takes series for the same by what they are, not by their ids', () => {
    const before = sampleModel({ seconds: 60, series: 8 })
    const after = structuredClone(before)
    for (const row of after.series) {
      row.id = `other ${row.id}`
      row.tags = Object.fromEntries(Object.entries(row.tags).toReversed())
    }
    assert.ok(seriesPairs(before, after).every((pair) => pair.before !== null && pair.after !== null))
  })

  it('holds the value of a long point for all of it, and makes nothing up where there is none', () => {
    const fine = pointsOf([0, 1_000], [1_000, 1_000], [2_000, 1_000], [12_000, 1_000])
    const coarse = pointsOf([0, 10_000])
    const aligned = alignPoints(fine, coarse)
    assert.deepEqual(aligned.frame.x, [500, 1_500, 2_500, 5_000, 12_500])
    assert.deepEqual(aligned.before([1, 2, 3, 4]), [1, 2, 3, null, 4])
    assert.deepEqual(aligned.after([7]), [7, 7, 7, 7, null])
    assert.deepEqual(aligned.frame.spanMs, [1_000, 1_000, 1_000, 10_000, 1_000])
  })

  it('aligns any points: each moment has the value of the point that it lies in', () => {
    const spans = fc
      .array(fc.record({ gap: fc.nat(3), span: fc.constantFrom(1, 10, 60) }), { maxLength: 30 })
      .map((parts) => {
        let at = 0
        return parts.map(({ gap, span }): [number, number] => {
          const from = at + gap * 1_000
          at = from + span * 1_000
          return [from, span * 1_000]
        })
      })
    fc.assert(
      fc.property(spans, spans, (one, other) => {
        const [before, after] = [pointsOf(...one), pointsOf(...other)]
        const aligned = alignPoints(before, after)
        const shown = aligned.before(before.fromMs)
        aligned.frame.x.forEach((x, place) => {
          const hit = one.find(([from, span]) => from <= x && x < from + span)
          assert.equal(shown[place], hit?.[0] ?? null)
        })
      }),
    )
  })
})
