import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describePause, parsePause } from '../../src/options/pause-value.ts'
import { formatPerSecond, parseRate, parseSteps } from '../../src/options/rate-values.ts'
import { parseReplay } from '../../src/options/replay-value.ts'

describe('values of options', () => {
  it('reads pauses', () => {
    assert.deepEqual(parsePause('none'), { type: 'none' })
    assert.deepEqual(parsePause('0'), { type: 'none' })
    assert.deepEqual(parsePause('500ms'), { type: 'constant', ms: 500 })
    assert.deepEqual(parsePause('1s..3s'), { type: 'uniform', fromMs: 1000, toMs: 3000 })
    assert.deepEqual(parsePause('0.5..2'), { type: 'uniform', fromMs: 500, toMs: 2000 })
    assert.deepEqual(parsePause('exp:2s'), { type: 'exponential', meanMs: 2000 })
    assert.deepEqual(parsePause('pace:5s'), { type: 'pacing', ms: 5000 })
    for (const wrong of ['', 'x', '1s..', '..1s', '1..2..3', 'exp:', 'exp:x', 'gauss:2s'])
      assert.throws(
        () => parsePause(wrong),
        /is not a pause \(write 1s, 1s\.\.3s, exp:2s or pace:5s\)/,
        wrong,
      )
    assert.throws(() => parsePause('3s..1s'), /the shorter time comes first/)
    assert.throws(() => parsePause('pace:0'), /longer than nothing/)
  })

  it('describes pauses', () => {
    const said = ['none', '1s', '1s..3s', 'exp:2s', 'pace:5s'].map((text) => describePause(parsePause(text)))
    assert.deepEqual(said, [
      null,
      'pause 1s',
      'pause 1s to 3s',
      'pause 2s on average, exponential',
      'an execution every 5s per user',
    ])
  })

  it('reads rates', () => {
    const rates = ['50/s', '3000/m', '0.5/s', '7', '3600/h', '0'].map(parseRate)
    assert.deepEqual(rates, [50, 50, 0.5, 7, 1, 0])
    for (const wrong of ['', 'x', '-1', '5/d', '1e3', '50/', '/s', '5 /s/s'])
      assert.throws(() => parseRate(wrong), /is not a rate/, wrong)
    assert.throws(() => parseRate('99999999'), /more than 10000000 per second/)
  })

  it('writes rates so that they are read as the same', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), (rate) => {
        const again = parseRate(formatPerSecond(rate))
        assert.ok(Math.abs(again - rate) <= rate * 1e-5, `${rate} became ${again}`)
      }),
    )
  })

  it('reads lines', () => {
    assert.deepEqual(parseSteps('10s:100,1m: 50/s'), [
      { durationMs: 10_000, target: { value: 100, isRate: false } },
      { durationMs: 60_000, target: { value: 50, isRate: true } },
    ])
  })

  it('reads what to replay', () => {
    assert.deepEqual(parseReplay('latest:default/3/0'), { run: 'latest', execution: 'default/3/0' })
    assert.deepEqual(parseReplay('results/2026-11-21--4:my buy/1042'), {
      run: 'results/2026-11-21--4',
      execution: 'my buy/1042',
    })
    for (const wrong of ['latest', ':a/1', 'latest:', 'latest:a', 'latest:a/b', 'latest:1/'])
      assert.throws(() => parseReplay(wrong), /is not RUN:EXECUTION; write latest:default\/3\/0/, wrong)
  })
})
