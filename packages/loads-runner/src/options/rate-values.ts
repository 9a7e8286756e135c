import { parseDuration } from '../duration.ts'
import { UsageError } from '../errors.ts'

/** More starts per second than any cluster makes: a slip of the keyboard. */
const mostPerSecond = 10_000_000

/** A number of users or a rate: which of them, only a unit says. */
export interface Height {
  value: number
  /** Written as `50/s`. */
  isRate: boolean
}

/** One step of a line. */
export interface LineStep {
  durationMs: number
  target: Height
}

const perSecond = { s: 1, m: 60, h: 3600 } as const

/**
 * `50/s 3000/m 0.5/s 100/h`; a bare number is per second. Returns starts per second.
 *
 * @throws {UsageError} when the text is no rate
 */
export function parseRate(text: string): number {
  return heightOf(text).value
}

/** A number of users, or a rate: `100`, `50/s`. @throws {UsageError} */
export function parseStart(text: string): Height {
  return heightOf(text)
}

/**
 * `10s:100,1m:100,10s:0`: times and where the line is after each.
 *
 * @throws {UsageError} when the text is no such list
 */
export function parseSteps(text: string): LineStep[] {
  return text.split(',').map((part) => {
    const at = part.indexOf(':')
    if (at < 0) throw new UsageError(`"${part}" is not TIME:TARGET; write a line like 10s:100,1m:100,10s:0`)
    return { durationMs: parseDuration(part.slice(0, at)), target: heightOf(part.slice(at + 1).trim()) }
  })
}

function heightOf(text: string): Height {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/.exec(text.trim()) ?? []
  if (amount === undefined)
    throw new UsageError(`"${text}" is not a rate (write 50/s, 3000/m or 0.5/s; a bare number is per second)`)
  const value = Number(amount) / perSecond[(unit ?? 's') as keyof typeof perSecond]
  if (value > mostPerSecond) throw new UsageError(`"${text}" is more than ${mostPerSecond} per second`)
  return { value, isRate: unit !== undefined }
}

/** `50/s`, `0.5/s`, `20/m`: what {@link parseRate} reads. */
export function formatPerSecond(rate: number): string {
  const short = (value: number) => String(Number(value.toPrecision(6)))
  return rate > 0 && rate < 0.1 ? `${short(rate * 60)}/m` : `${short(rate)}/s`
}
