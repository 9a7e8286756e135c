import assert from 'node:assert/strict'
import fc from 'fast-check'
import { format } from 'prettier'
import {
  Code,
  Fields,
  fromJson,
  Mixed,
  print,
  printFlat,
  stringLiteral,
} from '../../src/authoring/expression.ts'

const style = { parser: 'typescript', semi: false, singleQuote: true, printWidth: 110 } as const
// oxlint-disable-next-line no-implied-eval, no-new-func
const value = (code: string): unknown => new Function(`return (${code})`)()

/** All of UTF-16: quotes, line ends, halves of pairs, marks of direction. */
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(...'\'"`\\${}\n\r\u2028\u2029\u0000\ud800\udc00\u202e\ufeff/*</script>'.split('')),
      {
        maxLength: 12,
      },
    )
    .map((all) => all.join('')),
)

describe('expressions of generated code', () => {
  it('say any text exactly, in printable characters', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const code = stringLiteral(text)
        assert.equal(value(code), text)
        // oxlint-disable-next-line no-control-regex
        assert.doesNotMatch(code, /[\u0000-\u001f\u2028\u2029\u202a-\u202e\ufeff]/)
      }),
    )
  })

  it('say any text around code exactly', () => {
    fc.assert(
      fc.property(anyText, anyText, (before, after) => {
        const code = printFlat(new Mixed([before, new Code('1 + 1'), after]))!
        assert.equal(value(code), `${before}2${after}`)
      }),
    )
  })

  it('say any JSON exactly', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (json) => {
        const parsed: unknown = JSON.parse(JSON.stringify(json))
        assert.deepEqual(value(print(fromJson(parsed), 0, 0)), parsed)
      }),
    )
  })

  it('do not set a prototype by a name', () => {
    const json: unknown = JSON.parse('{"__proto__":{"a":1},"constructor":2}')
    const made = value(print(fromJson(json), 0, 0)) as object
    assert.deepEqual(Object.keys(made), ['__proto__', 'constructor'])
  })

  it('look as prettier would have them', async () => {
    const word = fc.string({ unit: fc.constantFrom(...'abc_ 1-\'"'.split('')), maxLength: 40 })
    const leaf = fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null))
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('json'), { maxLength: 6 }),
        fc.dictionary(
          fc.string({ unit: fc.constantFrom(...'abcdefgh-'.split('')), minLength: 3, maxLength: 9 }),
          tie('json'),
          {
            maxKeys: 6,
          },
        ),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(json, async (each) => {
        const text = `const value = ${print(fromJson(each), 0, 14, 0)}\n`
        assert.equal(await format(text, style), text)
      }),
      { numRuns: 200 },
    )
  })

  it('use shorthand for a variable of the same name', () => {
    assert.equal(
      printFlat(
        new Fields([
          ['id', new Code('id')],
          ['my-id', new Code('id')],
        ]),
      ),
      "{ id, 'my-id': id }",
    )
  })
})
