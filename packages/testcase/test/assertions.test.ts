import assert from 'node:assert/strict'
import { Assertions } from '../src/assertions.ts'

const test: Assertions = new Assertions()

/** Each holds: an assertion that must pass, and one that must fail with a message like this. */
const pairs: [name: string, passes: () => void, fails: () => void, message: RegExp][] = [
  [
    'assertEqual',
    () => test.assertEqual({ a: [1, NaN] }, { a: [1, NaN] }),
    () => test.assertEqual({ a: 1 }, { a: 2 }),
    /\+ {3}a: 1[\s\S]*- {3}a: 2/,
  ],
  [
    'assertEqual is strict',
    () => test.assertEqual('1', '1'),
    () => test.assertEqual(1, '1'),
    /strictly deep-equal/i,
  ],
  ['assertNotEqual', () => test.assertNotEqual([1], [2]), () => test.assertNotEqual([1], [1]), /not to be/i],
  ['assertTrue', () => test.assertTrue('x'), () => test.assertTrue(0), /^0 is not true$/],
  ['assertFalse', () => test.assertFalse(''), () => test.assertFalse('x'), /^"x" is not false$/],
  ['assertIs', () => test.assertIs(test, test), () => test.assertIs({}, {}), /\{\} is not the very \{\}/],
  ['assertIsNot', () => test.assertIsNot({}, {}), () => test.assertIsNot(test, test), /the very same/],
  ['assertNull', () => test.assertNull(undefined), () => test.assertNull(0), /^0 is not null$/],
  [
    'assertNotNull',
    () => test.assertNotNull(0),
    () => test.assertNotNull(undefined),
    /^unexpectedly undefined$/,
  ],
  [
    'assertIn text',
    () => test.assertIn('ell', 'hello'),
    () => test.assertIn('x', 'hello'),
    /^"x" not found in "hello"$/,
  ],
  [
    'assertIn list',
    () => test.assertIn({ a: 1 }, [{ a: 1 }]),
    () => test.assertIn(3, [1, 2]),
    /^3 not found in \[ 1, 2 \]$/,
  ],
  [
    'assertIn set',
    () => test.assertIn(1, new Set([1])),
    () => test.assertIn(2, new Set([1])),
    /not found in Set\(1\)/,
  ],
  [
    'assertIn map',
    () => test.assertIn('k', new Map([['k', 1]])),
    () => test.assertIn(1, new Map([['k', 1]])),
    /not found in Map/,
  ],
  [
    'assertIn object',
    () => test.assertIn('k', { k: 1 }),
    () => test.assertIn('toString', { k: 1 }),
    /not found in \{ k: 1 \}/,
  ],
  ['assertNotIn', () => test.assertNotIn(3, [1, 2]), () => test.assertNotIn(1, [1, 2]), /unexpectedly found/],
  [
    'assertGreater',
    () => test.assertGreater(2, 1),
    () => test.assertGreater(1, 1),
    /^1 is not greater than 1$/,
  ],
  [
    'assertGreaterEqual',
    () => test.assertGreaterEqual(1, 1),
    () => test.assertGreaterEqual(NaN, 1),
    /^NaN is less than 1$/,
  ],
  ['assertLess', () => test.assertLess('a', 'b'), () => test.assertLess(1n, 1n), /^1n is not less than 1n$/],
  [
    'assertLessEqual',
    () => test.assertLessEqual(1, 1),
    () => test.assertLessEqual(2, 1),
    /^2 is greater than 1$/,
  ],
  [
    'assertAlmostEqual',
    () => test.assertAlmostEqual(0.1 + 0.2, 0.3),
    () => test.assertAlmostEqual(1, 1.2, 0.1),
    /^1 is not within 0\.1 of 1\.2$/,
  ],
  [
    'assertAlmostEqual of Infinity',
    () => test.assertAlmostEqual(Infinity, Infinity),
    () => test.assertAlmostEqual(NaN, 1),
    /^NaN is not/,
  ],
  [
    'assertMatch',
    () => test.assertMatch('abc', /b/),
    () => test.assertMatch('abc', /x/),
    /^"abc" does not match \/x\/$/,
  ],
  [
    'assertNotMatch',
    () => test.assertNotMatch('abc', /x/),
    () => test.assertNotMatch('abc', /b/),
    /unexpectedly matches/,
  ],
  [
    'assertInstanceOf',
    () => test.assertInstanceOf(new TypeError(), Error),
    () => test.assertInstanceOf({}, Error),
    /^\{\} is no Error$/,
  ],
  [
    'assertLength',
    () => test.assertLength([1, 2], 2),
    () => test.assertLength('abc', 2),
    /^length is 3, not 2/,
  ],
  [
    'assertLength of a set',
    () => test.assertLength(new Set([1]), 1),
    () => test.assertLength(new Map(), 1),
    /^length is 0, not 1/,
  ],
]

describe('Assertions', () => {
  for (const [name, passes, fails, message] of pairs) {
    it(`${name} passes and fails`, () => {
      passes()
      assert.throws(fails, { code: 'ERR_ASSERTION', message })
    })
  }

  it('prefers the message of the test', () => {
    assert.throws(() => test.assertTrue(false, 'must be so'), { message: 'must be so' })
    assert.throws(() => test.assertEqual(1, 2, 'must be so'), { message: /^must be so/ })
  })

  it('is not led astray by where the last search of a pattern ended', () => {
    const pattern = /a/g
    for (let time = 0; time < 3; time++) test.assertMatch('a', pattern)
  })

  it('shortens long values', () => {
    assert.throws(
      () => test.assertIn('x', 'y'.repeat(10_000)),
      (error: Error) => error.message.length < 700,
    )
  })

  it('begins the stack at the line of the test', () => {
    const error = thrownHere()
    assert.match(
      error.stack!.split('\n').find((line) => line.trim().startsWith('at '))!,
      /thrownHere/,
    )
  })

  it('fail() always fails', () => {
    assert.throws(() => test.fail('no way'), { code: 'ERR_ASSERTION', message: 'no way' })
  })

  describe('assertRaises', () => {
    it('resolves with the error of functions and promises', async () => {
      const sync = await test.assertRaises(() => JSON.parse('{'), SyntaxError)
      assert.ok(sync instanceof SyntaxError)
      const rejected = await test.assertRaises(Promise.reject(new RangeError('far')), RangeError)
      assert.equal(rejected.message, 'far')
      const any = await test.assertRaises(async () => {
        throw new TypeError('any')
      })
      assert.equal(any.message, 'any')
    })

    it('fails when nothing is thrown, and passes on what was not expected', async () => {
      await assert.rejects(
        test.assertRaises(() => 1, TypeError),
        {
          code: 'ERR_ASSERTION',
          message: 'TypeError was expected, and nothing was thrown',
        },
      )
      await assert.rejects(
        test.assertRaises(() => {
          throw new RangeError('other')
        }, TypeError),
        { name: 'RangeError', message: 'other' },
      )
    })
  })
})

function thrownHere(): Error {
  try {
    test.assertTrue(false)
  } catch (error) {
    return error as Error
  }
  throw new Error('assertTrue(false) passed')
}
