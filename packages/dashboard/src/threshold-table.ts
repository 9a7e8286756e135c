import { describeValue, parseThresholds, type Threshold } from '@loads-runner/metrics'
import type { RunSpec, ThresholdState } from '@loads-runner/protocol'
import type { ThresholdRow } from './model.ts'
import { round } from './moment.ts'

type Past = ThresholdRow['past']

/** More of the past is thinned out: its values, never the moments at which it was crossed or held again. */
const mostPast = 240

/** How the thresholds of a run stand, and how they stood. */
export class ThresholdTable {
  readonly #dimensions = new Map<string, Threshold['dimension']>()
  #states: readonly ThresholdState[] = []
  readonly #past = new Map<string, Past>()

  begin(spec: RunSpec): void {
    const scenarios = spec.profile.scenarios.map(({ name, stages }) => ({ name, stages: stages.length }))
    for (const source of spec.thresholds)
      try {
        for (const { expression, dimension } of parseThresholds([source], { scenarios }))
          this.#dimensions.set(expression, dimension)
      } catch {
        // Of another version: its value is shown as a plain number.
      }
    // They are there before anything is known of them.
    this.#states = [...this.#dimensions.keys()].map((expression) => ({ expression, value: null, ok: null }))
  }

  take(states: readonly ThresholdState[], elapsedMs: number): void {
    this.#states = states
    for (const { expression, value, ok } of states) {
      let past = this.#past.get(expression)
      if (past === undefined) this.#past.set(expression, (past = []))
      past.push([Math.round(elapsedMs), value === null ? null : round6(value), ok])
      if (past.length > mostPast) this.#past.set(expression, thinned(past))
    }
  }

  rows(): ThresholdRow[] {
    return this.#states.map(({ expression, value, ok }) => ({
      expression,
      value,
      ok,
      text:
        value === null
          ? 'no data'
          : describeValue(this.#dimensions.get(expression) ?? 'number', round6(value)),
      past: [...(this.#past.get(expression) ?? [])],
    }))
  }
}

/** Shares are small numbers: more digits than for times. */
function round6(value: number): number {
  return Math.abs(value) >= 1 ? round(value) : Math.round(value * 1e6) / 1e6
}

/** About half of it: every other one where nothing changed. If everything did, the older half goes. */
function thinned(past: Past): Past {
  const kept = past.filter(
    ([, , ok], index) =>
      index % 2 === 0 ||
      index === past.length - 1 ||
      past[index - 1]![2] !== ok ||
      past[index + 1]![2] !== ok,
  )
  return kept.length > mostPast - mostPast / 4 ? kept.slice(-mostPast / 2) : kept
}
