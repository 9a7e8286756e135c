import { mostUsersOf } from '@loads-runner/testcase/load'
import type { RampingUsers } from '@loads-runner/testcase/load'
import { formatCount } from '../console/figures.ts'
import { describeLine, lineProblems } from './lines.ts'
import type { LoadKind } from './load-kind.ts'
import { usersText } from './user-stages.ts'

const mostUsers = 10_000_000

/** A number of users that changes along a line. */
export const rampingUsers: LoadKind<RampingUsers> = {
  type: 'ramping-users',
  options: ['stages', 'start', 'pause', 'delay', 'gracefulStop'],

  validate(load) {
    const { stages, start } = load.settings
    const heights = [
      ...(start === null ? [] : [{ key: 'start' as const, height: start }]),
      ...(stages ?? []).map((step) => ({ key: 'stages' as const, height: step.target })),
    ]
    const problems = heights.flatMap(({ key, height }) => {
      if (height.isRate)
        return [
          `${load.name(key)}: is a rate, and without --rate it is a line of users: write a plain number`,
        ]
      if (!Number.isInteger(height.value) || height.value > mostUsers)
        return [`${load.name(key)}: ${height.value} is not a number of users from 0 to ${mostUsers}`]
      return []
    })
    return [...lineProblems(load), ...new Set(problems)]
  },

  describe(model) {
    return `${describeLine(model, model.startUsers, formatCount)}, ${usersText(mostUsersOf(model))} at most`
  },

  plan({ settings: { stages, start } }) {
    const steps = stages!.map(({ durationMs, target }) => ({ durationMs, target: target.value }))
    return [{ type: 'ramping-users', startUsers: start?.value ?? 0, steps }]
  },
}
