import { Delta, type SeriesDelta } from './delta.ts'
import { admittedKinds, overflowName, overflowOf, type SeriesKey } from './series.ts'

/** Groups of errors of a whole run. Threads have their own, smaller limit; this one bounds what many of them send. */
const defaultErrorGroups = 500

/**
 * Which user-named series a run has: the first `maxSeries` that any agent reports, the same for all agents. The rest
 * goes to overflow series, so totals stay exact and memory stays bounded.
 */
export class Catalogue {
  readonly #maxSeries: number
  readonly #maxErrorGroups: number
  readonly #admitted = new Set<string>()
  readonly #errorGroups = new Set<string>()
  #overflowed = false

  constructor(maxSeries: number, maxErrorGroups = defaultErrorGroups) {
    this.#maxSeries = maxSeries
    this.#maxErrorGroups = maxErrorGroups
  }

  /** The delta with series that are not admitted moved to their overflow series; the very same one if there are none. */
  admit(delta: Delta): Delta {
    const keys = new Map<string, SeriesKey>()
    for (const [id, { key }] of delta.series) {
      const admitted = this.#keyFor(id, key)
      if (admitted !== key) keys.set(id, admitted)
    }
    if (keys.size === 0) return delta
    const admitted = new Delta()
    for (const [id, series] of delta.series) {
      const key = keys.get(id)
      if (key === undefined) admitted.addTo(id, series)
      else admitted.add(moved(series, key))
    }
    return admitted
  }

  /** No further name will be admitted: tell the agents. */
  get full(): boolean {
    return this.#admitted.size >= this.#maxSeries
  }

  /** Ids of the admitted series. */
  ids(): string[] {
    return [...this.#admitted]
  }

  /** Names fell into an overflow series, here or in an agent. */
  get overflowed(): boolean {
    return this.#overflowed
  }

  #keyFor(id: string, key: SeriesKey): SeriesKey {
    if (key.kind === 'error') {
      const fits = key.name !== overflowName && hasRoomFor(id, this.#errorGroups, this.#maxErrorGroups)
      return fits ? key : { ...overflowOf(key), test: '' }
    }
    if (!admittedKinds.has(key.kind)) return key
    if (key.name !== overflowName && hasRoomFor(id, this.#admitted, this.#maxSeries)) return key
    this.#overflowed = true
    return overflowOf(key)
  }
}

function hasRoomFor(id: string, admitted: Set<string>, limit: number): boolean {
  if (!admitted.has(id)) {
    if (admitted.size >= limit) return false
    admitted.add(id)
  }
  return true
}

function moved(series: SeriesDelta, key: SeriesKey): SeriesDelta {
  const detail = series.detail === null ? null : { ...series.detail, type: overflowName }
  return { ...series, key, detail }
}
