import { UsageError } from '../errors.ts'

/**
 * What a class wants measured without a wrapper: `true` for all clients that are known and make hits of their own, or a
 * list of them; `'tracing:NAME'` is any tracing channel.
 */
export type Instrument = boolean | readonly string[]

/** Channels of Node and undici that are understood, and what they are called in `static instrument`. */
export type BuiltIn = 'undici' | 'http' | 'http2' | 'net'

const builtIns: readonly BuiltIn[] = ['undici', 'http', 'http2', 'net']

/**
 * Clients that publish tracing channels by themselves, and the names of those that carry one request each: mysql2 from
 * 3.20, ioredis from 5.11, redis (@redis/client) from 5.12; mssql and pg where their version has them. Older
 * versions publish nothing, and are measured by `this.measure`.
 */
const tracingOf: Readonly<Record<string, readonly string[]>> = {
  mysql2: ['mysql2:query', 'mysql2:execute'],
  ioredis: ['ioredis:command'],
  redis: ['node-redis:command'],
  pg: ['pg:query'],
  mssql: ['mssql:query', 'mssql:batch', 'mssql:execute'],
}

/** Prefix of tracing channels, in Node and in `static instrument`. */
export const tracingPrefix = 'tracing:'

/** What `true` means. Connections (`net`) are none of it: they would count beside the requests that they carry. */
const all: ReadonlySet<string> = new Set([
  'undici',
  'http',
  'http2',
  ...Object.values(tracingOf).flatMap((names) => names.map((name) => tracingPrefix + name)),
])

const known = new WeakMap<object, ReadonlySet<string>>()

/**
 * The channels that a class is measured by: built-in ones by name, others as `tracing:NAME`. Null: none.
 *
 * @throws {UsageError} neither true nor a list of what is known
 */
export function selectionOf(testClass: {
  name: string
  instrument?: Instrument
}): ReadonlySet<string> | null {
  const { instrument } = testClass
  if (instrument === undefined || instrument === false) return null
  if (instrument === true) return all
  if (!Array.isArray(instrument)) throw unknownName(testClass.name, instrument)
  let selection = known.get(instrument)
  if (selection === undefined) {
    selection = new Set(instrument.flatMap((name) => channelsOf(testClass.name, name)))
    known.set(instrument, selection)
  }
  return selection.size === 0 ? null : selection
}

function channelsOf(className: string, name: unknown): string[] {
  if (builtIns.includes(name as BuiltIn)) return [name as string]
  if (typeof name !== 'string') throw unknownName(className, name)
  if (name.startsWith(tracingPrefix) && name.length > tracingPrefix.length) return [name]
  if (!Object.hasOwn(tracingOf, name)) throw unknownName(className, name)
  return tracingOf[name]!.map((each) => tracingPrefix + each)
}

function unknownName(className: string, given: unknown): UsageError {
  const names = [...builtIns, ...Object.keys(tracingOf)].join(', ')
  return new UsageError(
    `${className}.instrument: ${JSON.stringify(given) ?? String(given)} is nothing that can be measured by itself; give ` +
      `true, or a list of ${names} or 'tracing:NAME' of a tracing channel. Measure other clients with ` +
      "this.measure('name', () => ...).",
  )
}
