import { ChaosError } from './errors.ts'

/** One option of a fault: how it is read from JSON, from a file or from the command line, and shown. */
export interface Attribute<T> {
  readonly help: string
  readonly initial: T
  /** What is allowed, in words: "milliseconds from 0". */
  readonly allowed: string
  /** Takes what JSON, YAML or a text gives. Undefined when it is not allowed. */
  read(value: unknown): T | undefined
  /** As JSON for clients; what `read` reads back. */
  show(value: T): unknown
}

export type AttributeTable<A> = { readonly [K in keyof A]: Attribute<A[K]> }

/** Timers cannot wait longer (2^31 ms). */
const longestMs = 2_000_000_000

interface NumberLimits {
  initial: number
  help: string
  min?: number
  max?: number
}

/** A whole number. */
export function whole({
  initial,
  help,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
}: NumberLimits): Attribute<number> {
  const allowed = `a whole number ${spanText(min, max)}`
  return {
    help,
    initial,
    allowed,
    read(value) {
      const number = numberOf(value)
      return number !== undefined && Number.isSafeInteger(number) && number >= min && number <= max
        ? number
        : undefined
    },
    show: (value) => value,
  }
}

/** `milliseconds` or `seconds`. */
export type TimeAttribute = (limits: NumberLimits) => Attribute<number>

/** Milliseconds; a text may have a unit: 250ms, 2s, 1.5m, 1h. */
export function milliseconds(limits: NumberLimits): Attribute<number> {
  return time(limits, 1, 'milliseconds')
}

/** Kept as milliseconds; a bare number is seconds, a text may have a unit. `initial`, `min`, `max` in milliseconds. */
export function seconds(limits: NumberLimits): Attribute<number> {
  return time(limits, 1000, 'seconds')
}

/** Kept as milliseconds; a bare number is microseconds. */
export function microseconds(limits: NumberLimits): Attribute<number> {
  return time(limits, 0.001, 'microseconds')
}

function time(
  { initial, help, min = 0, max = longestMs }: NumberLimits,
  unitMs: number,
  unit: string,
): Attribute<number> {
  // Kept in millionths of a millisecond, so that what is shown is read back as the same.
  const steps = unitMs * 1e6
  return {
    help,
    initial,
    allowed: `${unit} ${spanText(min / unitMs, max / unitMs)}, or a time such as 250ms, 2s, 1m`,
    read(value) {
      const number = numberOf(value)
      // Times in thousands of a unit may not come out even.
      const ms = number === undefined ? timeOf(value) : Math.round(number * steps) / 1e6
      return ms !== undefined && ms >= min && ms <= max ? ms : undefined
    },
    show: (value) => Math.round(value * 1e6) / steps,
  }
}

/** A share from 0 to 1; a text may be a percentage. */
export function share({ initial, help }: { initial: number; help: string }): Attribute<number> {
  return {
    help,
    initial,
    allowed: 'a share from 0 to 1, or a percentage such as 20%',
    read(value) {
      const percent = typeof value === 'string' ? /^\s*([\d.]+)\s*%\s*$/.exec(value) : null
      const number = percent === null ? numberOf(value) : Number(percent[1]) / 100
      return number !== undefined && number >= 0 && number <= 1 ? number : undefined
    },
    show: (value) => value,
  }
}

/** Bytes; a text may have a unit: 500KB (thousands), 64KiB (1024s), 10MB, 1GB. */
export function size({
  initial,
  help,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
}: NumberLimits): Attribute<number> {
  return {
    help,
    initial,
    allowed: `bytes ${spanText(min, max)}, or a size such as 64KiB, 10MB`,
    read(value) {
      const found = typeof value === 'string' ? /^\s*(\d+\.?\d*)\s*([kmg]i?)?b\s*$/i.exec(value) : null
      const unit = found?.[2]?.toLowerCase() ?? ''
      const bytes = found === null ? numberOf(value) : Math.round(Number(found[1]) * unitBytes[unit]!)
      return bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= min && bytes <= max
        ? bytes
        : undefined
    },
    show: (value) => value,
  }
}

