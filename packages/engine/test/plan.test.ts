import assert from 'node:assert/strict'
import fc from 'fast-check'
import { runStages, shareOut } from '@loads-runner/testcase/load'
import { planSession } from '../src/plan.ts'
import { arriving, closed, profileOf as profileWith } from './helpers/run-session.ts'

const profileOf = (users: number[], iterations: number) =>
  profileWith([{ stages: users.map((each) => closed(each, iterations)) }], [])
const replay = null

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
            const plan = planSession({ profile, workers, replay }, share, 4)
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
    assert.equal(planSession({ profile, workers: 0, replay }, share, 8).threads, 0)
    assert.equal(planSession({ profile, workers: 8, replay }, share, 8).threads, 3)
    assert.equal(planSession({ profile, workers: null, replay }, share, 8).threads, 1)
  })
  it('takes a thread for every 2,000 starts a second, and for every 100 users, of what goes on side by side', () => {
    const threadsOf = (...stages: Parameters<typeof profileWith>[0][number]['stages'][]) => {
      const profile = profileWith(
        stages.map((each) => ({ stages: each })),
        [],
      )
      return planSession({ profile, workers: null, replay }, shareOut(profile, 1)[0]!, 16).threads
    }
    assert.equal(threadsOf([arriving(2000, 1000, 10_000)]), 1)
    assert.equal(threadsOf([arriving(7000, 1000, 10_000)]), 4)
    assert.equal(threadsOf([closed(100, 1), closed(250, 1)]), 3)
    assert.equal(threadsOf([closed(250, 1)], [arriving(3000, 1000, 500)]), 4)
  })

  it('gives one execution alone to the agent that has its unit', () => {
    const profile = profileWith([{ stages: [closed(10, 5)] }, { stages: [arriving(10, 1000, 7)] }], [])
    const stages = runStages(profile)
    for (const one of [
      { scenario: 'all', unit: 7, iteration: 3 },
      { scenario: 'scenario-1', unit: 12, iteration: 9 },
    ]) {
      const plans = shareOut(profile, 3).map((share) =>
        planSession({ profile, workers: 1, replay: one }, share, 4),
      )
      assert.equal(
        plans.reduce((sum, plan) => sum + plan.planned, 0),
        1,
      )
      const ranges = plans.flatMap((plan) => plan.ranges.flatMap((thread) => [...thread.entries()]))
      const [chosen, ...others] = ranges.filter(([, range]) => range.count > 0)
      assert.deepEqual(others, [])
      assert.equal(stages[chosen![0]]!.scenario.name, one.scenario)
    }
  })
})
