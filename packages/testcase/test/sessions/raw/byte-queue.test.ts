import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ByteQueue, type Until } from '../../../src/sessions/raw/byte-queue.ts'

describe('ByteQueue', () => {
  it('finds the same answers wherever the bytes are split', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\r', '\n', 'x'), maxLength: 60 })
    const ends: fc.Arbitrary<Until> = fc.constantFrom<Until[]>(
      '\r\n',
      Buffer.from('\n'),
      3,
      'a\r\na',
      (received: Buffer) => received.indexOf('x') + 1,
    )
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 8 }), ends, (whole, cuts, until) => {
        const bytes = Buffer.from(whole)
        const read = (at: number[]) => {
          const queue = new ByteQueue()
          const answers: string[] = []
          for (const [index, end] of at.slice(1).entries()) {
            queue.push(bytes.subarray(at[index], end))
            for (let next = queue.take(until); next !== null; next = queue.take(until))
              answers.push(String(next))
          }
          return [...answers, `rest: ${queue.length === 0 ? '' : String(queue.take(queue.length))}`]
        }
        const at = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)
        const split = read([0, ...at, bytes.length])
        assert.deepEqual(split, read([0, bytes.length]))
        assert.equal(split.join('').replace('rest: ', ''), whole)
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses a length that cannot be', () => {
    const queue = new ByteQueue()
    queue.push(Buffer.from('abc'))
    for (const wrong of [-1, 4, 1.5, Number.NaN, undefined as never]) {
      assert.throws(() => queue.take(() => wrong), /until\(\) gave/)
    }
    assert.equal(queue.length, 3)
  })

  it('never writes over what it has given away', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 }), (lengths) => {
        const queue = new ByteQueue()
        const taken: Buffer[] = []
        let next = 0
        for (const length of lengths) {
          queue.push(Buffer.from(Array.from({ length }, () => next++ & 0xff)))
          if (queue.length >= 4) taken.push(queue.take(3)!)
        }
        const bytes = Buffer.concat(taken)
        assert.deepEqual(
          [...bytes],
          Array.from(bytes, (_each, index) => index & 0xff),
        )
      }),
    )
  })

  it('finds an end that is asked for after another was looked for in vain', () => {
    const queue = new ByteQueue()
    queue.push(Buffer.from('a,b'))
    assert.equal(queue.take(';'), null)
    queue.searchAnew()
    assert.equal(String(queue.take(',')), 'a,')
  })
})
