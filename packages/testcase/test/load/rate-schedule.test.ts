import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  durationOf,
  type ConstantRate,
  type ControlChange,
  type ExternallyControlled,
  type LoadModel,
} from '../../src/load/model.ts'
import { runStages, shareOut, type LoadProfile } from '../../src/load/profile.ts'
import { RateCurve } from '../../src/load/rate-curve.ts'
import { Lanes, rateAt, RateSchedule, startsOf } from '../../src/load/rate-schedule.ts'
import { rateModels } from './models.ts'

const constant = (
  rate: number,
  durationMs: number,
  spacing: 'uniform' | 'poisson' = 'uniform',
): ConstantRate => ({
  type: 'constant-rate',
  rate,
  durationMs,
  spacing,
  users: 100,
  maxLateMs: 30_000,
})

const controlled = (start: number, durationMs: number | null = null): ExternallyControlled => ({
  type: 'externally-controlled',
  controls: 'rate',
  start,
  durationMs,
  spacing: 'uniform',
  users: 100,
  maxLateMs: 30_000,
})

const profileOf = (model: LoadModel): LoadProfile => ({
  scenarios: [
    {
      name: 'all',
      tests: [{ label: 'T.test', weight: 1 }],
      startMs: 0,
      stages: [model],
      pause: { type: 'none' },
      gracefulStopMs: 0,
      tags: {},
      params: {},
    },
  ],
})

const allOf = (schedule: RateSchedule, total = schedule.total) =>
  Array.from({ length: total }, (_, start) => schedule.dueAt(start))

