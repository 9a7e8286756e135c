import assert from 'node:assert/strict'
import fc from 'fast-check'
import { hitsPerUser, profileOf, scenarioOf } from '@loads-runner/protocol/testing'
import {
  isOpen,
  iterationsOf,
  runStages,
  shareOut,
  type ConstantRate,
  type LoadModel,
} from '@loads-runner/testcase/load'
import {
  deal,
  plannedOf,
  Progress,
  remainingExecutions,
  remainingUnits,
  startsMade,
  untouchedUnits,
} from '../src/respread.ts'
import { FakeCluster } from './support/fake-cluster.ts'

const rate: ConstantRate = {
  type: 'constant-rate',
  rate: 10,
  durationMs: 1000,
  spacing: 'uniform',
  users: 4,
  maxLateMs: 1000,
}
const timed: LoadModel = { type: 'constant-users', users: 2, durationMs: 1000, rampUpMs: 0 }
/** Units 0 to 3, 4 and 5, 6 to 8 (quotas 3, 2, 2), 9 to 12. */
const profile = profileOf(
  hitsPerUser(4, 5),
  timed,
  { type: 'shared-hits', users: 3, hits: 7, rampUpMs: 0, maxDurationMs: null },
  rate,
)
const stages = runStages(profile)
const none: ReadonlySet<number> = new Set()

