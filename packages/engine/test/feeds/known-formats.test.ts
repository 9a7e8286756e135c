import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatOf } from '../../src/feeds/known-formats.ts'
import { MalformedData } from '../../src/feeds/malformed-data.ts'

type Found = [start: number, end: number, line: number][]

/** What a scanner finds in bytes that come in these pieces; the error's text where it refuses them. */
function scan(name: string, bytes: Buffer, cuts: readonly number[]): Found | string {
  const found: Found = []
  const scanner = formatOf(name)!.scanner(
    { position: 0, line: 1, inside: false },
    (...row) => void found.push(row),
  )
  try {
    const places = [
      0,
      ...cuts.filter((cut) => cut < bytes.length).sort((one, other) => one - other),
      bytes.length,
    ]
    for (let piece = 1; piece < places.length; piece++)
      scanner.push(bytes.subarray(places[piece - 1], places[piece]))
    scanner.end()
    return found
  } catch (error) {
    assert.ok(error instanceof MalformedData)
    return `${error.line}: ${error.message}`
  }
}

describe('feeds/data-format', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\r\n', '{', '}', '[', ']', ':', '\\', ' ', '\t', 'é'),
    maxLength: 60,
  })
  const cuts = fc.array(fc.nat(70), { maxLength: 8 })

  for (const name of ['x.csv', 'x.tsv', 'x.json', 'x.ndjson']) {
    it(`finds the same rows of ${name} wherever its bytes are split`, () => {
      fc.assert(
        fc.property(text, fc.boolean(), cuts, (content, array, places) => {
          const bytes = Buffer.from(array ? `[{${content}}]` : content)
          assert.deepEqual(scan(name, bytes, places), scan(name, bytes, []))
        }),
        { numRuns: 1000 },
      )
    })
  }

  it('begins anew at any row', () => {
    const bytes = Buffer.from('a,b\n1,"x\ny"\n\n2,z\r\n"3",w')
    const rows = scan('x.csv', bytes, [])
    assert.deepEqual(rows, [
      [0, 3, 1],
      [4, 11, 2],
      [13, 16, 5],
      [18, 23, 6],
    ])
    for (const [index, [start, , line]] of (rows as Found).entries()) {
      const found: Found = []
      const scanner = formatOf('x.csv')!.scanner(
        { position: start, line, inside: true },
        (...row) => void found.push(row),
      )
      scanner.push(bytes.subarray(start))
      scanner.end()
      assert.deepEqual(found, (rows as Found).slice(index))
    }
  })
})