describe('rate schedule', () => {
  it('spaces a constant rate evenly, whole or fractional', () => {
    assert.deepEqual(allOf(new RateSchedule(constant(4, 1000), 1, 's')), [0, 250, 500, 750])
    assert.deepEqual(allOf(new RateSchedule(constant(0.4, 10_000), 1, 's')), [0, 2500, 5000, 7500])
    assert.equal(startsOf(constant(200, 10_000)), 2000)
    assert.equal(startsOf(constant(0.1, 3000)), 1)
    assert.equal(startsOf(constant(1 / 3, 9000)), 3)
  })

  it('inverts a ramp exactly', () => {
    const ramp: LoadModel = {
      type: 'ramping-rate',
      startRate: 0,
      steps: [
        { durationMs: 10_000, target: 10 },
        { durationMs: 5000, target: 10 },
        { durationMs: 10_000, target: 0 },
      ],
      spacing: 'uniform',
      users: 10,
      maxLateMs: 0,
    }
    const schedule = new RateSchedule(ramp, 1, 's')
    assert.equal(schedule.total, 150)
    // Up: k = t^2 / 2 (seconds), then 10 a second, then the mirror image.
    assert.ok(Math.abs(schedule.dueAt(8) - 4000) < 1e-6)
    assert.ok(Math.abs(schedule.dueAt(60) - 11_000) < 1e-6)
    assert.ok(Math.abs(schedule.dueAt(150 - 8) - 21_000) < 1e-6)
    assert.equal(schedule.dueAt(150), Infinity)
    assert.equal(rateAt(ramp, 5000), 5)
    assert.equal(rateAt(ramp, 20_000), 5)
    assert.equal(rateAt(ramp, 25_000), 0)
  })

  it('follows the plan of every model: in order, in time, and never a start away from the integral', () => {
    fc.assert(
      fc.property(rateModels, fc.nat(2 ** 31), (model, seed) => {
        const schedule = new RateSchedule(model, seed, 's/0')
        const curve = new RateCurve(model)
        let last = 0
        for (let start = 0; start < schedule.total; start++) {
          const dueAt = schedule.dueAt(start)
          assert.ok(dueAt >= last && dueAt <= durationOf(model)!, `start ${start} at ${dueAt} after ${last}`)
          last = dueAt
          if (model.spacing === 'uniform')
            assert.ok(Math.abs(curve.startsUntil(dueAt) - start) < 1e-6 * (1 + start))
        }
        assert.equal(schedule.dueAt(schedule.total), Infinity)
        assert.ok(Math.abs(schedule.total - curve.startsUntil(durationOf(model)!)) <= 1)
      }),
    )
  })

  it('counts what is due by a time', () => {
    fc.assert(
      fc.property(
        rateModels,
        fc.array(fc.integer({ min: -10, max: 50_000 }), { maxLength: 10 }),
        (model, times) => {
          const schedule = new RateSchedule(model, 3, 's/0')
          const all = allOf(schedule)
          for (const ms of [...times, ...all.slice(0, 20)]) {
            assert.equal(schedule.dueBy(ms), all.filter((dueAt) => dueAt <= ms).length, `by ${ms}`)
          }
        },
      ),
    )
  })

  it('gives every start to one lane of one agent, the same on any number of agents', () => {
    fc.assert(
      fc.property(rateModels, fc.integer({ min: 1, max: 7 }), (model, agents) => {
        const profile = profileOf(model)
        const [stage] = runStages(profile)
        const lanes = new Lanes(stage!.units)
        const seen: [number, number][] = []
        for (const share of shareOut(profile, agents)) {
          // Each agent walks a schedule of its own, as it would elsewhere.
          const schedule = RateSchedule.of(stage!, model, 9)
          const { first, count } = share.ranges[0]!
          for (let lane = first; lane < first + count; lane++) {
            let turn = 0
            for (; lanes.startOf(lane, turn) < schedule.total; turn++) {
              const start = lanes.startOf(lane, turn)
              seen.push([start, schedule.dueAt(start)])
            }
            assert.equal(lanes.turnsIn(lane, schedule.total), turn)
          }
        }
        seen.sort((a, b) => a[0] - b[0])
        const alone = allOf(RateSchedule.of(stage!, model, 9))
        assert.deepEqual(seen, [...alone.entries()])
      }),
      { numRuns: 40 },
    )
  })

  it('shares each second out over agents in proportion', () => {
    const model = { ...constant(100, 20_000), users: 1000 }
    const lanes = new Lanes(1000)
    for (const share of shareOut(profileOf(model), 4)) {
      const seconds = Array.from({ length: 20 }, () => 0)
      const { first, count } = share.ranges[0]!
      for (let lane = first; lane < first + count; lane++) {
        for (let turn = 0; lanes.startOf(lane, turn) < 2000; turn++) {
          seconds[Math.floor(lanes.startOf(lane, turn) / 100)]! += 1
        }
      }
      for (const starts of seconds) assert.ok(starts >= 22 && starts <= 28, `${starts} of 25`)
    }
  })

  it('has exponential gaps with Poisson spacing, and exact counts', () => {
    const schedule = new RateSchedule(constant(100, 200_000, 'poisson'), 42, 's/0')
    assert.equal(schedule.total, 20_000)
    const times = allOf(schedule)
    const gaps = times.slice(1).map((time, index) => (time - times[index]!) / 10)
    gaps.sort((a, b) => a - b)
    // Kolmogorov and Smirnov, against 1 - exp(-x); 1.95 / sqrt(n) is passed by one sound generator in a thousand.
    const distance = Math.max(
      ...gaps.map((gap, index) => Math.abs(1 - Math.exp(-gap) - (index + 0.5) / gaps.length)),
    )
    assert.ok(distance < 1.95 / Math.sqrt(gaps.length), `distance ${distance}`)
    // A Poisson process is as likely to vary as its mean says: counts of 100 ms have a variance of 10.
    const counts = Array.from({ length: 2000 }, () => 0)
    for (const time of times) counts[Math.floor(time / 100)]! += 1
    const variance = counts.reduce((sum, count) => sum + (count - 10) ** 2, 0) / counts.length
    assert.ok(variance > 8.5 && variance < 11.5, `variance ${variance}`)
    const half = times.filter((time) => time < 102_400).length
    assert.equal(half, 10_240)
  })

  it('draws differently for another seed or stage, and alike for the same', () => {
    const times = (seed: number, key: string) =>
      allOf(new RateSchedule(constant(50, 1000, 'poisson'), seed, key))
    assert.deepEqual(times(1, 's/0'), times(1, 's/0'))
    assert.notDeepEqual(times(1, 's/0'), times(2, 's/0'))
    assert.notDeepEqual(times(1, 's/0'), times(1, 's/1'))
  })

  it('finds a start anywhere without walking there', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), (start) => {
        const walked = new RateSchedule(constant(1000, 3_000_000, 'poisson'), 5, 's/0')
        walked.dueAt(Math.max(0, start - 1))
        const dueAt = walked.dueAt(start)
        assert.equal(new RateSchedule(constant(1000, 3_000_000, 'poisson'), 5, 's/0').dueAt(start), dueAt)
        assert.ok(Math.abs(dueAt - start) < 250, 'a block of 1,024 starts is a second here')
      }),
    )
  })

  it('follows an operator: other rates, pauses, and on where it stopped', () => {
    const changes: ControlChange[] = [
      { atMs: 1000, target: 5, paused: false },
      { atMs: 2000, target: 5, paused: true },
      { atMs: 10_000, target: 2, paused: false },
    ]
    const schedule = new RateSchedule(controlled(2), 1, 's', changes)
    assert.deepEqual(
      allOf(schedule, 10).map((ms) => Math.round(ms)),
      [0, 500, 1000, 1200, 1400, 1600, 1800, 10_000, 10_500, 11_000],
    )
    assert.equal(schedule.dueBy(9999), 7)
    const paused = new RateSchedule(controlled(2), 1, 's', changes.slice(0, 2))
    assert.equal(paused.dueAt(7), Infinity)
    assert.equal(paused.dueBy(1e9), 7)
    assert.equal(new RateSchedule(controlled(10, 500), 1, 's').dueBy(1e9), 5)
    assert.equal(new RateSchedule(controlled(0), 1, 's').dueAt(0), Infinity)
  })
})
