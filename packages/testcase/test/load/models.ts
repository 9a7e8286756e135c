import fc from 'fast-check'
import type { RateModel } from '../../src/load/rate-curve.ts'
import type { RampingUsers, Spacing, Step } from '../../src/load/model.ts'

const rate = fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 400, noNaN: true }))
const durationMs = fc.integer({ min: 0, max: 8000 })

const steps = (target: fc.Arbitrary<number>): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ durationMs, target }), { minLength: 1, maxLength: 5 })

const open = (spacing: Spacing, users: number) => ({ spacing, users, maxLateMs: 30_000 })

/** Any rate model of a known length. */
export const rateModels: fc.Arbitrary<RateModel> = fc
  .record({
    spacing: fc.constantFrom<Spacing>('uniform', 'poisson'),
    users: fc.integer({ min: 1, max: 2000 }),
  })
  .chain(({ spacing, users }) =>
    fc.oneof(
      fc
        .record({ rate, durationMs })
        .map((each): RateModel => ({ type: 'constant-rate', ...each, ...open(spacing, users) })),
      fc
        .record({ startRate: rate, steps: steps(rate) })
        .map((each): RateModel => ({ type: 'ramping-rate', ...each, ...open(spacing, users) })),
    ),
  )

export const rampingUsers: fc.Arbitrary<RampingUsers> = fc
  .record({ startUsers: fc.nat(300), steps: steps(fc.nat(300)) })
  .map((each) => ({ type: 'ramping-users', ...each }))
