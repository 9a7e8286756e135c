import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bandsAt, lanesOf, marksNear, visibleBands } from '../../page/view/happenings.ts'
import type { Band } from '../../src/model.ts'

function band(id: string, fromMs: number, toMs: number | null): Band {
  return { id, kind: 'fault', label: id, detail: '', fromMs, toMs }
}

describe('bands and marks of charts', () => {
  it('are drawn where their time is, cut at the ends of what is shown', () => {
    const bands = [band('before', 0, 900), band('in', 2_000, 3_000), band('open', 4_000, null)]
    const shown = visibleBands(bands, [1_000, 5_000], 4_500, 400)
    assert.deepEqual(
      shown.map(({ band: { id }, left, width }) => [id, left, width]),
      [
        ['in', 100, 100],
        ['open', 300, 50],
      ],
    )
  })

  it('are no narrower than a pixel, however short', () => {
    const [only] = visibleBands([band('short', 500, 501)], [0, 7_200_000], 7_200_000, 500)
    assert.equal(only?.width, 1)
  })

  it('is found at its moment: its end is no longer in it', () => {
    const bands = [band('a', 1_000, 2_000), band('b', 1_500, null)]
    const at = (ms: number) => bandsAt(bands, ms).map(({ id }) => id)
    assert.deepEqual(at(999), [])
    assert.deepEqual(at(1_500), ['a', 'b'])
    assert.deepEqual(at(2_000), ['b'])
  })

  it('are found near the cursor', () => {
    const mark = { kind: 'note' as const, atMs: 1_000, label: 'deploy', source: 'ada' }
    assert.deepEqual(marksNear([mark], 1_050, 60), [mark])
    assert.deepEqual(marksNear([mark], 1_100, 60), [])
  })

  it('get lanes of their own where they overlap', () => {
    const stretch = fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 90 }))
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 40 }), (pairs) => {
        const stretches = pairs
          .map(([from, length]) => ({ from, to: from + length }))
          .toSorted((one, other) => one.from - other.from)
        const lanes = lanesOf(stretches)
        stretches.forEach((one, index) =>
          stretches.forEach((other, place) => {
            if (place <= index || lanes[index] !== lanes[place]) return
            assert.ok(one.to <= other.from || other.to <= one.from)
          }),
        )
        // No more lanes than there are stretches at one moment.
        const deepest = Math.max(
          0,
          ...stretches.map(
            ({ from }) => stretches.filter((each) => each.from <= from && from < each.to).length,
          ),
        )
        assert.equal(Math.max(-1, ...lanes) + 1, deepest)
      }),
    )
  })
})
