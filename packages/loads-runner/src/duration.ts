import { UsageError } from './errors.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Longest time that is accepted: what a timer of Node can hold. */
export const longestMs = 2_147_483_647

/**
 * `500ms 30s 5m 1h`, also joined (`1h30m`); a bare number is seconds. Returns milliseconds.
 *
 * @throws {UsageError} when the text is no duration
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim()
  const wrong = new UsageError(
    `"${text}" is not a duration (write 500ms, 30s, 5m or 1h; a bare number is seconds)`,
  )
  if (/^\d+(\.\d+)?$/.test(trimmed)) return bounded(Number(trimmed) * 1000, text)
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(trimmed)) throw wrong
  let total = 0
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * units[unit!]!
  }
  return bounded(total, text)
}

function bounded(millis: number, text: string): number {
  if (millis > longestMs) throw new UsageError(`"${text}" is longer than 24 days`)
  return Math.round(millis)
}

/** `0:07`, `12:05`, `1:02:03`: for a clock that runs. */
export function formatClock(millis: number): string {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const pad = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const rest = pad(seconds % 60)
  return hours > 0 ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`
}

/** `500ms`, `30s`, `5m`, `1h30m`: what {@link parseDuration} reads. */
export function formatDuration(millis: number): string {
  if (millis < 1000 || millis % 1000 !== 0) return `${Math.round(millis)}ms`
  let seconds = millis / 1000
  const parts: string[] = []
  for (const [unit, size] of [
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const amount = Math.floor(seconds / size)
    seconds -= amount * size
    if (amount > 0) parts.push(`${amount}${unit}`)
  }
  return parts.length === 0 ? '0s' : parts.join('')
}
