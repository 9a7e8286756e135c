import type { ConstantRate } from '@loads-runner/testcase/load'
import { formatDuration } from '../duration.ts'
import { formatPerSecond } from '../options/rate-values.ts'
import type { LoadKind } from './load-kind.ts'
import { onDemandProblems, openOptionsOf, openText } from './open-options.ts'

/** Executions that start at a fixed rate, however the target fares. */
export const constantRate: LoadKind<ConstantRate> = {
  type: 'constant-rate',
  options: ['rate', 'duration', 'users', 'spacing', 'maxLate', 'gracefulStop'],

  validate(load) {
    const none = load.settings.rate === 0 ? [`${load.name('rate')}: a rate must be more than 0`] : []
    return [...none, ...onDemandProblems(load)]
  },

  missing(load) {
    if (load.settings.duration !== null) return []
    return [`${load.name('rate')} needs a time: give --duration, or --stages for a rate that changes`]
  },

  describe(model) {
    const { rate, durationMs } = model
    return `${formatPerSecond(rate)} for ${formatDuration(durationMs)}${openText(model)}`
  },

  plan(load) {
    const { rate, duration } = load.settings
    return [{ type: 'constant-rate', rate: rate!, durationMs: duration!, ...openOptionsOf(load) }]
  },
}
