import { Delta, interruptedStatus, Live, scenarioTag } from '@loads-runner/metrics'
import type { LiveRates, SeriesDelta } from '@loads-runner/metrics'

/** What a console knows of one scenario of several. */
export class ScenarioView {
  readonly name: string
  executions = 0
  failed = 0
  readonly #live = new Live()

  constructor(name: string) {
    this.name = name
  }

  /** @param counts false: it is shown as it happens, and is in no total */
  apply(delta: Delta, spanMs: number, counts: boolean): void {
    this.#live.apply(delta, spanMs)
    if (!counts) return
    for (const { key, count } of delta.series.values()) {
      if (key.kind !== 'execution' || key.status === interruptedStatus) continue
      this.executions += count
      if (key.status !== 'success') this.failed += count
    }
  }

  rates(): LiveRates {
    return this.#live.rates()
  }
}

/** A delta by its scenarios; series without one are left out. */
export function byScenario(delta: Delta): Map<string, Delta> {
  const parts = new Map<string, Delta>()
  for (const [id, series] of delta.series) {
    const name = series.key.tags[scenarioTag]
    if (name === undefined) continue
    let part = parts.get(name)
    if (part === undefined) parts.set(name, (part = new Delta()))
    part.series.set(id, series)
  }
  return parts
}

/** The response times in a delta, in the form of hits: what shows hits live shows them, too. */
export function responsesOf(delta: Delta): Delta {
  const responses = new Delta()
  for (const [id, series] of delta.series) {
    if (series.key.kind !== 'hit-response') continue
    const asHit: SeriesDelta = { ...series, key: { ...series.key, kind: 'http' } }
    responses.series.set(id, asHit)
  }
  return responses
}
