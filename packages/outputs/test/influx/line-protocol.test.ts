import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fieldText, lineOf, pictured, storable } from '../../src/influx/line-protocol.ts'
import type { Point } from '../../src/influx/point.ts'
import { readLine } from './support/line-receiver.ts'

const hostile = fc.string({
  unit: fc.constantFrom('a', ',', ' ', '=', '\\', '"', '\n', '\r', '\t', '\0', '␊', '😀', '|', "'"),
})

describe('the line protocol', () => {
  it('escapes what separates, and keeps the rest', () => {
    const point: Point = {
      measurement: 'loads_hits',
      tags: { name: 'GET /a,b c=d', test: 'x', empty: '' },
      fields: { hits: 3, mean: 1.5, ok: true, title: 'say "hi"\\' },
      at: 1_700_000_000_000,
    }
    assert.equal(
      lineOf(point),
      'loads_hits,name=GET\\ /a\\,b\\ c\\=d,test=x hits=3,mean=1.5,ok=true,title="say \\"hi\\"\\\\" 1700000000000',
    )
  })

  it('shows what no tag can hold as characters that look like it', () => {
    assert.equal(storable('one\ntwo\r'), 'one␊two␍')
    assert.equal(storable('C:\\dir\\'), 'C:\\dir⧵')
    assert.equal(storable('a\\ b'), 'a\\ b')
  })

  it('is read back as it was meant, whatever the words', () => {
    fc.assert(
      fc.property(
        hostile,
        hostile,
        hostile,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (name, tag, text, value) => {
          const point: Point = {
            measurement: 'm',
            tags: { [`tag_${name}`]: tag },
            fields: { value, text },
            at: 1,
          }
          const read = readLine(lineOf(point))
          assert.deepEqual(read.tags, tag === '' ? {} : { [storable(`tag_${name}`)]: storable(tag) })
          assert.equal(read.fields['text'], pictured(text))
          assert.equal(read.fields['value'], value === 0 ? 0 : value)
        },
      ),
    )
  })

  it('keeps names apart that differ', () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        // The pictures themselves are names that nobody uses.
        fc.pre(one !== other && !/[␊⧵]/.test(one + other))
        assert.notEqual(storable(one), storable(other))
      }),
    )
  })

  it('writes numbers as they are', () => {
    assert.equal(fieldText(1e21), '1e+21')
    assert.equal(fieldText(0.1), '0.1')
    assert.equal(fieldText(false), 'false')
  })
})
