import { Readable } from 'node:stream'
import { toMillis } from '../../duration.ts'
import { UsageError } from '../../errors.ts'
import type { Tags } from '../../meter.ts'
import { checkedRecord, hasHeader, headerBytes, mergeHeaders, type HeaderRecord } from './header-list.ts'
import { headMemoOf } from './head-memo.ts'
import type { CallBody, ExpectedStatus, HttpCall } from './http-call.ts'
import { wireOf } from './wire.ts'
import {
  basic,
  fillTemplate,
  toSearchParams,
  withQuery,
  type PathParams,
  type Query,
  type Route,
} from './route.ts'

/** Options of one request. */
export interface RequestOptions {
  /** Values of `:name` parts of the path; the series keeps the name with the parts: `/users/:id`. */
  params?: PathParams
  /** Added to the URL; lists repeat their name; null and undefined are left out. */
  query?: Query
  /** Set over `session.headers`; null takes one away. */
  headers?: HeaderRecord | Headers
  /** Sent as JSON. */
  json?: unknown
  /** Sent as `application/x-www-form-urlencoded`. */
  form?: Exclude<Query, string>
  /** Sent as `multipart/form-data`; held in memory. */
  multipart?: FormData
  /** Streams and iterables are sent as they come, and cannot be sent again after a redirect that asks for it. */
  body?: string | Uint8Array | Readable | AsyncIterable<Uint8Array | string>
  auth?: { username: string; password: string } | { bearer: string }
  /** Time for the whole request, each hop of its own: milliseconds or `'5s'`. Default: `--timeout`, else 30 s. */
  timeout?: number | string
  /** Name of the series, in place of the path. */
  name?: string
  /** A few words that split the series further; never ids. */
  tags?: Tags
  /** What to do with redirects: `follow` (default, 20 hops at most), `manual` (give me the 3xx), `error`. */
  redirect?: 'follow' | 'manual' | 'error'
  /** Statuses of 400 and more that are no failure here: one, a list, or a function. */
  status?: ExpectedStatus
  /** Cuts this request. */
  signal?: AbortSignal
}

/** What one hop of a request is made of, before its call is. */
export interface Draft {
  route: Route
  /** Path and query as sent. */
  path: string
  name: string
  href: string
  method: string
  headers: string[]
  body: CallBody
  /** Bytes of the body; null where it is counted while sent. */
  bodyBytes: number | null
}

/**
 * Applies the options to a route.
 *
 * @throws {UsageError} options that cannot be
 */
export function draftRequest(
  method: string,
  url: string,
  route: Route,
  defaults: readonly string[],
  options: RequestOptions,
): Draft {
  let { path } = route
  if (options.params !== undefined) path = fillTemplate(path, options.params, url)
  if (options.query !== undefined) path = withQuery(path, options.query)
  const headers =
    options.headers === undefined ? [...defaults] : mergeHeaders(defaults, checkedRecord(options.headers))
  const authorization = authorizationOf(options.auth) ?? route.authorization
  if (authorization !== null && !hasHeader(headers, 'authorization'))
    headers.push('authorization', authorization)
  const { body, bytes, contentType } = bodyOf(options)
  if (contentType !== null && !hasHeader(headers, 'content-type')) headers.push('content-type', contentType)
  return {
    route,
    path,
    name: options.name ?? route.name,
    href: route.origin + path,
    method,
    headers,
    body,
    bodyBytes: bytes,
  }
}

/**
 * Writes the parts of `multipart` down: into a body with its boundary in Content-Type.
 *
 * @throws {UsageError} not a FormData, or another body besides
 */
