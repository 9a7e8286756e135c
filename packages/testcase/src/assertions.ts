import assert from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'

/** What `assertIn` looks into: text, a list, a set or the keys of a map or an object. */
export type Container =
  string | readonly unknown[] | ReadonlySet<unknown> | ReadonlyMap<unknown, unknown> | object

type ErrorClass = abstract new (...args: never[]) => Error

/** Things that have an order of their own. */
export type Comparable = number | bigint | string | Date

/**
 * The assert methods of a test, in the manner of unittest. A failed one throws an `AssertionError` of node:assert, which
 * makes the execution a failure; anything else that is thrown makes it an error.
 */
export class Assertions {
  /** Deep and strict: same types, same contents; NaN equals NaN. The message shows the difference. */
  assertEqual(actual: unknown, expected: unknown, message?: string): void {
    assert.deepStrictEqual(actual, expected, message)
  }

  assertNotEqual(actual: unknown, unexpected: unknown, message?: string): void {
    assert.notDeepStrictEqual(actual, unexpected, message)
  }

  assertTrue(value: unknown, message?: string): asserts value {
    if (!value) fail(value, true, 'assertTrue', message ?? `${show(value)} is not true`)
  }

  assertFalse(value: unknown, message?: string): void {
    if (value) fail(value, false, 'assertFalse', message ?? `${show(value)} is not false`)
  }

  /** The very same object or value (`Object.is`). */
  assertIs(actual: unknown, expected: unknown, message?: string): void {
    if (!Object.is(actual, expected)) {
      fail(actual, expected, 'assertIs', message ?? `${show(actual)} is not the very ${show(expected)}`)
    }
  }

  assertIsNot(actual: unknown, unexpected: unknown, message?: string): void {
    if (Object.is(actual, unexpected)) {
      fail(actual, unexpected, 'assertIsNot', message ?? `both are the very same ${show(actual)}`)
    }
  }

  /** Null or undefined. */
  assertNull(value: unknown, message?: string): void {
    if (value !== null && value !== undefined) {
      fail(value, null, 'assertNull', message ?? `${show(value)} is not null`)
    }
  }

  assertNotNull<T>(value: T, message?: string): asserts value is NonNullable<T> {
    if (value === null || value === undefined) {
      fail(value, 'not null', 'assertNotNull', message ?? `unexpectedly ${String(value)}`)
    }
  }

  /** Strings by substring, lists and sets by element (deep), maps and objects by key. */
  assertIn(item: unknown, container: Container, message?: string): void {
    if (!contains(container, item)) {
      fail(container, item, 'assertIn', message ?? `${show(item)} not found in ${show(container)}`)
    }
  }

  assertNotIn(item: unknown, container: Container, message?: string): void {
    if (contains(container, item)) {
      fail(
        container,
        item,
        'assertNotIn',
        message ?? `${show(item)} unexpectedly found in ${show(container)}`,
      )
    }
  }

  assertGreater<T extends Comparable>(actual: T, limit: T, message?: string): void {
    if (!(actual > limit))
      fail(actual, limit, '>', message ?? `${show(actual)} is not greater than ${show(limit)}`)
  }

  assertGreaterEqual<T extends Comparable>(actual: T, limit: T, message?: string): void {
    if (!(actual >= limit))
      fail(actual, limit, '>=', message ?? `${show(actual)} is less than ${show(limit)}`)
  }

  assertLess<T extends Comparable>(actual: T, limit: T, message?: string): void {
    if (!(actual < limit))
      fail(actual, limit, '<', message ?? `${show(actual)} is not less than ${show(limit)}`)
  }

  assertLessEqual<T extends Comparable>(actual: T, limit: T, message?: string): void {
    if (!(actual <= limit))
      fail(actual, limit, '<=', message ?? `${show(actual)} is greater than ${show(limit)}`)
  }

  /** Two numbers at most `delta` apart. */
  assertAlmostEqual(actual: number, expected: number, delta = 1e-7, message?: string): void {
    if (Object.is(actual, expected) || Math.abs(actual - expected) <= delta) return
    fail(actual, expected, 'assertAlmostEqual', message ?? `${actual} is not within ${delta} of ${expected}`)
  }

  assertMatch(text: string, pattern: RegExp, message?: string): void {
    if (!matches(pattern, text)) {
      fail(text, pattern, 'assertMatch', message ?? `${show(text)} does not match ${pattern}`)
    }
  }

  assertNotMatch(text: string, pattern: RegExp, message?: string): void {
    if (matches(pattern, text)) {
      fail(text, pattern, 'assertNotMatch', message ?? `${show(text)} unexpectedly matches ${pattern}`)
    }
  }

  /**
   * A function that throws or a promise that rejects, with an error of the class (if one is given). Resolves with that
   * error. Always await it; an error of another class is thrown on as it is.
   */
  async assertRaises<T extends Error = Error>(
    action: (() => unknown) | PromiseLike<unknown>,
    errorClass?: abstract new (...args: never[]) => T,
    message?: string,
  ): Promise<T> {
    const wanted: ErrorClass | undefined = errorClass
    try {
      await (typeof action === 'function' ? action() : action)
    } catch (error) {
      if (wanted === undefined || error instanceof wanted) return error as T
      throw error
    }
    const name = wanted?.name ?? 'an error'
    return fail(undefined, wanted, 'assertRaises', message ?? `${name} was expected, and nothing was thrown`)
  }

  assertInstanceOf<T>(
    value: unknown,
    expected: abstract new (...args: never[]) => T,
    message?: string,
  ): asserts value is T {
    if (!(value instanceof expected)) {
      fail(value, expected, 'assertInstanceOf', message ?? `${show(value)} is no ${expected.name}`)
    }
  }

  /** Length of a string or list, size of a set or map. */
  assertLength(
    value: string | { length: number } | { size: number },
    expected: number,
    message?: string,
  ): void {
    const actual = typeof value === 'string' || 'length' in value ? value.length : value.size
    if (actual !== expected) {
      fail(
        actual,
        expected,
        'assertLength',
        message ?? `length is ${actual}, not ${expected}: ${show(value)}`,
      )
    }
  }

  fail(message = 'failed'): never {
    return fail(undefined, undefined, 'fail', message)
  }
}

/** Throws the failure, with a stack that begins at the user's line. */
function fail(actual: unknown, expected: unknown, operator: string, message: string): never {
  const error = new assert.AssertionError({ actual, expected, operator, message })
  const method = Assertions.prototype[operator as keyof Assertions]
  if (typeof method === 'function') Error.captureStackTrace(error, method)
  throw error
}

function contains(container: Container, item: unknown): boolean {
  if (typeof container === 'string') return container.includes(String(item))
  if (container instanceof Map) return container.has(item)
  if (container instanceof Set) return container.has(item) || hasEqual(container, item)
  if (isIterable(container)) return hasEqual(container, item)
  return Object.hasOwn(container, item as PropertyKey)
}

function hasEqual(items: Iterable<unknown>, wanted: unknown): boolean {
  for (const item of items) {
    if (isDeepStrictEqual(item, wanted)) return true
  }
  return false
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value
}

/** `test()` of a pattern with the g or y flag depends on where the last search ended; this does not. */
function matches(pattern: RegExp, text: string): boolean {
  return text.search(pattern) !== -1
}

function show(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 3, breakLength: Infinity })
  return text.length > 500 ? `${text.slice(0, 500)}... (${text.length} characters)` : text
}
