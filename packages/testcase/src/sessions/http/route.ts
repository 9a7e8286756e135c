import { UsageError } from '../../errors.ts'
import { isAbsolute, type Server } from '../server.ts'

/**
 * What a URL of the test means: where it goes and what its hits are called.
 *
 * The name is the path without query. For a server other than the test's own, scheme and host stand in front of it:
 * `http://localhost:9200/`. Query and credentials are never part of it.
 */
export interface Route {
  /** `scheme://host:port`. */
  origin: string
  /** Path and query, as sent. */
  path: string
  name: string
  /** The full URL without credentials and fragment. */
  href: string
  /** `Authorization` from credentials in the URL. */
  authorization: string | null
}

/**
 * @throws {UsageError} not an http or https URL
 * @throws {ServerUrlError} relative, and no server is known
 */
export function routeOf(url: string, server: Server): Route {
  const absolute = isAbsolute(url)
  if (absolute && !URL.canParse(url)) throw new UsageError(`"${url}" is no URL`)
  const parsed = absolute ? new URL(url) : server.resolve(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new UsageError(`"${url}": session speaks http:// and https:// only (ws:// URLs go to createWs)`)
  }
  const { origin, pathname, search } = parsed
  const own = !absolute || origin === ownOrigin(server)
  return {
    origin,
    path: pathname + search,
    name: own ? pathname : origin + pathname,
    href: origin + pathname + search,
    authorization: basicAuthorization(parsed.username, parsed.password),
  }
}

/** A server URL that does not parse is the relative URLs' problem; absolute ones do without. */
function ownOrigin(server: Server): string | null {
  try {
    return server.origin
  } catch {
    return null
  }
}

/** `Basic ...` for credentials as they stand in a URL; null without. */
function basicAuthorization(username: string, password: string): string | null {
  if (username === '' && password === '') return null
  return basic(decodeURIComponent(username), decodeURIComponent(password))
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

export type PathParams = Readonly<Record<string, string | number | bigint | boolean>>

/**
 * Fills `:name` parts of a path. Only what follows a slash counts, so ports and credentials are left alone.
 *
 * @throws {UsageError} a part without value, or a value without part
 */
export function fillTemplate(path: string, params: PathParams, template: string): string {
  const used = new Set<string>()
  const end = path.indexOf('?')
  const pathname = end === -1 ? path : path.slice(0, end)
  const filled = pathname.replace(/\/:([A-Za-z_]\w*)/g, (_part, name: string) => {
    const value = params[name]
    if (value === undefined || value === null) {
      throw new UsageError(`"${template}" needs params.${name}`)
    }
    used.add(name)
    return `/${encodeURIComponent(String(value))}`
  })
  for (const name of Object.keys(params)) {
    if (!used.has(name))
      throw new UsageError(`"${template}" has no ":${name}" (query values go to the option "query")`)
  }
  return end === -1 ? filled : filled + path.slice(end)
}

type QueryValue = string | number | bigint | boolean | null | undefined
export type Query = string | URLSearchParams | Readonly<Record<string, QueryValue | readonly QueryValue[]>>

/** A path with more query; values that are null or undefined are left out, lists repeat their name. */
export function withQuery(path: string, query: Query): string {
  const text = queryText(query)
  if (text === '') return path
  return path + (path.includes('?') ? '&' : '?') + text
}

function queryText(query: Query): string {
  if (typeof query === 'string') return query.startsWith('?') ? query.slice(1) : query
  return toSearchParams(query).toString()
}

export function toSearchParams(values: Exclude<Query, string>): URLSearchParams {
  if (values instanceof URLSearchParams) return values
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    for (const each of Array.isArray(value) ? (value as QueryValue[]) : [value as QueryValue]) {
      if (each !== null && each !== undefined) search.append(name, String(each))
    }
  }
  return search
}
