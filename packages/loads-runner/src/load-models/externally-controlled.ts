import type { ExternallyControlled } from '@loads-runner/testcase/load'
import { formatDuration } from '../duration.ts'
import { formatPerSecond } from '../options/rate-values.ts'
import type { LoadKey } from '../options/load.ts'
import type { GivenLoad } from './given-load.ts'
import type { LoadKind } from './load-kind.ts'
import { onDemandProblems, openOptionsOf, openText } from './open-options.ts'
import { usersText } from './user-stages.ts'

/** Users that may be asked for where nothing else is said. */
const usualMost = 1000

/** Users, or a rate, that an operator changes while the run goes on. */
export const externallyControlled: LoadKind<ExternallyControlled> = {
  type: 'externally-controlled',
  // Which of them it takes depends on what is controlled: the rest is refused by `validate`.
  options: [
    'controlled',
    'users',
    'rate',
    'duration',
    'start',
    'spacing',
    'maxLate',
    'pause',
    'delay',
    'gracefulStop',
  ],

  validate(load) {
    const { users, start } = load.settings
    if (load.settings.controlled === 'rate') {
      return [
        ...misfits(load, ['start', 'pause', 'delay'], 'controls a rate: leave it out (--rate is the start)'),
        ...onDemandProblems(load),
      ]
    }
    const problems = misfits(load, ['rate', 'spacing', 'maxLate'], 'controls users: leave it out')
    if ((users?.length ?? 1) > 1)
      problems.push(
        `${load.name('users')} has several stages, and is the most users that ${load.name('controlled')} may ask for: give one number`,
      )
    if (start === null) return problems
    if (start.isRate || !Number.isInteger(start.value))
      problems.push(`${load.name('start')}: is not a number of users`)
    else if (start.value > (users?.[0] ?? usualMost))
      problems.push(
        `${load.name('start')} is more than the ${users?.[0] ?? usualMost} users that there may be: start with fewer, or allow more with --users`,
      )
    return problems
  },

  describe(model) {
    const { controls, start, durationMs } = model
    const time = durationMs === null ? 'until it is stopped' : `for ${formatDuration(durationMs)}`
    if (controls === 'rate')
      return `controlled from outside ${time}, from ${formatPerSecond(start)} on${openText(model)}`
    return `controlled from outside ${time}, from ${usersText(start)} on, ${usersText(model.users)} at most`
  },

  plan(load) {
    const { controlled, duration: durationMs, rate, start, users } = load.settings
    const base = { type: 'externally-controlled' as const, durationMs, ...openOptionsOf(load) }
    if (controlled === 'rate') return [{ ...base, controls: 'rate', start: rate ?? 0 }]
    const most = users?.[0] ?? usualMost
    // Whoever says neither where to start nor how far to go begins with one user.
    const first = start?.value ?? (users === null ? 1 : most)
    return [{ ...base, controls: 'users', start: first, users: most }]
  },
}

/** Options that say nothing here: from farther away they are dropped, the others are problems. */
function misfits(load: GivenLoad, keys: readonly LoadKey[], why: string): string[] {
  return keys.flatMap((key) => {
    if (!load.has(key)) return []
    if (load.rank(key) >= load.rank('controlled'))
      return [`${load.name(key)} says nothing where ${load.name('controlled')} ${why}`]
    load.drop(key)
    return []
  })
}