export function flag({ initial, help }: { initial: boolean; help: string }): Attribute<boolean> {
  return {
    help,
    initial,
    allowed: 'true or false',
    read(value) {
      if (typeof value === 'boolean') return value
      if (value === 'true' || value === '') return true
      return value === 'false' ? false : undefined
    },
    show: (value) => value,
  }
}

export function oneOf<T extends string>(
  words: readonly T[],
  { initial, help }: { initial: T; help: string },
): Attribute<T> {
  return {
    help,
    initial,
    allowed: `one of ${words.join(', ')}`,
    read: (value) => words.find((word) => word === value),
    show: (value) => value,
  }
}

export function text({
  initial,
  help,
  most = 10_000,
}: {
  initial: string
  help: string
  most?: number
}): Attribute<string> {
  return {
    help,
    initial,
    allowed: `a text of ${most} characters at most`,
    read: (value) => (typeof value === 'string' && value.length <= most ? value : undefined),
    show: (value) => value,
  }
}

/** Words of a list, or of a text with commas; numbers are words, too. `check` says what each must be. */
export function words({
  initial,
  help,
  allowed,
  check,
}: {
  initial: readonly string[]
  help: string
  allowed: string
  check: (word: string) => boolean
}): Attribute<readonly string[]> {
  return {
    help,
    initial,
    allowed,
    read(value) {
      const list = typeof value === 'string' ? value.split(',') : typeof value === 'number' ? [value] : value
      if (!Array.isArray(list) || list.length === 0 || list.length > 100) return undefined
      const found: string[] = []
      for (const each of list as unknown[]) {
        if (typeof each !== 'string' && typeof each !== 'number') return undefined
        const word = String(each).trim()
        if (!check(word)) return undefined
        found.push(word)
      }
      return found
    },
    show: (value) => value,
  }
}

/** Nothing, or what another attribute reads. */
export function optional<T>(attribute: Attribute<T>): Attribute<T | null> {
  return {
    help: attribute.help,
    initial: null,
    allowed: attribute.allowed,
    read: (value) => attribute.read(value),
    show: (value) => (value === null ? null : attribute.show(value)),
  }
}

/** Not shown while it stands at its default: an attribute that other clients of the same fault know nothing of. */
export function quiet<T>(attribute: Attribute<T>): Attribute<T> {
  const { help, initial, allowed } = attribute
  return {
    help,
    initial,
    allowed,
    read: (value) => attribute.read(value),
    show: (value) => (value === initial ? null : attribute.show(value)),
  }
}

/**
 * Reads the attributes of a table from what somebody wrote. Missing ones and null take their initial value.
 *
 * @param known further names that are no mistake
 * @throws {ChaosError} CHAOS_ATTRIBUTE naming each that is wrong and what is allowed
 */
export function readAttributes<A>(
  table: AttributeTable<A>,
  written: Readonly<Record<string, unknown>>,
  whose: string,
): A {
  const problems: string[] = []
  const found: Partial<A> = {}
  for (const key of Object.keys(table) as (keyof A & string)[]) {
    const attribute = table[key]
    const value = written[key]
    if (value === undefined || value === null) {
      found[key] = attribute.initial
      continue
    }
    const read = attribute.read(value)
    if (read === undefined)
      problems.push(`${key} of ${whose} must be ${attribute.allowed}, not ${said(value)}`)
    else found[key] = read
  }
  if (problems.length > 0) throw new ChaosError('CHAOS_ATTRIBUTE', problems.join('; '))
  return found as A
}

export function showAttributes<A>(table: AttributeTable<A>, values: A): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const key of Object.keys(table) as (keyof A & string)[]) {
    const value = table[key].show(values[key])
    if (value !== null) shown[key] = value
  }
  return shown
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || !/^\s*-?(\d+\.?\d*|\.\d+)(e\d+)?\s*$/i.test(value)) return undefined
  return Number(value)
}

const unitsMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
}

function timeOf(value: unknown): number | undefined {
  const found = typeof value === 'string' ? /^\s*(\d+\.?\d*|\.\d+)\s*(us|ms|s|m|h)\s*$/.exec(value) : null
  return found === null ? undefined : Number(found[1]) * unitsMs[found[2]!]!
}

function spanText(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
}

/** A value as it is repeated in messages. */
export function said(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value)
  return json.length > 60 ? `${json.slice(0, 57)}...` : json
}
