import assert from 'node:assert/strict'
import { randomOf } from '../../src/random.ts'
import { ruleOf } from '../support/fake-flow.ts'

function treatmentOf(type: string, attributes: Record<string, unknown> = {}) {
  const { definition, attributes: parsed } = ruleOf(type, attributes)
  return definition.connect!({ random: randomOf('connect') }, parsed)
}

describe('connect_delay, refuse, ignore', () => {
  it('delay the backend, cut, or leave the client waiting', () => {
    assert.deepEqual(treatmentOf('connect_delay', { delay: '2s' }), { delayMs: 2000 })
    const { delayMs } = treatmentOf('connect_delay', { delay: 100, jitter: 50 })
    assert.ok(delayMs !== undefined && delayMs >= 50 && delayMs < 150 && delayMs !== 100)
    assert.deepEqual(treatmentOf('connect_delay', { times: '70' }), { delayMs: 70 })
    assert.deepEqual(treatmentOf('refuse'), { refuse: 'rst' })
    assert.deepEqual(treatmentOf('refuse', { how: 'fin' }), { refuse: 'fin' })
    assert.deepEqual(treatmentOf('ignore'), { ignore: true })
  })
})
