import assert from 'node:assert/strict'
import { UsageError } from '../src/errors.ts'
import type { Step } from '../src/scopes.ts'
import { settleExecution } from '../src/user-link.ts'
import { internTags } from '../src/tags.ts'
import { deferred } from './helpers/deferred.ts'
import { makeUser, releaseUsers } from './helpers/user.ts'

describe('this.step', () => {
  afterEach(releaseUsers)

  it('times sync and async actions, names steps in steps, and gives back what they return', async () => {
    const { test, meter } = makeUser()
    assert.equal(
      test.step('sync', () => 7),
      7,
    )
    const result = await test.step('checkout', async (step) => {
      assert.equal(step.name, 'checkout')
      await Promise.resolve()
      await test.step('pay', async () => {
        await Promise.resolve()
        test.step('card', () => {})
      })
      return 'paid'
    })
    assert.equal(result, 'paid')
    test.step('after', () => {})
    assert.deepEqual(
      meter.steps.map(([name]) => name),
      ['sync', 'checkout / pay / card', 'checkout / pay', 'checkout', 'after'],
    )
    for (const [, millis] of meter.steps) assert.ok(millis >= 0 && millis < 60_000)
  })

  it('is recorded when its action throws, and the error goes on', async () => {
    const { test, meter } = makeUser()
    assert.throws(
      () =>
        test.step('sync', () => {
          throw new Error('at once')
        }),
      /at once/,
    )
    await assert.rejects(
      test.step('outer', () =>
        test.step('inner', async () => {
          await Promise.resolve()
          throw new Error('later')
        })),
      /later/,
    )
    test.step('next', () => {})
    assert.deepEqual(
      meter.steps.map(([name]) => name),
      ['sync', 'outer / inner', 'outer', 'next'],
    )
  })

  it('measures the time of its action', async () => {
    const { test, meter } = makeUser()
    await test.step('wait', () => new Promise((resolve) => setTimeout(resolve, 30)))
    // Timers may fire a millisecond early.
    assert.ok(meter.steps[0]![1] >= 28, String(meter.steps[0]![1]))
  })

  it('names steps side by side after the step they are started from', async () => {
    const { test, meter } = makeUser()
    const first = deferred()
    await test.step('page', (page: Step) =>
      Promise.all([
        page.step('a', async (a) => {
          await first.promise
          await a.step('deep', () => Promise.resolve())
        }),
        page.step('b', async () => {
          await Promise.resolve()
          first.resolve()
        }),
      ]))
    assert.deepEqual(
      meter.steps.map(([name]) => name),
      ['page / b', 'page / a / deep', 'page / a', 'page'],
    )
  })

  it('refuses steps that are not awaited, and those that overlap', async () => {
    const { test } = makeUser()
    const end = deferred()
    const first = test.step('first', () => end.promise)
    assert.throws(() => test.step('second', () => {}), /step "second" and step "first" run at the same time/)
    end.resolve()
    await first

    const [a, b] = [deferred(), deferred()]
    const outer = test.step('a', () => a.promise)
    await Promise.resolve()
    const inner = test.step('b', () => b.promise)
    a.resolve()
    await assert.rejects(
      outer,
      (error: unknown) => error instanceof UsageError && /"b".*"a"/.test(error.message),
    )
    b.resolve()
    await inner
    test.step('again', () => {})
  })

  it('lets an async action start a step before and after it first waits', async () => {
    const { test, meter } = makeUser()
    await test.step('outer', async () => {
      await test.step('one', async () => {})
      await test.step('two', async () => {})
    })
    assert.deepEqual(
      meter.steps.map(([name]) => name),
      ['outer / one', 'outer / two', 'outer'],
    )
  })

  it('refuses a recursion and a step without name', async () => {
    const { test } = makeUser()
    const dive = (): Promise<void> => test.step('again', () => dive())
    assert.throws(dive, /17 steps and tags deep/)
    const sink = (step: Step): void => step.step('again', sink)
    assert.throws(() => test.step('again', sink), /17 steps and tags deep/)
    assert.throws(() => test.step('', () => {}), /a step needs a name/)
    test.step('well again', () => {})
  })
})

describe('this.tagged', () => {
  afterEach(releaseUsers)

  it('sets the tags of what is recorded in it, over those outside, and restores them', async () => {
    const { test, context } = makeUser()
    const outside = internTags({ team: 'shop', page: 'none' })
    context.tags = outside
    const value = await test.tagged({ page: 'home' }, async () => {
      await Promise.resolve()
      assert.deepEqual(test.tags, { team: 'shop', page: 'home' })
      test.tagged({ box: 'top' }, () => {
        assert.deepEqual(test.tags, { team: 'shop', page: 'home', box: 'top' })
      })
      return test.tags
    })
    assert.equal(context.tags, outside)
    // The same words are the same object: series are looked up by identity.
    assert.equal(
      test.tagged({ page: 'home' }, () => test.tags),
      value,
    )
    assert.throws(
      () =>
        test.tagged({ page: 'home' }, () => {
          throw new Error('x')
        }),
      /x/,
    )
    assert.equal(context.tags, outside)
    context.tags = null
    assert.deepEqual(test.tags, {})
  })

  it('refuses tags that are no words, and tags side by side', async () => {
    const { test, context } = makeUser()
    assert.throws(() => test.tagged({ id: 7 } as never, () => {}), /the tag "id" is 7/)
    const end = deferred()
    const first = test.tagged({ page: 'a' }, () => end.promise)
    assert.throws(() => test.tagged({ page: 'b' }, () => {}), /the option "tags"/)
    end.resolve()
    await first
    assert.equal(context.tags, null)
  })

  it('is left with its execution, and does not come back when its action ends later', async () => {
    const { test, context } = makeUser()
    const outside = internTags({ team: 'shop' })
    context.tags = outside
    const end = deferred()
    const cut = test.tagged({ page: 'a' }, () => test.step('s', () => end.promise))
    settleExecution(test)
    assert.equal(context.tags, outside)
    await test.tagged({ page: 'b' }, async () => {
      end.resolve()
      await cut
      assert.deepEqual(test.tags, { team: 'shop', page: 'b' })
    })
    assert.equal(context.tags, outside)
  })
})
