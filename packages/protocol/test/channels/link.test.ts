import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import * as v from 'valibot'
import { decodeFrame, encodeFrame } from '../../src/channels/frames.ts'
import { Link, limits, timing } from '../../src/channels/link.ts'

const schema = v.union([v.number(), v.instance(Uint8Array)])
type Message = v.InferOutput<typeof schema>
const token = new Uint8Array(16).fill(7)

/** A link whose transport is a list. */
function linkOnPaper(): { link: Link<Message, Message>; written: Uint8Array[]; ends: () => number } {
  const written: Uint8Array[] = []
  let ends = 0
  const link = new Link<Message, Message>({
    schema,
    token,
    write: (frame) => void written.push(frame),
    ended: () => void (ends += 1),
  })
  return { link, written, ends: () => ends }
}

const kinds = (frames: Uint8Array[]) => frames.map((frame) => decodeFrame(frame)[1])

describe('Link', () => {
  it('hands no more than a window to its transport, and goes on as the other side takes it in', () => {
    const { link, written } = linkOnPaper()
    for (let i = 0; i < 2_000; i++) link.send(i)
    assert.equal(written.length, limits.window.messages)
    assert.equal(link.backlog, 2_000 - limits.window.messages)
    link.receive(encodeFrame([token, 'received', 100]))
    assert.equal(written.length, limits.window.messages + 100)
    link.receive(encodeFrame([token, 'received', 100]))
    assert.equal(written.length, limits.window.messages + 100)
  })

  it('counts bytes too, and lets one message of any size go', () => {
    const { link, written } = linkOnPaper()
    const big = new Uint8Array(limits.window.bytes * 2)
    link.send(big)
    link.send(1)
    assert.equal(written.length, 1)
    link.receive(encodeFrame([token, 'received', 1]))
    assert.equal(written.length, 2)
  })

  it('never stands still: two links with any messages between them deliver all, in order', () => {
    const sizes = fc.array(
      fc.oneof(
        { weight: 20, arbitrary: fc.nat(200) },
        { weight: 2, arbitrary: fc.integer({ min: 100_000, max: 900_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 4_000_000, max: 9_000_000 }) },
      ),
      { maxLength: 60 },
    )
    const manySmall = fc.integer({ min: 500, max: 3_000 }).map((count) => Array<number>(count).fill(3))
    fc.assert(
      fc.property(fc.oneof(sizes, manySmall), (lengths) => {
        const wire: [Link<Message, Message>, Uint8Array][] = []
        const make = (other: () => Link<Message, Message>): Link<Message, Message> =>
          new Link({ schema, token, write: (frame) => void wire.push([other(), frame]), ended: () => {} })
        const near: Link<Message, Message> = make(() => far)
        const far: Link<Message, Message> = make(() => near)
        const arrived: number[] = []
        far.onMessage((message) => arrived.push((message as Uint8Array).length))
        const waiting = [...lengths]
        while (waiting.length > 0 || wire.length > 0) {
          // False means: queued, and wait now.
          while (waiting.length > 0 && near.send(new Uint8Array(waiting.shift()!))) continue
          for (let next = wire.shift(); next !== undefined; next = wire.shift()) next[0].receive(next[1])
        }
        assert.deepEqual(arrived, lengths)
        assert.equal(near.backlog, 0)
      }),
      { numRuns: 30 },
    )
  })

  it('drops the other side beyond the mark, by number and by size', async () => {
    const many = linkOnPaper()
    let sent = 0
    while (!many.link.isEnded && sent < 20_000) {
      many.link.send(sent)
      sent += 1
    }
    assert.equal(sent, limits.overflow.messages + limits.window.messages + 1)
    assert.equal((await many.link.closed).reason, 'lost')
    assert.equal(kinds(many.written).at(-1), 'bye')
    assert.equal(many.link.backlog, 0)

    const large = linkOnPaper()
    let bytes = 0
    while (!large.link.isEnded && bytes < 200 * 1024 * 1024) {
      large.link.send(new Uint8Array(1024 * 1024))
      bytes += 1024 * 1024
    }
    assert.ok(bytes <= limits.overflow.bytes + limits.window.bytes + 2 * 1024 * 1024, String(bytes))
    assert.match((await large.link.closed).message, /too slow/)
  })

  it('shows that it lives when it has nothing to say', () => {
    const { link, written } = linkOnPaper()
    const start = performance.now()
    link.tick(start + 100)
    assert.equal(written.length, 0)
    link.tick(start + timing.tickMs)
    assert.deepEqual(kinds(written), ['received'])
  })

  it('gives up after ten silent seconds, not before, and says so', async () => {
    const { link, written, ends } = linkOnPaper()
    const start = performance.now()
    for (let ms = 1_000; ms < timing.silenceMs; ms += 1_000) link.tick(start + ms)
    assert.equal(link.isEnded, false)
    link.tick(start + timing.silenceMs + 100)
    assert.deepEqual(await link.closed, {
      reason: 'lost',
      message: 'Nothing was heard from the other side for 10 s',
    })
    assert.equal(kinds(written).at(-1), 'bye')
    assert.equal(ends(), 1)
  })

  it('does not take its own standstill for silence', () => {
    const { link } = linkOnPaper()
    const start = performance.now()
    link.tick(start + 1_000)
    link.tick(start + 60_000)
    assert.equal(link.isEnded, false)
    for (let ms = 61_000; ms < 70_000; ms += 1_000) link.tick(start + ms)
    assert.equal(link.isEnded, false)
    link.tick(start + 70_000)
    assert.equal(link.isEnded, true)
  })

  it('refuses reports and messages that break the rules', async () => {
    const wrong: Uint8Array[][] = [
      [encodeFrame([token, 'received', 1])],
      [encodeFrame([token, 'message', 'text'])],
      [Uint8Array.of(0xc1)],
      [new Uint8Array()],
      Array.from({ length: limits.window.messages + 1 }, () => encodeFrame([token, 'message', 1])),
    ]
    for (const frames of wrong) {
      const { link, written } = linkOnPaper()
      for (const frame of frames) link.receive(frame)
      assert.match((await link.closed).message, /Refused here/)
      assert.deepEqual(kinds(written), ['bye'])
      const [, , reason] = decodeFrame(written[0]!)
      assert.equal(reason, 'refused')
    }
  })

  it('is lost when a frame has another token', async () => {
    const { link } = linkOnPaper()
    link.receive(encodeFrame([new Uint8Array(16), 'message', 1]))
    assert.equal((await link.closed).reason, 'lost')
  })

  it('answers nothing after its end, whatever comes', async () => {
    const { link, written, ends } = linkOnPaper()
    link.lose('enough')
    const before = written.length
    for (const frame of [
      encodeFrame([token, 'message', 1]),
      encodeFrame([token, 'parted']),
      Uint8Array.of(1),
    ])
      link.receive(frame)
    link.tick(performance.now() + 100_000)
    link.report()
    link.lose('again')
    link.refuse('again')
    link.broken('again')
    await link.close()
    assert.equal(written.length, before)
    assert.deepEqual(await link.closed, { reason: 'lost', message: 'enough' })
    assert.equal(ends(), 1)
  })

  it('does not believe a confirmation before it said bye', async () => {
    const { link } = linkOnPaper()
    for (let i = 0; i < limits.window.messages + 5; i++) link.send(i)
    const closing = link.close()
    link.receive(encodeFrame([token, 'parted']))
    assert.equal(link.isEnded, false)
    link.receive(encodeFrame([token, 'received', 5]))
    link.receive(encodeFrame([token, 'parted']))
    await closing
    assert.deepEqual(await link.closed, { reason: 'closed', message: 'Closed here' })
  })

  it('waits in close for as long as the other side takes in more', async () => {
    const { link } = linkOnPaper()
    for (let i = 0; i < limits.window.messages + 5; i++) link.send(i)
    const closing = link.close()
    for (let taken = 1; taken <= 5; taken++) {
      await delay(timing.flushMs / 3)
      link.receive(encodeFrame([token, 'received', taken]))
    }
    assert.equal(link.isEnded, false)
    link.receive(encodeFrame([token, 'parted']))
    await closing
    assert.deepEqual(await link.closed, { reason: 'closed', message: 'Closed here' })
  })

  it('keeps delivering when a handler throws, and does not hide the error', async () => {
    const { link } = linkOnPaper()
    const got: Message[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    try {
      const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
      link.onMessage((message) => {
        got.push(message)
        if (message === 1) throw new Error('a defect')
      })
      for (const message of [1, 2, 3]) link.receive(encodeFrame([token, 'message', message]))
      assert.deepEqual(got, [1, 2, 3])
      assert.match(String(await thrown), /a defect/)
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })
})
