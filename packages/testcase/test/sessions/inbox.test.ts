import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Inbox } from '../../src/sessions/inbox.ts'

class BoxError extends Error {
  override readonly name = 'BoxError'
}

function inbox(onMessage: ((message: string) => unknown) | null = null): Inbox<string> {
  return new Inbox<string>({ what: 'stream x', onMessage, error: (message) => new BoxError(message) })
}

describe('Inbox', () => {
  it('hands out every message once and in order, however messages and receivers mix', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (steps) => {
        const box = inbox()
        const taken: Promise<unknown>[] = []
        let delivered = 0
        for (const deliver of steps) {
          if (deliver) box.deliver(String(delivered++))
          else taken.push(box.take(null))
        }
        while (delivered < taken.length) box.deliver(String(delivered++))
        assert.deepEqual(
          await Promise.all(taken),
          taken.map((_each, index) => String(index)),
        )
        box.end(() => new BoxError('closed'))
        let rest = 0
        while ((await box.next(null)) !== null) rest++
        assert.equal(rest, delivered - taken.length)
      }),
    )
  })

  it('gives up waiting in time, without taking the message from the next', async () => {
    const box = inbox()
    await assert.rejects(box.take(5), { name: 'BoxError', message: 'no message within 5 ms' })
    const next = box.take(10_000)
    box.deliver('for the next')
    assert.equal(await next, 'for the next')
  })

  it('gives what waits before it says that it is closed', async () => {
    const box = inbox()
    const waiting = box.take(10_000)
    box.deliver('a')
    box.deliver('b')
    box.end(() => new BoxError('closed'))
    assert.deepEqual([await waiting, await box.take(null)], ['a', 'b'])
    await assert.rejects(box.take(null), /closed/)
    assert.equal(await box.next(null), null)
  })

  it('ends whoever waits', async () => {
    const box = inbox()
    const [taking, looping] = [box.take(10_000), box.next(null)]
    box.end(() => new BoxError('closed'))
    await assert.rejects(taking, /closed/)
    assert.equal(await looping, null)
  })

  it('fails all that wait, or the next that comes, once', async () => {
    const box = inbox()
    const waiting = [box.take(null), box.take(10_000)]
    box.interrupt()
    for (const each of waiting) await assert.rejects(each, { name: 'InterruptedError' })
    box.interrupt()
    assert.equal(box.takeError(), null)
    box.fail(new BoxError('first'))
    box.fail(new BoxError('second'))
    await assert.rejects(box.take(null), /first/)
    assert.equal(box.takeError(), null)
  })

  it('keeps what its callback throws, also later', async () => {
    const box = inbox((message) => {
      if (message === 'bad') throw new BoxError('at once')
      return Promise.reject(new BoxError('later'))
    })
    box.deliver('bad')
    assert.throws(() => box.rethrow(), /at once/)
    box.deliver('worse')
    await new Promise((resolve) => setImmediate(resolve))
    assert.throws(() => box.rethrow(), /later/)
  })

  it('refuses more than it has room for: loudly, or where a callback saw it, when asked', async () => {
    const box = inbox()
    for (let count = 0; count < 10_001; count++) box.deliver('x')
    await assert.rejects(box.take(null), /overflow/)
    await assert.rejects(async () => box.take(null), /overflow/)
    const beside = inbox(() => {})
    for (let count = 0; count < 257; count++) beside.deliver('x')
    assert.equal(beside.takeError(), null)
    await assert.rejects(async () => beside.take(null), /overflow/)
  })
})
