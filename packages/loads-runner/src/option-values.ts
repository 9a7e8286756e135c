import { isIP } from 'node:net'
import { parseDuration } from './duration.ts'
import { UsageError } from './errors.ts'

export type Words = Readonly<Record<string, string>>

/** Readers of option values. Each throws a UsageError that says what would be right. */

export const flag = (text: string): boolean => {
  if (/^(true|yes|on|1)$/i.test(text)) return true
  if (/^(false|no|off|0)$/i.test(text)) return false
  throw new UsageError(`"${text}" is neither true nor false`)
}

export const word = (text: string): string => {
  if (text === '') throw new UsageError('a value is missing')
  return text
}

/** A whole number within bounds. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`
      throw new UsageError(`"${text}" is not a whole number ${range}`)
    }
    return value
  }
}

/** `10:20:30`: one number per stage. */
export function stages(text: string): number[] {
  return text.split(':').map((part) => {
    const value = Number(part)
    if (!/^\d+$/.test(part) || value < 1 || value > 10_000_000) {
      throw new UsageError(
        `"${text}" is not a whole number from 1 up, or several for successive stages (10:20:30)`,
      )
    }
    return value
  })
}

export function ratio(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)
  const value = percent === null ? Number(text) : Number(percent[1]) / 100
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new UsageError(`"${text}" is not a ratio from 0 to 1`)
  return value
}

export function oneOf<T extends string>(...choices: T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text)
    if (found === undefined) throw new UsageError(`"${text}" is not one of ${choices.join(', ')}`)
    return found
  }
}

/** An http or https address, kept as it was written. */
export function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError(`"${text}" is not an http:// or https:// address`)
  }
  return text
}

export const list = (text: string, previous: readonly string[]): readonly string[] => [
  ...previous,
  word(text),
]

/** Adds an address of this machine. */
export function ipAddress(text: string, previous: readonly string[]): readonly string[] {
  if (isIP(text) === 0) throw new UsageError(`"${text}" is not an IP address`)
  return [...previous, text]
}

/** `K=V`, adding to what was given before. */
export function pair(
  text: string,
  previous: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`"${text}" is not NAME=VALUE`)
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) }
}

/** `NAME` or `NAME=V`; without a value it is taken from the environment, here null. */
export function variable(
  text: string,
  previous: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string | null>> {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(text) ?? []
  if (name === undefined) throw new UsageError(`"${text}" is not NAME or NAME=VALUE`)
  return { ...previous, [name]: value ?? null }
}

/** `NAME=env:X`: the users' variable NAME has the value of our variable X. */
export function secret(
  text: string,
  previous: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const [, name, from] = /^([A-Za-z_][A-Za-z0-9_]*)=env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(text) ?? []
  if (name === undefined || from === undefined) {
    // The text may hold the secret itself: it is not repeated.
    throw new UsageError('write it as NAME=env:VARIABLE, so that the value is in no command line')
  }
  return { ...previous, [name]: from }
}

/** `HOST:PORT`, `[::1]:PORT` or `PORT`. */
export function hostAndPort(text: string): { host: string; port: number } {
  const [, host, port] = /^(?:(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+):)?(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) throw new UsageError(`"${text}" is not HOST:PORT`)
  return { host: host === undefined ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}

export function positiveDuration(text: string): number {
  const millis = parseDuration(text)
  if (millis === 0) throw new UsageError('must be longer than nothing')
  return millis
}
