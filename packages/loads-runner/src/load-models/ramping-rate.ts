import type { RampingRate } from '@loads-runner/testcase/load'
import { formatPerSecond } from '../options/rate-values.ts'
import { describeLine, lineProblems } from './lines.ts'
import type { LoadKind } from './load-kind.ts'
import { onDemandProblems, openOptionsOf, openText } from './open-options.ts'

/** Executions that start at a rate which changes along a line, however the target fares. */
export const rampingRate: LoadKind<RampingRate> = {
  type: 'ramping-rate',
  options: ['rate', 'stages', 'start', 'users', 'spacing', 'maxLate', 'gracefulStop'],

  validate(load) {
    return [...lineProblems(load), ...onDemandProblems(load)]
  },

  describe(model) {
    return `${describeLine(model, model.startRate, formatPerSecond)}${openText(model)}`
  },

  plan(load) {
    const { stages, start, rate } = load.settings
    const steps = stages!.map(({ durationMs, target }) => ({ durationMs, target: target.value }))
    return [{ type: 'ramping-rate', startRate: start?.value ?? rate!, steps, ...openOptionsOf(load) }]
  },
}
