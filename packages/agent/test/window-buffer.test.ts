import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { SessionWindow } from '@loads-runner/engine'
import { Delta } from '@loads-runner/metrics'
import { WindowBuffer } from '../src/window-buffer.ts'

function windowOf(second: number, count: number, changes: Partial<SessionWindow> = {}): SessionWindow {
  const delta = new Delta()
  delta.add({
    key: { kind: 'counter', test: '', name: 'c', method: '', status: '', tags: {} },
    detail: null,
    count: 0,
    failed: 0,
    sum: 0,
    min: 0,
    max: 0,
    bytesIn: 0,
    bytesOut: 0,
    value: count,
    lastAt: second,
    buckets: null,
  })
  return {
    number: -1,
    fromMs: second * 1000,
    toMs: (second + 1) * 1000,
    final: false,
    activeUsers: 1,
    ledger: { planned: 0, started: second, finished: second, interrupted: 0, dropped: 0 },
    progress: [second % 3, second],
    delta,
    generator: { eventLoopLagMs: 0, cpu: 0, gcMs: 0, latenessMs: 0, portsExhausted: false },
    rows: [],
    ...changes,
  }
}

const valueOf = (window: SessionWindow) =>
  [...window.delta.series.values()].reduce((sum, each) => sum + each.value, 0)

describe('window buffer', () => {
  it('keeps what is not acknowledged and forgets the rest', () => {
    const buffer = new WindowBuffer()
    for (const second of [0, 1, 2]) buffer.push(windowOf(second, 1))
    assert.deepEqual([buffer.next()!.number, buffer.next()!.number, buffer.next()!.number], [0, 1, 2])
    assert.equal(buffer.next(), null)
    buffer.ack(1)
    assert.deepEqual(
      buffer.unacknowledged().map((each) => each.number),
      [2],
    )
    assert.equal(buffer.isEmpty, false)
    buffer.ack(2)
    assert.equal(buffer.isEmpty, true)
  })

  it('stays bounded and loses nothing, however long nobody takes windows', () => {
    const steps = fc.array(fc.oneof(fc.constant('push'), fc.constant('send'), fc.constant('ack')), {
      maxLength: 300,
    })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (plan, most) => {
        const buffer = new WindowBuffer(0, most)
        let second = 0
        let pushed = 0
        const sent: SessionWindow[] = []
        for (const step of plan) {
          if (step === 'push') buffer.push(windowOf(second++, ++pushed && 1))
          if (step === 'send') {
            const window = buffer.next()
            if (window !== null) sent.push(window)
          }
          if (step === 'ack' && sent.length > 0) buffer.ack(sent.at(-1)!.number)
        }
        for (let window = buffer.next(); window !== null; window = buffer.next()) sent.push(window)
        assert.equal(
          sent.reduce((sum, each) => sum + valueOf(each), 0),
          pushed,
        )
        assert.deepEqual(
          sent.map((each) => each.number),
          sent.map((_, index) => index),
        )
        for (const [index, each] of sent.entries()) {
          assert.equal(each.fromMs, index === 0 ? 0 : sent[index - 1]!.toMs, 'spans follow one another')
        }
        assert.equal(sent.at(-1)?.toMs ?? 0, second * 1000)
      }),
    )
  })

  describe('windows that were merged', () => {
    function merged(...changes: Partial<SessionWindow>[]): SessionWindow {
      const buffer = new WindowBuffer(0, 1)
      for (const [second, each] of changes.entries()) buffer.push(windowOf(second, 1, each))
      const window = buffer.next()!
      assert.equal(buffer.next(), null)
      return window
    }

    it('have the books of the last, and the progress of both', () => {
      const first = { planned: 5, started: 5, finished: 4, interrupted: 0, dropped: 1 }
      const last = { planned: 12, started: 8, finished: 8, interrupted: 0, dropped: 4 }
      const window = merged(
        { ledger: first, progress: [1, 2, 3, 3] },
        { ledger: last, progress: [3, 4, 5, 1] },
      )
      assert.deepEqual(window.ledger, last)
      assert.deepEqual(window.progress, [1, 2, 3, 4, 5, 1])
    })

    it('are as unwell as the worse of them; processor time is a mean, collections of garbage add up', () => {
      const well = { eventLoopLagMs: 1, cpu: 0.25, gcMs: 5, latenessMs: 0.5, portsExhausted: false }
      const unwell = { eventLoopLagMs: 20, cpu: 1, gcMs: 30, latenessMs: 3, portsExhausted: true }
      const both = { eventLoopLagMs: 20, gcMs: 35, latenessMs: 3, portsExhausted: true }
      // The first lasts a second, the other two seconds.
      assert.deepEqual(merged({ generator: well }, { generator: unwell, toMs: 3000 }).generator, {
        ...both,
        cpu: 0.75,
      })
      assert.deepEqual(merged({ generator: unwell }, { generator: well, toMs: 3000 }).generator, {
        ...both,
        cpu: 0.5,
      })
    })

    it('have used the rows of both, each feed by itself', () => {
      const window = merged(
        { rows: [{ feed: 'a', used: [0, 10] }] },
        {
          rows: [
            { feed: 'a', used: [10, 5, 100, 2] },
            { feed: 'b', used: [7, 1] },
          ],
        },
        { rows: [{ feed: 'a', used: [102, 1] }] },
      )
      assert.deepEqual(window.rows, [
        { feed: 'a', used: [0, 15, 100, 3] },
        { feed: 'b', used: [7, 1] },
      ])
    })

    it('lie on one side of the end of the warm-up', () => {
      const buffer = new WindowBuffer(2000, 1)
      for (const second of [0, 1, 2, 3, 4]) buffer.push(windowOf(second, 1))
      const spans = [buffer.next()!, buffer.next()!].map(({ fromMs, toMs }) => [fromMs, toMs])
      assert.deepEqual(spans, [
        [0, 2000],
        [2000, 5000],
      ])
      assert.equal(buffer.next(), null)
    })
  })
})