export async function withMultipart(options: RequestOptions): Promise<RequestOptions> {
  const { multipart, ...rest } = options
  if (!(multipart instanceof FormData)) throw new UsageError('multipart must be a FormData')
  for (const other of ['json', 'form', 'body'] as const) {
    if (options[other] !== undefined) throw new UsageError(`give one of multipart and ${other}, not both`)
  }
  // Node's own Response knows how to write a FormData.
  const written = new Response(multipart)
  const body = new Uint8Array(await written.arrayBuffer())
  const headers = {
    'content-type': written.headers.get('content-type')!,
    ...checkedRecord(options.headers ?? {}),
  }
  return { ...rest, body, headers }
}

/**
 * The call of one hop.
 *
 * @param plain write it down as bytes, where that can be
 */
export function makeCall(
  draft: Draft,
  prefix: string,
  cookie: string,
  proxyHeaders: readonly string[],
  timeoutMs: number,
  options: RequestOptions | undefined,
  plain: boolean,
): HttpCall {
  let { headers } = draft
  if (cookie !== '' && !hasHeader(headers, 'cookie')) headers = [...headers, 'cookie', cookie]
  if (proxyHeaders.length > 0) {
    // Host leads the list and is left out where the test names its own.
    headers = [...headers, ...(hasHeader(headers, 'host') ? proxyHeaders.slice(2) : proxyHeaders)]
  }
  const path = prefix + draft.path
  const host = draft.route.origin.slice(draft.route.origin.indexOf('//') + 2)
  const wire = plain ? wireOf(draft.method, path, host, headers, draft.body) : null
  return {
    method: draft.method,
    path,
    headers,
    body: draft.body,
    wire: wire === null ? null : wire.head,
    wireBody: wire === null ? null : wire.body,
    memo: wire === null ? null : headMemoOf(draft.name),
    name: draft.name,
    href: draft.href,
    tags: options?.tags ?? null,
    bytesOut: headBytes(draft, path, headers) + (draft.bodyBytes ?? 0),
    streamed: draft.bodyBytes === null,
    timeoutMs: options?.timeout === undefined ? timeoutMs : toMillis(options.timeout),
    expected: options?.status ?? null,
    signal: options?.signal ?? null,
  }
}

/** Request line, Host, Connection and the other headers, with their line ends. */
function headBytes(draft: Draft, path: string, headers: readonly string[]): number {
  const host = draft.route.origin.length - draft.route.origin.indexOf('//') - 2
  const length = draft.bodyBytes === null || draft.body === null ? 0 : 18 + String(draft.bodyBytes).length
  return draft.method.length + path.length + 12 + host + 8 + 24 + headerBytes(headers) + length + 2
}

function authorizationOf(auth: RequestOptions['auth']): string | null {
  if (auth === undefined) return null
  if ('bearer' in auth) return `Bearer ${auth.bearer}`
  return basic(auth.username, auth.password)
}

interface Body {
  body: CallBody
  bytes: number | null
  contentType: string | null
}

function bodyOf(options: RequestOptions): Body {
  const given = [options.json, options.form, options.body].filter((each) => each !== undefined)
  if (given.length > 1) throw new UsageError('give one of json, form, multipart and body, not several')
  if (options.json !== undefined) {
    const text = JSON.stringify(options.json)
    if (text === undefined) throw new UsageError('json: this value cannot be written as JSON')
    return buffered(text, 'application/json')
  }
  if (options.form !== undefined) {
    return buffered(toSearchParams(options.form).toString(), 'application/x-www-form-urlencoded')
  }
  const { body } = options
  if (body === undefined || body === null) return { body: null, bytes: 0, contentType: null }
  if (typeof body === 'string') return buffered(body, 'text/plain;charset=UTF-8')
  if (body instanceof Uint8Array) return { body, bytes: body.byteLength, contentType: null }
  if (body instanceof Readable || Symbol.asyncIterator in body)
    return { body, bytes: null, contentType: null }
  throw new UsageError(
    'body must be a string, a Buffer, a stream or an async iterable; objects go to json or form',
  )
}

function buffered(text: string, contentType: string): Body {
  const body = Buffer.from(text)
  return { body, bytes: body.byteLength, contentType }
}
