import type { SharedHits } from '@loads-runner/testcase/load'
import { plural } from '../console/figures.ts'
import type { LoadKind } from './load-kind.ts'
import { maxDurationText, rampUpText, usersOf, usersText } from './user-stages.ts'

/** A fixed number of executions, made by whichever user is free. */
export const sharedHits: LoadKind<SharedHits> = {
  type: 'shared-hits',
  options: ['sharedHits', 'users', 'maxDuration', 'rampUp', 'pause', 'delay', 'gracefulStop'],

  validate(load) {
    const { users, sharedHits: hits } = load.settings
    const most = Math.max(0, ...(users ?? []))
    if (hits === null || most <= hits) return []
    return [
      `${load.name('users')} has ${most} users for the ${plural(hits, 'execution')} of ${load.name('sharedHits')}: ` +
        'some would have nothing to do; give fewer users',
    ]
  },

  describe({ users, hits, rampUpMs, maxDurationMs }) {
    const work = `${usersText(users)} share ${plural(hits, 'execution')}`
    return `${work}${rampUpText(rampUpMs)}${maxDurationText(maxDurationMs)}`
  },

  plan(load, context) {
    const { sharedHits: hits, rampUp, maxDuration } = load.settings
    return usersOf(load, context).map((users) => ({
      type: 'shared-hits',
      users,
      hits: hits!,
      rampUpMs: rampUp,
      maxDurationMs: maxDuration,
    }))
  },
}
