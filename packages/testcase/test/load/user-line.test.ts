import assert from 'node:assert/strict'
import fc from 'fast-check'
import { durationOf, mostUsersOf, type LoadModel } from '../../src/load/model.ts'
import { splitEvenly } from '../../src/load/profile.ts'
import { Ranks } from '../../src/load/ranks.ts'
import { rampUpOffset, UserLine, usersAt } from '../../src/load/user-line.ts'
import { rampingUsers } from './models.ts'

const isActive = (line: UserLine, rank: number, ms: number) =>
  line.activeOf(rank).some(({ fromMs, toMs }) => ms >= fromMs && ms < toMs)

describe('user line', () => {
  it('has each user active while the line is above its rank', () => {
    const line = new UserLine({
      type: 'ramping-users',
      startUsers: 0,
      steps: [
        { durationMs: 1000, target: 4 },
        { durationMs: 1000, target: 4 },
        { durationMs: 1000, target: 0 },
      ],
    })
    assert.deepEqual(line.activeOf(0), [{ fromMs: 0, toMs: 3000 }])
    assert.deepEqual(line.activeOf(3), [{ fromMs: 750, toMs: 2250 }])
    assert.deepEqual(line.activeOf(4), [])
    assert.deepEqual(
      [line.usersAt(500), line.usersAt(1500), line.usersAt(2500), line.usersAt(3000)],
      [2, 4, 2, 0],
    )
  })

  it('says as many users at any time as there are active ones', () => {
    fc.assert(
      fc.property(
        rampingUsers,
        fc.array(fc.double({ min: 0, max: 45_000, noNaN: true }), { maxLength: 20 }),
        (model, times) => {
          const line = new UserLine(model)
          for (const ms of times) {
            let active = 0
            for (let rank = 0; rank < mostUsersOf(model); rank++) if (isActive(line, rank, ms)) active++
            // Where the line goes through a whole number, rounding may decide either way.
            assert.ok(
              Math.abs(active - line.usersAt(ms)) <= (isNearWhole(model, ms) ? 1 : 0),
              `at ${ms}: ${active}`,
            )
          }
        },
      ),
    )
  })

  it('ramps every agent alike', () => {
    fc.assert(
      fc.property(
        rampingUsers,
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (model, agents, part) => {
          const users = mostUsersOf(model)
          if (users === 0) return
          const line = new UserLine(model)
          const ranks = new Ranks(users)
          const ms = part * durationOf(model)!
          const active = Array.from({ length: users }, (_, place) => isActive(line, ranks.of(place), ms))
          const all = active.filter(Boolean).length
          for (const { first, count } of splitEvenly(users, agents)) {
            const here = active.slice(first, first + count).filter(Boolean).length
            assert.ok(Math.abs(here - (all * count) / users) <= 4)
          }
        },
      ),
    )
  })

  it('follows an operator, never above the most users', () => {
    const line = new UserLine(
      {
        type: 'externally-controlled',
        controls: 'users',
        start: 2,
        durationMs: null,
        users: 5,
        spacing: 'uniform',
        maxLateMs: 0,
      },
      [
        { atMs: 1000, target: 9, paused: false },
        { atMs: 2000, target: 9, paused: true },
        { atMs: 3000, target: 1, paused: false },
      ],
    )
    assert.deepEqual(
      [500, 1500, 2500, 3500].map((ms) => line.usersAt(ms)),
      [2, 5, 0, 1],
    )
    assert.deepEqual(line.activeOf(0), [
      { fromMs: 0, toMs: 2000 },
      { fromMs: 3000, toMs: Infinity },
    ])
    assert.deepEqual(line.activeOf(4), [{ fromMs: 1000, toMs: 2000 }])
  })

  it('plans the users of a ramp-up', () => {
    const model: LoadModel = { type: 'constant-users', users: 4, durationMs: 2000, rampUpMs: 1000 }
    const begun = Array.from({ length: 4 }, (_, rank) => rampUpOffset(rank, 4, 1000))
    assert.deepEqual(begun, [0, 250, 500, 750])
    for (const ms of [0, 100, 250, 600, 999, 1000, 1999]) {
      assert.equal(usersAt(model, ms), begun.filter((from) => from <= ms).length, `at ${ms}`)
    }
    assert.equal(usersAt(model, 2000), 0)
  })
})

function isNearWhole(model: Extract<LoadModel, { type: 'ramping-users' }>, ms: number): boolean {
  let from = 0
  let users = model.startUsers
  for (const { durationMs, target } of model.steps) {
    if (durationMs > 0 && ms >= from - 1e-6 && ms <= from + durationMs + 1e-6) {
      const value = users + ((target - users) * (ms - from)) / durationMs
      if (Math.abs(value - Math.round(value)) < 1e-6) return true
    }
    from += durationMs
    users = target
  }
  return false
}
