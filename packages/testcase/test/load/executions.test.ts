import assert from 'node:assert/strict'
import type { LoadModel } from '../../src/load/model.ts'
import { runStages } from '../../src/load/profile.ts'
import { firstOrdinal, stageOfExecution } from '../../src/load/executions.ts'

const open = { spacing: 'uniform', users: 5, maxLateMs: 0 } as const
const models: LoadModel[] = [
  { type: 'hits-per-user', users: 3, iterations: 4, rampUpMs: 0, maxDurationMs: null },
  { type: 'constant-users', users: 2, durationMs: 1000, rampUpMs: 0 },
  { type: 'shared-hits', users: 4, hits: 10, rampUpMs: 0, maxDurationMs: null },
  { type: 'constant-rate', rate: 10, durationMs: 2000, ...open },
  { type: 'externally-controlled', controls: 'rate', start: 1, durationMs: null, ...open },
]
const scenario = (name: string, stages: LoadModel[]) => ({
  name,
  tests: [],
  startMs: 0,
  stages,
  pause: { type: 'none' } as const,
  gracefulStopMs: 0,
  tags: {},
  params: {},
})
const stages = runStages({ scenarios: [scenario('other', [models[0]!]), scenario('all', models)] })

describe('executions', () => {
  it('counts ordinals on through the stages of a scenario, where their number is known', () => {
    assert.deepEqual(
      stages.map((stage) => firstOrdinal(stages, stage)),
      [0, 0, 12, 12, 22, 42],
    )
  })

  it('finds the stage of an execution by its user, or by its number', () => {
    const find = (unit: number, iteration: number) =>
      stageOfExecution(stages, { scenario: 'all', unit, iteration })
    assert.equal(find(3, 2)?.stage.number, 1)
    assert.deepEqual([find(6, 900)?.stage.number, find(6, 900)?.unit], [2, 6])
    assert.equal(find(99, 12)?.stage.number, 3)
    assert.equal(find(99, 21)?.stage.number, 3)
    assert.equal(find(99, 22)?.stage.number, 4)
    assert.equal(find(99, 5_000)?.stage.number, 5)
    assert.equal(find(99, 3), null)
    assert.equal(stageOfExecution(stages, { scenario: 'none', unit: 0, iteration: 0 }), null)
  })
})
