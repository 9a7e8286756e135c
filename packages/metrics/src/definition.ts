import type { SeriesKey } from './series.ts'

/** What a group of errors looks like, taken from its first error. */
export interface ErrorDetail {
  /** The class of the error: `TypeError`. */
  type: string
  message: string
  /** One example in full: stack and request. */
  sample: string
  /** Epoch milliseconds. */
  firstSeen: number
}

/** Announces a series of one load thread and the memory it is written to. Structured-cloneable: sent by postMessage. */
export interface Definition {
  key: SeriesKey
  block: SharedArrayBuffer
  /** Of series of kind 'error'; null for all others. */
  detail: ErrorDetail | null
}

/** Of two descriptions of one group, the one of the earlier error; ties are settled, so any order gives one result. */
export function earlierDetail(one: ErrorDetail | null, other: ErrorDetail | null): ErrorDetail | null {
  if (one === null || other === null) return one ?? other
  if (one.firstSeen !== other.firstSeen) return one.firstSeen < other.firstSeen ? one : other
  return rankOfDetail(one) <= rankOfDetail(other) ? one : other
}

export function sameDetail(one: ErrorDetail | null, other: ErrorDetail | null): boolean {
  if (one === other) return true
  if (one === null || other === null) return false
  return one.firstSeen === other.firstSeen && rankOfDetail(one) === rankOfDetail(other)
}

function rankOfDetail(detail: ErrorDetail): string {
  return JSON.stringify([detail.type, detail.message, detail.sample])
}
