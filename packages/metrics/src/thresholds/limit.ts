import type { Metric } from './metric.ts'
import type { Scanner } from './scanner.ts'
import type { Aggregation, Dimension } from './threshold.ts'

const number = /[+-]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?/
/** Right after the number, or after a space where it cannot be the word of a scope. */
const unit = /%|(?:[kKMG]i?B|B)?\/[a-z]+|[kKMG]i?B\b|B\b|(?:us|µs|ms|s|m|h)\b/

const millis: Record<string, number> = { us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const sizes: Record<string, number> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  kiB: 1024,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}
const perSecond: Record<string, number> = {
  s: 1,
  sec: 1,
  second: 1,
  m: 1 / 60,
  min: 1 / 60,
  minute: 1 / 60,
  h: 1 / 3600,
  hour: 1 / 3600,
}

const units: Record<Dimension, string> = {
  time: 'it is a duration: use 200ms, 1.5s, or a number of milliseconds',
  share: 'it is a share: use 1% or 0.01',
  number: 'it is a number and has no unit',
  bytes: 'it is a number of bytes: use 10MB, 500kB or a number',
  'per-second': 'it is a rate: use 50/s, 3000/m, or a number per second',
  'bytes-per-second': 'it is a rate of bytes: use 10MB/s, or a number of bytes per second',
}

/** The limit that stands here, in the unit that values have. */
export function limitOf(
  scanner: Scanner,
  metric: Metric,
  aggregation: Aggregation,
  dimension: Dimension,
): number {
  const at = scanner.at
  const digits = scanner.take(number)?.[0]
  if (digits === undefined)
    scanner.fail(`a limit is missing: ${metric.name} is compared to a number; ${units[dimension]}`)
  const value = Number(digits.replaceAll('_', ''))
  if (!Number.isFinite(value)) scanner.fail(`${digits} is no number`, at)
  // A word after a space is a scope's.
  const glued = /^[\p{L}%/]+/u.exec(scanner.rest)?.[0]
  const unitAt = scanner.at
  const sign = scanner.take(unit)?.[0]
  const factor = sign === undefined ? 1 : factorOf(sign, dimension)
  if (factor === null) {
    scanner.fail(`${metric.name} cannot be compared to ${digits}${sign}: ${units[dimension]}`, unitAt)
  }
  if (sign === undefined && glued !== undefined) {
    scanner.fail(`${JSON.stringify(glued)} is no unit: ${units[dimension]}`, unitAt)
  }
  const limit = value * factor
  if (dimension === 'share' && aggregation.type === 'rate' && (limit > 1 || limit < 0)) {
    scanner.fail(
      `${metric.name} is a share from 0 to 1, not ${digits}${sign ?? ''}: write ${sign === undefined && value <= 100 ? `${digits}%` : '5%'}, or ` +
        `count for the number itself (${metric.name}: count<${digits})`,
      at,
    )
  }
  return limit
}

function factorOf(sign: string, dimension: Dimension): number | null {
  switch (dimension) {
    case 'time':
      return millis[sign] ?? null
    case 'share':
      return sign === '%' ? 0.01 : null
    case 'number':
      return null
    case 'bytes':
      return sizes[sign] ?? null
    case 'per-second':
      return sign.startsWith('/') ? (perSecond[sign.slice(1)] ?? null) : null
    case 'bytes-per-second': {
      const [size = '', span] = sign.split('/')
      if (span === undefined) return null
      const factor = size === '' ? 1 : sizes[size]
      const seconds = perSecond[span]
      return factor === undefined || seconds === undefined ? null : factor * seconds
    }
  }
}
