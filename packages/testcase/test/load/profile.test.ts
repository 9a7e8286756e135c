import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  iterationsOf,
  plannedExecutions,
  runStages,
  shareOut,
  splitEvenly,
  stageAfter,
  totalUnits,
  unitsOf,
  type LoadModel,
  type LoadProfile,
} from '../../src/load/index.ts'

const users = fc.nat(500)
const rampUpMs = fc.constant(0)
const open = {
  spacing: fc.constantFrom('uniform' as const, 'poisson' as const),
  maxLateMs: fc.constant(30_000),
}
const steps = fc.array(fc.record({ durationMs: fc.nat(10_000), target: fc.nat(300) }), {
  minLength: 1,
  maxLength: 4,
})

const models: fc.Arbitrary<LoadModel> = fc.oneof(
  fc.record({
    type: fc.constant('constant-users' as const),
    users,
    durationMs: fc.constant(1000),
    rampUpMs,
  }),
  fc.record({
    type: fc.constant('hits-per-user' as const),
    users,
    iterations: fc.nat(100),
    rampUpMs,
    maxDurationMs: fc.constant(null),
  }),
  fc.record({
    type: fc.constant('shared-hits' as const),
    users: fc.integer({ min: 1, max: 500 }),
    hits: fc.nat(5000),
    rampUpMs,
    maxDurationMs: fc.constant(null),
  }),
  fc.record({ type: fc.constant('ramping-users' as const), startUsers: users, steps }),
  fc.record({
    type: fc.constant('constant-rate' as const),
    users: fc.integer({ min: 1, max: 20_000 }),
    rate: fc.integer({ min: 1, max: 5000 }),
    durationMs: fc.constant(1000),
    ...open,
  }),
)

const profiles: fc.Arbitrary<LoadProfile> = fc
  .array(fc.array(models, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map((scenarios) => ({
    scenarios: scenarios.map((stages, index) => ({
      name: `scenario-${index}`,
      tests: [{ label: 'TestSite.test_x', weight: 1 }],
      startMs: 0,
      stages,
      pause: { type: 'none' },
      gracefulStopMs: 30_000,
      tags: {},
      params: {},
    })),
  }))

function profileOf(...scenarios: LoadModel[][]): LoadProfile {
  return {
    scenarios: scenarios.map((stages, index) => ({
      name: `scenario-${index}`,
      tests: [],
      startMs: 0,
      stages,
      pause: { type: 'none' },
      gracefulStopMs: 0,
      tags: {},
      params: {},
    })),
  }
}

const perUser = (count: number, iterations: number): LoadModel => ({
  type: 'hits-per-user',
  users: count,
  iterations,
  rampUpMs: 0,
  maxDurationMs: null,
})

const shared = (count: number, hits: number): LoadModel => ({
  type: 'shared-hits',
  users: count,
  hits,
  rampUpMs: 0,
  maxDurationMs: null,
})

describe('splitEvenly', () => {
  it('splits 10 over 3 into 4, 3 and 3', () => {
    assert.deepEqual(
      splitEvenly(10, 3).map((range) => range.count),
      [4, 3, 3],
    )
  })

  it('covers everything once, in order, in parts that differ by one at most', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 200 }), (count, parts) => {
        const ranges = splitEvenly(count, parts)
        let next = 0
        for (const range of ranges) {
          assert.equal(range.first, next)
          next += range.count
        }
        assert.equal(next, count)
        const counts = ranges.map((range) => range.count)
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
      }),
    )
  })
})

describe('runStages', () => {
  it('numbers stages and units through the whole run, without gap', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const stages = runStages(profile)
        let unit = 0
        for (const [number, stage] of stages.entries()) {
          assert.equal(stage.number, number)
          assert.equal(stage.model, profile.scenarios[stage.scenarioIndex]!.stages[stage.place])
          assert.equal(stage.firstUnit, unit)
          assert.equal(stage.units, unitsOf(stage.model))
          unit += stage.units
        }
        assert.equal(unit, totalUnits(profile))
        assert.equal(stages.length, profile.scenarios.flatMap(({ stages: each }) => each).length)
      }),
    )
  })

  it('has one unit per user in closed models, and 1,000 lanes at most in open ones', () => {
    assert.equal(unitsOf(perUser(7, 1)), 7)
    const ramp = [
      { durationMs: 1, target: 9 },
      { durationMs: 1, target: 0 },
    ]
    assert.equal(unitsOf({ type: 'ramping-users', startUsers: 2, steps: ramp }), 9)
    const rate = { type: 'constant-rate', rate: 10, durationMs: 1, spacing: 'uniform', maxLateMs: 1 } as const
    assert.equal(unitsOf({ ...rate, users: 40 }), 40)
    assert.equal(unitsOf({ ...rate, users: 10_000 }), 1000)
  })
})

describe('stageAfter', () => {
  it('goes on within a scenario, never into the next one', () => {
    const stages = runStages(profileOf([perUser(1, 1), perUser(2, 1)], [perUser(3, 1)]))
    assert.equal(stageAfter(stages, 0), 1)
    assert.equal(stageAfter(stages, 1), null)
    assert.equal(stageAfter(stages, 2), null)
  })
})

describe('shareOut', () => {
  it('gives every unit of every stage to exactly one part', () => {
    fc.assert(
      fc.property(profiles, fc.integer({ min: 1, max: 20 }), (profile, parts) => {
        const shares = shareOut(profile, parts)
        assert.equal(shares.length, parts)
        for (const stage of runStages(profile)) {
          let next = stage.firstUnit
          for (const { ranges } of shares) {
            const range = ranges[stage.number]!
            assert.equal(range.first, next)
            next += range.count
          }
          assert.equal(next, stage.firstUnit + stage.units)
        }
      }),
    )
  })
})

describe('plannedExecutions', () => {
  it('is the sum of what the units have, and unknown where time bounds a stage', () => {
    fc.assert(
      fc.property(profiles, fc.integer({ min: 1, max: 9 }), (profile, parts) => {
        const shares = shareOut(profile, parts)
        for (const stage of runStages(profile)) {
          let sum: number | null = 0
          for (const { ranges } of shares) {
            const part = plannedExecutions(stage, ranges[stage.number]!)
            sum = part === null || sum === null ? null : sum + part
          }
          const { model } = stage
          if (model.type === 'hits-per-user') assert.equal(sum, model.users * model.iterations)
          else if (model.type === 'shared-hits') assert.equal(sum, model.hits)
          else assert.equal(sum, null)
        }
      }),
    )
  })

  it('shares hits out as even as can be', () => {
    const stage = runStages(profileOf([perUser(2, 5)], [shared(3, 10)]))[1]!
    assert.deepEqual(
      [2, 3, 4].map((unit) => iterationsOf(stage, unit)),
      [4, 3, 3],
    )
    assert.equal(plannedExecutions(stage, { first: 3, count: 2 }), 6)
    assert.equal(iterationsOf(runStages(profileOf([perUser(2, 5)]))[0]!, 1), 5)
  })
})
