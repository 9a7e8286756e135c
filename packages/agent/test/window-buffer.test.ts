import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { SessionWindow } from '@loads-runner/engine'
import { Delta } from '@loads-runner/metrics'
import { WindowBuffer } from '../src/window-buffer.ts'

function windowOf(second: number, count: number): SessionWindow {
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
    ledger: { planned: 0, started: second, finished: second, interrupted: 0 },
    progress: [second % 3, second],
    delta,
    generator: { eventLoopLagMs: 0, cpu: 0 },
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
        const buffer = new WindowBuffer(most)
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
})
