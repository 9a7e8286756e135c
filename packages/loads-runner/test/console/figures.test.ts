import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatBytes, formatCount, formatMillis, formatRate, plural } from '../../src/console/figures.ts'
import { oneLine, textTable } from '../../src/console/text-table.ts'

describe('figures', () => {
  it('groups digits', () => {
    assert.deepEqual([0, 999, 1000, 1_234_567].map(formatCount), ['0', '999', '1,000', '1,234,567'])
    fc.assert(
      fc.property(fc.nat(), (count) => {
        assert.equal(Number(formatCount(count).replaceAll(',', '')), count)
        assert.match(formatCount(count), /^\d{1,3}(,\d{3})*$/)
      }),
    )
  })

  it('gives rates as many digits as mean something', () => {
    assert.deepEqual([0, 0.5, 0.254, 9.999, 12.34, 20, 100, 1234.5].map(formatRate), [
      '0',
      '0.5',
      '0.25',
      '10',
      '12.3',
      '20',
      '100',
      '1,235',
    ])
  })

  it('gives times the unit that fits', () => {
    assert.deepEqual([null, 0.012, 1.5, 9.99, 120, 3210, 12_345, 125_000].map(formatMillis), [
      '-',
      '12us',
      '1.5ms',
      '10.0ms',
      '120ms',
      '3.21s',
      '12.3s',
      '2m05s',
    ])
  })

  it('gives sizes the unit that fits', () => {
    assert.deepEqual([0, 512, 1500, 20e6, 3e9, 5e12].map(formatBytes), [
      '0 B',
      '512 B',
      '1.5 kB',
      '20 MB',
      '3.0 GB',
      '5.0 TB',
    ])
    assert.equal(plural(1, 'agent'), '1 agent')
    assert.equal(plural(1200, 'agent'), '1,200 agents')
  })
})

describe('textTable', () => {
  it('aligns columns and ends lines without blanks', () => {
    const text = textTable(
      [
        { name: 'a', value: 1 },
        { name: 'longer', value: 1000 },
      ],
      [
        { title: 'value', align: 'right', of: (row) => String(row.value) },
        { title: 'name', of: (row) => row.name },
      ],
      '  ',
    )
    assert.equal(text, '  value  name\n      1  a\n   1000  longer\n')
    assert.equal(textTable([], [{ title: 'x', of: () => '' }]), '')
  })

  it('keeps names from moving the cursor', () => {
    assert.equal(oneLine('a\n\u001b[31mb\u0007\u009bc'), 'a [31mb c')
  })
})
