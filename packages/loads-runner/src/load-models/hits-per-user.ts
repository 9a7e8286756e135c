import type { HitsPerUser } from '@loads-runner/testcase/load'
import { plural } from '../console/figures.ts'
import type { LoadKind } from './load-kind.ts'
import { maxDurationText, pairingProblem, rampUpText, usersOf, usersText } from './user-stages.ts'

/** A fixed number of users, each with the same number of executions: the plainest run. */
export const hitsPerUser: LoadKind<HitsPerUser> = {
  type: 'hits-per-user',
  options: ['iterations', 'users', 'maxDuration', 'rampUp', 'pause', 'delay', 'gracefulStop'],

  validate: pairingProblem,

  describe({ users, iterations, rampUpMs, maxDurationMs }) {
    const work = `${plural(iterations, 'execution')} each`
    return `${usersText(users)}, ${work}${rampUpText(rampUpMs)}${maxDurationText(maxDurationMs)}`
  },

  plan(load, context) {
    const { settings } = load
    const users = usersOf(load, context)
    const iterations = settings.iterations ?? [context.round]
    return Array.from({ length: Math.max(users.length, iterations.length) }, (_, stage) => ({
      type: 'hits-per-user',
      users: users[users.length === 1 ? 0 : stage]!,
      iterations: iterations[iterations.length === 1 ? 0 : stage]!,
      rampUpMs: settings.rampUp,
      maxDurationMs: settings.maxDuration,
    }))
  },
}
