import assert from 'node:assert'
import strict from 'node:assert/strict'
import { createRequire } from 'node:module'
import { isAssertionFailure } from '../src/assertion-failure.ts'
import { RequestError } from '../src/errors.ts'
import { TestCase } from '../src/test-case.ts'

/** Loaded without its types, which are not installed. */
const { expect } = createRequire(import.meta.url)('chai') as {
  expect: (value: unknown) => { to: { equal: (other: unknown) => void } }
}

function thrownBy(action: () => void): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('isAssertionFailure', () => {
  it('knows node:assert, chai and our own assertions', () => {
    assert.ok(isAssertionFailure(thrownBy(() => assert.equal(1, 2))))
    assert.ok(isAssertionFailure(thrownBy(() => strict.ok(false))))
    assert.ok(isAssertionFailure(thrownBy(() => expect(1).to.equal(2))))
    assert.ok(isAssertionFailure(thrownBy(() => new TestCase().assertTrue(false))))
    assert.ok(isAssertionFailure(thrownBy(() => new TestCase().fail())))
  })

  it('knows expect by its matcher result, and assertions of other copies by their name', () => {
    assert.ok(isAssertionFailure(Object.assign(new Error('expected'), { matcherResult: { pass: false } })))
    class AssertionError extends Error {
      override name = 'AssertionError'
    }
    assert.ok(isAssertionFailure(new AssertionError('elsewhere')))
  })

  it('takes everything else for an error', () => {
    const request = new RequestError('x', { class: 'reset', method: 'GET', url: 'http://x/', cause: null })
    const trap = Object.defineProperty({}, 'name', {
      get() {
        throw new Error('trap')
      },
    })
    for (const other of [
      new Error('x'),
      new TypeError('assert'),
      request,
      'AssertionError',
      null,
      undefined,
      {},
      trap,
    ]) {
      assert.equal(isAssertionFailure(other), false)
    }
  })
})
