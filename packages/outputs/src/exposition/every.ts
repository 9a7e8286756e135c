import { intervalSpansMs } from '@loads-runner/history'
import { parseSpan } from './span.ts'

/** How often a run is pushed where nothing else is said, in milliseconds. */
export const usualEveryMs = 10_000

/** The length of an interval as an option; null where there is no such one. */
export function parseEvery(text: string): number | null {
  const everyMs = parseSpan(text)
  return intervalSpansMs.find((spanMs) => spanMs === everyMs) ?? null
}
