import { plural } from '../console/figures.ts'
import { formatDuration } from '../duration.ts'
import type { GivenLoad } from './given-load.ts'
import type { LoadContext } from './load-kind.ts'

/** What the models with a number of users have in common: `10:20:30` are successive stages. */

export function usersOf({ settings }: GivenLoad, { agents }: LoadContext): readonly number[] {
  return settings.users ?? [agents ?? 1]
}

/** One number counts for all stages of the other. */
export function pairs(one: number, other: number): boolean {
  return one === 1 || other === 1 || one === other
}

/** Why users and iterations do not pair; nothing when they do. */
export function pairingProblem(load: GivenLoad): string[] {
  const [users, iterations] = [load.settings.users?.length ?? 1, load.settings.iterations?.length ?? 1]
  if (pairs(users, iterations)) return []
  return [
    `${load.name('users')} has ${users} stages and ${load.name('iterations')} ${iterations}: give as many, or one number for all`,
  ]
}

export function rampUpText(rampUpMs: number): string {
  return rampUpMs === 0 ? '' : `, started over ${formatDuration(rampUpMs)}`
}

export function maxDurationText(maxDurationMs: number | null): string {
  return maxDurationMs === null ? '' : `, ${formatDuration(maxDurationMs)} at most`
}

export function usersText(users: number): string {
  return plural(users, 'user')
}
