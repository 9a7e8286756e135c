import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'

/** Where an InfluxDB is, without what opens it: fit for messages. */
export interface InfluxAddress {
  /** `http://host:8086`, and the path before the database where a proxy wants one. */
  readonly base: string
  /** The parts of the path that name the database, decoded. */
  readonly names: readonly string[]
  readonly user: string | null
  readonly password: string | null
  readonly options: Readonly<Record<string, string>>
}

export interface AddressRules {
  readonly output: string
  /** How it is written: `influx:http://HOST:8086/DATABASE`. */
  readonly usage: string
  /** How many parts of the path name the database; what stands before them belongs to the server. */
  readonly names: number
  readonly options: readonly string[]
}

/**
 * Takes the address of an InfluxDB apart.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS; no message ever holds what may be a password
 */
export function parseAddress(args: string, rules: AddressRules): InfluxAddress {
  const problem = (text: string) =>
    new OutputError('OUTPUT_ARGUMENTS', `output ${rules.output}: ${text}; write ${rules.usage}`)
  if (args.trim() === '') throw problem('an address is missing')
  if (!URL.canParse(args.trim())) throw problem(`${JSON.stringify(withoutSecrets(args))} is no address`)
  const url = new URL(args.trim())
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw problem(`${JSON.stringify(withoutSecrets(args))} is no address of http or https`)
  for (const name of url.searchParams.keys())
    if (!rules.options.includes(name)) {
      const known = rules.options.length === 0 ? 'there are none' : `known: ${rules.options.join(', ')}`
      throw problem(`there is no option ${JSON.stringify(name)} (${known})`)
    }
  const parts = url.pathname.split('/').filter((part) => part !== '')
  const names = parts.slice(-rules.names)
  if (names.length < rules.names) throw problem('the name of the database is missing')
  const server = parts.slice(0, parts.length - rules.names).map((part) => `/${part}`)
  try {
    return {
      base: `${url.protocol}//${url.host}${server.join('')}`,
      names: names.map(decodeURIComponent),
      user: url.username === '' ? null : decodeURIComponent(url.username),
      password: url.password === '' ? null : decodeURIComponent(url.password),
      options: Object.fromEntries(url.searchParams),
    }
  } catch {
    throw problem('a % in an address must be written as %25')
  }
}

/** The first of these variables that is set; null when none is. */
export function secretOf({ env }: OutputEnvironment, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = env[name]?.trim()
    if (value !== undefined && value !== '') return value
  }
  return null
}

/** All before the last @ may be a password, whatever the rest is. */
function withoutSecrets(text: string): string {
  return text.slice(text.lastIndexOf('@') + 1)
}
