import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  firstUserOf,
  plannedExecutions,
  rampUpOffset,
  shareOut,
  splitEvenly,
  stageOfUser,
  type LoadProfile,
} from '../src/load-profile.ts'

const profiles = fc.record({
  stages: fc.array(
    fc.record({ users: fc.nat(500), iterations: fc.nat(100), durationMs: fc.constant(null) }),
    { minLength: 1, maxLength: 5 },
  ),
  rampUpMs: fc.nat(60_000),
  delayMs: fc.constant(0),
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

describe('shareOut', () => {
  it('gives every user of every stage to exactly one part', () => {
    fc.assert(
      fc.property(profiles, fc.integer({ min: 1, max: 20 }), (profile: LoadProfile, parts) => {
        const shares = shareOut(profile, parts)
        assert.equal(shares.length, parts)
        for (const stage of profile.stages.keys()) {
          const users = shares.flatMap(({ ranges }) => {
            const { first, count } = ranges[stage]!
            return Array.from({ length: count }, (_each, index) => first + index)
          })
          const first = firstUserOf(profile, stage)
          assert.deepEqual(
            users,
            Array.from({ length: profile.stages[stage]!.users }, (_each, index) => first + index),
          )
          for (const user of users) assert.equal(stageOfUser(profile, user), stage)
        }
      }),
    )
  })

  it('knows no stage for a user beyond the last', () => {
    const profile: LoadProfile = {
      stages: [{ users: 2, iterations: 1, durationMs: null }],
      rampUpMs: 0,
      delayMs: 0,
    }
    assert.equal(stageOfUser(profile, 2), -1)
  })
})

describe('rampUpOffset', () => {
  it('spreads the users of each stage evenly, the first at once', () => {
    const profile: LoadProfile = {
      stages: [
        { users: 4, iterations: 1, durationMs: null },
        { users: 2, iterations: 1, durationMs: null },
      ],
      rampUpMs: 1000,
      delayMs: 0,
    }
    assert.deepEqual(
      [0, 1, 2, 3].map((user) => rampUpOffset(profile, 0, user)),
      [0, 250, 500, 750],
    )
    assert.deepEqual(
      [4, 5].map((user) => rampUpOffset(profile, 1, user)),
      [0, 500],
    )
  })
})

describe('plannedExecutions', () => {
  it('is users times iterations, and unknown for a time-bound stage', () => {
    assert.equal(plannedExecutions({ users: 3, iterations: 7, durationMs: null }), 21)
    assert.equal(plannedExecutions({ users: 3, iterations: null, durationMs: 1000 }), null)
  })
})
