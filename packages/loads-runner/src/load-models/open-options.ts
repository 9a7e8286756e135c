import type { Spacing } from '@loads-runner/testcase/load'
import { formatCount } from '../console/figures.ts'
import { formatDuration } from '../duration.ts'
import type { GivenLoad } from './given-load.ts'
import { mostUsersOnDemand } from './load-kind.ts'

/** What the models with a rate have in common: users are made on demand, up to a number. */

interface Open {
  spacing: Spacing
  users: number
  maxLateMs: number
}

export function openOptionsOf({ settings }: GivenLoad): Open {
  return {
    spacing: settings.spacing,
    users: settings.users?.[0] ?? mostUsersOnDemand,
    maxLateMs: settings.maxLate,
  }
}

/** A rate has one number of users: the most that it may use. */
export function onDemandProblems(load: GivenLoad): string[] {
  if ((load.settings.users?.length ?? 1) === 1) return []
  return [
    `${load.name('users')} has several stages, and beside ${load.name('rate')} it is the most users there may be: ` +
      'give one number, or leave one of the two out',
  ]
}

export function openText({ spacing, users, maxLateMs }: Open): string {
  const spaced = spacing === 'poisson' ? ', at random (poisson)' : ''
  return `${spaced}, on ${formatCount(users)} users at most, dropped when ${formatDuration(maxLateMs)} late`
}
