import assert from 'node:assert/strict'
import { pauseAfter } from '../../src/load/pause.ts'
import { createRandom } from '../../src/random.ts'

const never = () => assert.fail('no random number is needed')

describe('pause', () => {
  it('is none, constant, or what is left of the pace', () => {
    assert.equal(pauseAfter({ type: 'none' }, never, 10), 0)
    assert.equal(pauseAfter({ type: 'constant', ms: 70 }, never, 10), 70)
    assert.equal(pauseAfter({ type: 'pacing', ms: 100 }, never, 30), 70)
    assert.equal(pauseAfter({ type: 'pacing', ms: 100 }, never, 130), 0)
  })

  it('is drawn from its distribution', () => {
    const random = createRandom(1, 'pauses')
    const draw = (pause: Parameters<typeof pauseAfter>[0]) =>
      Array.from({ length: 20_000 }, () => pauseAfter(pause, () => random, 0))
    const mean = (all: number[]) => all.reduce((sum, each) => sum + each, 0) / all.length
    const uniform = draw({ type: 'uniform', fromMs: 100, toMs: 300 })
    assert.ok(uniform.every((ms) => ms >= 100 && ms < 300))
    assert.ok(Math.abs(mean(uniform) - 200) < 3)
    const exponential = draw({ type: 'exponential', meanMs: 200 })
    assert.ok(Math.abs(mean(exponential) - 200) < 8)
    const longer = exponential.filter((ms) => ms > 400).length / exponential.length
    assert.ok(Math.abs(longer - Math.exp(-2)) < 0.012)
  })
})
