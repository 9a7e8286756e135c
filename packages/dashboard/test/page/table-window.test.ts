import assert from 'node:assert/strict'
import fc from 'fast-check'
import { flattenRows, matches, sortRows, visibleRange } from '../../page/view/table-window.ts'

describe('rows of a table', () => {
  it('are sorted with what is unknown last, whichever the direction', () => {
    const rows = [3, null, 1, 2, null]
    assert.deepEqual(
      sortRows(rows, (row) => row, false),
      [1, 2, 3, null, null],
    )
    assert.deepEqual(
      sortRows(rows, (row) => row, true),
      [3, 2, 1, null, null],
    )
    assert.deepEqual(
      sortRows(['b', 'a', 'c'], (row) => row, false),
      ['a', 'b', 'c'],
    )
  })

  it('keep their order where they are equal, so that a live table does not jump', () => {
    const rows = Array.from({ length: 50 }, (_, index) => ({ index, value: index % 3 }))
    for (const descending of [false, true]) {
      const sorted = sortRows(rows, ({ value }) => value, descending)
      for (const value of [0, 1, 2]) {
        const places = sorted.filter((row) => row.value === value).map(({ index }) => index)
        assert.deepEqual(
          places,
          places.toSorted((one, other) => one - other),
        )
      }
    }
  })

  it('stand below the one that they are in while that is open', () => {
    const rows = [
      { key: 'a', count: 1, parts: [] },
      {
        key: 'b',
        count: 2,
        parts: [
          { key: 'b1', count: 5, parts: [] },
          { key: 'b2', count: 9, parts: [] },
        ],
      },
    ]
    interface Row {
      key: string
      count: number
      parts: Row[]
    }
    const flatten = (open: string[]) =>
      flattenRows<Row>(rows, {
        key: ({ key }) => key,
        children: ({ parts }) => parts,
        isOpen: (key) => open.includes(key),
        order: (list) => sortRows(list, ({ count }) => count, true),
      }).map(({ key, level, expanded }) => [key, level, expanded])
    assert.deepEqual(flatten([]), [
      ['b', 0, false],
      ['a', 0, null],
    ])
    assert.deepEqual(flatten(['b', 'a']), [
      ['b', 0, true],
      ['b2', 1, null],
      ['b1', 1, null],
      ['a', 0, null],
    ])
  })

  it('are drawn where they are in sight, and few others', () => {
    assert.deepEqual(visibleRange(0, 300, 30, 1_000, 5), [0, 15])
    assert.deepEqual(visibleRange(3_000, 300, 30, 1_000, 5), [95, 115])
    assert.deepEqual(visibleRange(0, 300, 30, 0, 5), [0, 0])
    fc.assert(
      fc.property(
        fc.integer({ min: -100, max: 100_000 }),
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 0, max: 2_000 }),
        (scrollTop, height, count) => {
          const [from, to] = visibleRange(scrollTop, height, 30, count, 10)
          assert.ok(0 <= from && from <= to && to <= count)
          assert.ok(to - from <= Math.ceil(height / 30) + 22)
          const firstSeen = Math.floor(Math.max(0, scrollTop) / 30)
          if (firstSeen < count && height > 0) assert.ok(from <= firstSeen && firstSeen < to)
        },
      ),
    )
  })

  it('are found by words in any order, which are no patterns', () => {
    assert.ok(matches('cart POST', 'POST /cart 503'))
    assert.ok(!matches('cart GET', 'POST /cart'))
    assert.ok(matches('(.*', 'a (.* b'))
    assert.ok(!matches('.*', 'abc'))
  })
})
