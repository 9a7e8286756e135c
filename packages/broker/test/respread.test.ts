import assert from 'node:assert/strict'
import fc from 'fast-check'
import { shareOut, type LoadProfile } from '@loads-runner/testcase/load'
import {
  deal,
  plannedOf,
  Progress,
  remainingExecutions,
  remainingUsers,
  untouchedUsers,
} from '../src/respread.ts'

const profile: LoadProfile = {
  stages: [
    { users: 4, iterations: 5, durationMs: null },
    { users: 2, iterations: null, durationMs: 1000 },
    { users: 2, iterations: 3, durationMs: null },
  ],
  rampUpMs: 0,
  delayMs: 0,
}

describe('respread', () => {
  it('moves users of unfinished stages, each from its last reported iteration', () => {
    const [share] = shareOut(profile, 2)
    const progress = new Progress(profile)
    progress.take([0, 5, 1, 2])
    const moved = [{ user: 3, stage: 0, fromIteration: 4 }]
    assert.deepEqual(remainingUsers(profile, { share: share!, moved }, 0, progress), [
      { user: 1, stage: 0, fromIteration: 2 },
      { user: 4, stage: 1, fromIteration: 0 },
      { user: 6, stage: 2, fromIteration: 0 },
      { user: 3, stage: 0, fromIteration: 4 },
    ])
    assert.deepEqual(
      remainingUsers(profile, { share: share!, moved }, 1, progress).map(({ user }) => user),
      [4, 6],
    )
  })

  it('keeps users of a timed stage going, from their last reported iteration', () => {
    const [share] = shareOut(profile, 2)
    const progress = new Progress(profile)
    progress.take([4, 900])
    const [first] = remainingUsers(profile, { share: share!, moved: [] }, 1, progress)
    assert.deepEqual(first, { user: 4, stage: 1, fromIteration: 900 })
    assert.equal(remainingExecutions(profile, first!), 0)
  })

  it('takes progress only forward, and ignores users that the run does not have', () => {
    const progress = new Progress(profile)
    progress.take([2, 4, 999, 7, 2, 3, 1])
    assert.equal(progress.of(2), 4)
    assert.equal(progress.of(999), 0)
    assert.equal(progress.of(1), 0)
  })

  it('finds users that were moved and never taken up', () => {
    const progress = new Progress(profile)
    progress.take([1, 3])
    const moved = [
      { user: 0, stage: 0, fromIteration: 2 },
      { user: 1, stage: 0, fromIteration: 2 },
      { user: 4, stage: 1, fromIteration: 0 },
    ]
    assert.deepEqual(untouchedUsers(profile, moved, progress), [moved[0]])
  })

  it('deals every user once, in parts that differ by one at most', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 9 }), (count, parts) => {
        const users = Array.from({ length: count }, (_, user) => ({ user, stage: 0, fromIteration: 0 }))
        const dealt = deal(users, parts)
        const sizes = dealt.map((part) => part.length)
        assert.deepEqual(
          dealt
            .flat()
            .map(({ user }) => user)
            .sort((a, b) => a - b),
          users.map(({ user }) => user),
        )
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
      }),
    )
  })

  it('plans, over all shares, what the profile plans', () => {
    const planned = shareOut(profile, 3).map((share) => plannedOf(profile, share))
    assert.equal(
      planned.reduce((a, b) => a + b),
      4 * 5 + 2 * 3,
    )
  })
})
