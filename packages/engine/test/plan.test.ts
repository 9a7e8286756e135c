import assert from 'node:assert/strict'
import fc from 'fast-check'
import { shareOut, type LoadProfile } from '@loads-runner/testcase'
import { planSession } from '../src/plan.ts'

const profileOf = (users: number[], iterations: number | null): LoadProfile => ({
  stages: users.map((each) => ({ users: each, iterations, durationMs: iterations === null ? 1000 : null })),
  rampUpMs: 0,
  delayMs: 0,
})

describe('plan', () => {
  it('divides 10 users over 3 agents as 4, 3 and 3', () => {
    const shares = shareOut(profileOf([10], 1), 3)
    assert.deepEqual(
      shares.map((share) => share.ranges[0]!.count),
      [4, 3, 3],
    )
  })

  it('gives every user of every stage to exactly one thread of exactly one agent', () => {
    const users = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(
        users,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(null, 0, 1, 2, 5),
        (stages, agents, workers) => {
          const profile = profileOf(stages, 3)
          const seen: number[] = []
          let planned = 0
          for (const share of shareOut(profile, agents)) {
            const plan = planSession({ profile, workers }, share, 4)
            planned += plan.planned
            for (const ranges of plan.ranges) {
              for (const { first, count } of ranges)
                for (let user = first; user < first + count; user++) seen.push(user)
            }
          }
          const total = stages.reduce((sum, each) => sum + each, 0)
          assert.deepEqual(
            seen.sort((a, b) => a - b),
            Array.from({ length: total }, (_, user) => user),
          )
          assert.equal(planned, total * 3)
        },
      ),
    )
  })

  it('runs on the main thread when asked for no workers, and never starts more threads than users', () => {
    const profile = profileOf([3], 1)
    const share = shareOut(profile, 1)[0]!
    assert.equal(planSession({ profile, workers: 0 }, share, 8).threads, 0)
    assert.equal(planSession({ profile, workers: 8 }, share, 8).threads, 3)
    assert.equal(planSession({ profile, workers: null }, share, 8).threads, 1)
  })
})
