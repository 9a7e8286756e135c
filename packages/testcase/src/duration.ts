import { UsageError } from './errors.ts'

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Longest wait a Node timer can take, in milliseconds. */
const longestMs = 2 ** 31 - 1

const known = new Map<string, number>()

/**
 * Milliseconds of a duration in an option: a number is milliseconds, a string carries its unit (`'500ms' '5s' '2m' '1h'`).
 *
 * @throws {UsageError} not a positive duration
 */
export function toMillis(duration: number | string): number {
  if (typeof duration === 'number') return checked(duration, duration)
  let millis = known.get(duration)
  if (millis === undefined) {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration.trim())
    millis = checked(match ? Number(match[1]) * unitMs[match[2]!]! : Number.NaN, duration)
    if (known.size < 1000) known.set(duration, millis)
  }
  return millis
}

/** A limit in milliseconds as a Node timer takes it; 0 and Infinity mean none. */
export function toTimerMillis(limitMs: number): number {
  return limitMs > 0 && limitMs < longestMs ? limitMs : longestMs
}

function checked(millis: number, given: number | string): number {
  if (millis > 0) return Math.min(Math.max(1, Math.round(millis)), longestMs)
  throw new UsageError(
    `"${given}" is no duration: give milliseconds (5000) or a number with a unit ('500ms' '5s' '2m')`,
  )
}