describe('respread', () => {
  it('moves units of stages that are not over, each from its last reported iteration', () => {
    const [share] = shareOut(profile, 2)
    const progress = new Progress(profile)
    progress.take([0, 5, 1, 2, 7, 1, 10, 12])
    const moved = [{ unit: 3, stage: 0, fromIteration: 4 }]
    assert.deepEqual(remainingUnits(stages, { share: share!, moved, done: none }, progress), [
      { unit: 1, stage: 0, fromIteration: 2 },
      { unit: 4, stage: 1, fromIteration: 0 },
      { unit: 6, stage: 2, fromIteration: 0 },
      { unit: 7, stage: 2, fromIteration: 1 },
      { unit: 9, stage: 3, fromIteration: 0 },
      { unit: 10, stage: 3, fromIteration: 12 },
      { unit: 3, stage: 0, fromIteration: 4 },
    ])
    assert.deepEqual(
      remainingUnits(stages, { share: share!, moved, done: new Set([0, 3]) }, progress).map(
        ({ unit }) => unit,
      ),
      [4, 6, 7],
    )
  })

  it('moves a user of shared hits only while its part of the hits is not made', () => {
    const [share] = shareOut(profile, 1)
    const progress = new Progress(profile)
    progress.take([6, 3, 7, 2, 8, 1])
    const remaining = remainingUnits(stages, { share: share!, moved: [], done: new Set([0, 1, 3]) }, progress)
    assert.deepEqual(remaining, [{ unit: 8, stage: 2, fromIteration: 1 }])
    assert.equal(remainingExecutions(stages, remaining[0]!), 1)
  })

  it('keeps users of a timed stage and lanes of a schedule going, from their last reported iteration', () => {
    const [share] = shareOut(profile, 2)
    const progress = new Progress(profile)
    progress.take([4, 900, 9, 700])
    const holding = { share: share!, moved: [], done: new Set([0, 2]) }
    const [user, lane] = remainingUnits(stages, holding, progress)
    assert.deepEqual(user, { unit: 4, stage: 1, fromIteration: 900 })
    assert.deepEqual(lane, { unit: 9, stage: 3, fromIteration: 700 })
    assert.equal(remainingExecutions(stages, user!), 0)
    assert.equal(remainingExecutions(stages, lane!), 0)
  })

  it('takes progress only forward, and ignores units that the run does not have', () => {
    const progress = new Progress(profile)
    progress.take([2, 4, 999, 7, 2, 3, 1])
    assert.equal(progress.of(2), 4)
    assert.equal(progress.of(999), 0)
    assert.equal(progress.of(1), 0)
  })

  it('finds units that were moved and never taken up', () => {
    const progress = new Progress(profile)
    progress.take([1, 3])
    const moved = [
      { unit: 0, stage: 0, fromIteration: 2 },
      { unit: 1, stage: 0, fromIteration: 2 },
      { unit: 4, stage: 1, fromIteration: 0 },
      { unit: 9, stage: 3, fromIteration: 0 },
    ]
    assert.deepEqual(untouchedUnits(stages, { moved, done: none }, progress), [moved[0], moved[2], moved[3]])
    // Where time bounds a unit there is nothing left of it once its stage is over.
    assert.deepEqual(untouchedUnits(stages, { moved, done: new Set([0, 1, 3]) }, progress), [moved[0]])
    const limited = runStages(profileOf({ ...hitsPerUser(4, 5), maxDurationMs: 1000 }))
    const first = moved.slice(0, 1)
    assert.deepEqual(untouchedUnits(limited, { moved: first, done: none }, progress), first)
    assert.deepEqual(untouchedUnits(limited, { moved: first, done: new Set([0]) }, progress), [])
  })

  it('counts the starts that lanes made beyond where an agent got them', () => {
    const [share] = shareOut(profile, 2)
    const progress = new Progress(profile)
    progress.take([0, 5, 4, 8, 9, 30, 10, 20, 11, 100])
    const moved = [
      { unit: 11, stage: 3, fromIteration: 90 },
      { unit: 12, stage: 3, fromIteration: 4 },
    ]
    assert.equal(startsMade(stages, { share: share!, moved, done: none }, progress), 30 + 20 + 10)
  })

  it('deals every unit once, in parts that differ by one at most', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 9 }), (count, parts) => {
        const units = Array.from({ length: count }, (_, unit) => ({ unit, stage: 0, fromIteration: 0 }))
        const dealt = deal(units, parts)
        const sizes = dealt.map((part) => part.length)
        assert.deepEqual(
          dealt
            .flat()
            .map(({ unit }) => unit)
            .sort((a, b) => a - b),
          units.map(({ unit }) => unit),
        )
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
      }),
    )
  })

  it('plans, over all shares, what the profile plans', () => {
    const planned = shareOut(profile, 3).map((share) => plannedOf(stages, share))
    assert.equal(
      planned.reduce((a, b) => a + b),
      4 * 5 + 7,
    )
  })

  const open = { spacing: 'poisson', users: 7, maxLateMs: 1000 } as const
  const steps = [{ durationMs: 1000, target: 9 }]
  const models: LoadModel[] = [
    hitsPerUser(9, 4),
    { type: 'shared-hits', users: 5, hits: 23, rampUpMs: 0, maxDurationMs: null },
    timed,
    { type: 'ramping-users', startUsers: 1, steps },
    { type: 'constant-rate', rate: 30, durationMs: 1000, ...open },
    { type: 'ramping-rate', startRate: 1, steps, ...open },
    { type: 'externally-controlled', controls: 'rate', start: 5, durationMs: null, ...open },
    { type: 'externally-controlled', controls: 'users', start: 5, durationMs: null, ...open },
  ]

  for (const model of models) {
    const name = model.type === 'externally-controlled' ? `${model.type} ${model.controls}` : model.type
    it(`loses nothing of ${name}, whichever agents are lost and when: each unit has one owner, each iteration is made`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 5 }), FakeCluster.script(), (agents, script) => {
          const cluster = new FakeCluster(profileOf(model), agents)
          cluster.play(script)
          cluster.checkOwners()
          cluster.complete()
          cluster.checkBooks()
        }),
        { numRuns: 60 },
      )
    })
  }

  it('loses nothing of scenarios of all models side by side', () => {
    const scenarios = models.map((model, index) => scenarioOf({ name: `s${index}`, stages: [model] }))
    assert.ok(runStages({ scenarios }).some((stage) => isOpen(stage.model)))
    assert.ok(runStages({ scenarios }).some((stage) => iterationsOf(stage, stage.firstUnit) !== null))
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), FakeCluster.script(), (agents, script) => {
        const cluster = new FakeCluster({ scenarios }, agents)
        cluster.play(script)
        cluster.checkOwners()
        cluster.complete()
        cluster.checkBooks()
      }),
      { numRuns: 60 },
    )
  })
})
