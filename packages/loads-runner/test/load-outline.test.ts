import assert from 'node:assert/strict'
import fc from 'fast-check'
import { scenarioOf } from '@loads-runner/protocol/testing'
import type { LoadModel } from '@loads-runner/testcase/load'
import { certainUsersAtOnce, mostUsersAtOnce, outlineOf } from '../src/load-outline.ts'
import { chart } from '../src/commands/dry-run-text.ts'

const open = { spacing: 'uniform', users: 25, maxLateMs: 1000 } as const

const models: fc.Arbitrary<LoadModel> = fc.oneof(
  fc.record({
    type: fc.constant('constant-users' as const),
    users: fc.integer({ min: 1, max: 500 }),
    durationMs: fc.integer({ min: 1, max: 100_000 }),
    rampUpMs: fc.constant(0),
  }),
  fc.record({
    type: fc.constant('hits-per-user' as const),
    users: fc.integer({ min: 1, max: 500 }),
    iterations: fc.integer({ min: 1, max: 50 }),
    rampUpMs: fc.constant(0),
    maxDurationMs: fc.constant(null),
  }),
  fc.record({
    type: fc.constant('shared-hits' as const),
    users: fc.integer({ min: 1, max: 500 }),
    hits: fc.integer({ min: 1, max: 5000 }),
    rampUpMs: fc.constant(0),
    maxDurationMs: fc.constant(null),
  }),
  fc.record({
    type: fc.constant('constant-rate' as const),
    rate: fc.integer({ min: 1, max: 500 }),
    durationMs: fc.integer({ min: 1000, max: 60_000 }),
    spacing: fc.constant('uniform' as const),
    users: fc.integer({ min: 1, max: 5000 }),
    maxLateMs: fc.constant(0),
  }),
)

describe('outlineOf', () => {
  it('adds up users, executions and time', () => {
    const scenarios = [
      scenarioOf({
        name: 'a',
        stages: [
          { type: 'constant-users', users: 4, durationMs: 5000, rampUpMs: 0 },
          { type: 'ramping-users', startUsers: 0, steps: [{ durationMs: 5000, target: 9 }] },
        ],
      }),
      scenarioOf({
        name: 'b',
        startMs: 2000,
        stages: [{ type: 'constant-rate', rate: 20, durationMs: 10_000, ...open }],
      }),
    ]
    const outline = outlineOf({ scenarios }, 2)
    assert.deepEqual([outline.users, outline.starts, outline.durationMs], [34, null, 12_000])
    const [a, b] = outline.scenarios
    assert.deepEqual([a!.users, a!.starts, a!.durationMs, a!.curve!.unit], [9, null, 10_000, 'users'])
    assert.equal(a!.curve!.values[0], 4)
    assert.deepEqual([b!.starts, b!.durationMs], [200, 10_000])
    assert.deepEqual(new Set(b!.curve!.values), new Set([20]))
    assert.equal(mostUsersAtOnce({ scenarios }), 34)
    assert.equal(certainUsersAtOnce({ scenarios }), 9, 'users on demand may never be needed')
  })

  it('shares all of it out, whatever the plan', () => {
    fc.assert(
      fc.property(
        fc.array(models, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 9 }),
        (list, agents) => {
          const scenarios = list.map((model, index) => scenarioOf({ name: `s${index}`, stages: [model] }))
          const { agents: shares, users, starts } = outlineOf({ scenarios }, agents)
          assert.equal(shares.length, agents)
          const sum = (of: (share: (typeof shares)[number]) => number) =>
            shares.reduce((all, each) => all + of(each), 0)
          assert.equal(
            sum((share) => share.users),
            users,
          )
          if (starts === null) assert.ok(shares.every((share) => share.starts === null))
          // The parts of a rate are rounded.
          else assert.ok(Math.abs(sum((share) => share.starts!) - starts) <= agents * list.length)
        },
      ),
    )
  })

  it('draws a curve only where the time is known', () => {
    const scenarios = [scenarioOf()]
    assert.deepEqual(
      [outlineOf({ scenarios }, 1).scenarios[0]!.curve, outlineOf({ scenarios }, 1).durationMs],
      [null, null],
    )
  })
})

describe('chart', () => {
  it('is a line with the highest at the top', () => {
    assert.equal(chart({ unit: 'users', values: [0, 5, 10, 5, 0] }), '| ▄█▄ |  the highest is 10 users')
    assert.equal(chart({ unit: 'per-second', values: [0.5, 0.5] }), '|██|  the highest is 0.5/s')
    assert.equal(chart({ unit: 'users', values: [0, 0] }), '|  |  the highest is 0 users')
  })
})
