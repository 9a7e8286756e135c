import type { ConstantUsers } from '@loads-runner/testcase/load'
import { formatDuration } from '../duration.ts'
import type { LoadKind } from './load-kind.ts'
import { rampUpText, usersOf, usersText } from './user-stages.ts'

/** A fixed number of users for a time. */
export const constantUsers: LoadKind<ConstantUsers> = {
  type: 'constant-users',
  options: ['duration', 'users', 'rampUp', 'pause', 'delay', 'gracefulStop'],

  validate(load) {
    const { rampUp, duration } = load.settings
    if (duration === null || rampUp <= duration) return []
    return [
      `${load.name('rampUp')} is longer than ${load.name('duration')}: the last users would never start; make it shorter`,
    ]
  },

  describe({ users, durationMs, rampUpMs }) {
    return `${usersText(users)} for ${formatDuration(durationMs)}${rampUpText(rampUpMs)}`
  },

  plan(load, context) {
    const { duration, rampUp } = load.settings
    return usersOf(load, context).map((users) => ({
      type: 'constant-users',
      users,
      durationMs: duration!,
      rampUpMs: rampUp,
    }))
  },
}
