import assert from 'node:assert/strict'
import { hitsPerUser, scenarioOf } from '@loads-runner/protocol/testing'
import { LoadPhases } from '../../src/proxies/load-phases.ts'

const stages = [hitsPerUser(1, 1), hitsPerUser(2, 1)]

describe('phases of a load', () => {
  it('are the stages of its scenario, each once', () => {
    const phases = new LoadPhases({ scenarios: [scenarioOf({ name: 'shop', stages })] })
    assert.deepEqual(phases.all(), ['stage 1', 'stage 2'])
    assert.deepEqual(phases.begin(0), ['stage 1'])
    assert.deepEqual(phases.begin(0), [])
    assert.deepEqual(phases.begin(1), ['stage 2'])
  })

  it('are scenarios, of which all that need not wait begin at once', () => {
    const scenarios = [
      scenarioOf({ name: 'browse', stages: stages.slice(0, 1) }),
      scenarioOf({ name: 'buy', stages: stages.slice(0, 1) }),
      scenarioOf({ name: 'late', stages: stages.slice(0, 1), startMs: 1000 }),
    ]
    const phases = new LoadPhases({ scenarios })
    assert.deepEqual(phases.begin(0), ['scenario browse', 'scenario buy'])
    assert.deepEqual(phases.begin(2), ['scenario late'])
  })
})
