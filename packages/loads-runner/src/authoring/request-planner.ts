import { bodyFields, planBody } from './body-planner.ts'
import type { Correlation } from './correlation.ts'
import { Fields, Mixed } from './expression.ts'
import type { Code, Expression } from './expression.ts'
import { camelCase, Names, singular } from './names.ts'
import { grouped, pairsOf } from './pairs.ts'
import type { PlannedRequest } from './planned-test.ts'
import type { Recorded } from './recorded.ts'

export interface PlannerContext {
  /** Null: nothing is looked for in earlier answers. */
  correlation: Correlation | null
  names: Names
  /** Origin that relative URLs belong to. */
  serverUrl: string | null
  /** Whoever wrote the request has chosen its headers: keep all that make a difference. */
  keepHeaders?: boolean
}

/** Headers that the session, the connection or a browser sets, and what only a cache would ask. */
const droppedHeaders =
  /^(?:|:.*|host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|upgrade-insecure-requests|content-length|cookie2?|accept-encoding|accept-language|user-agent|referer|origin|sec-.*|dnt|priority|pragma|cache-control|if-none-match|if-modified-since|x-forwarded-.*|via|expect|x-client-data)$/i

/** What only the connection can say, or the session says by itself. */
const ownHeaders =
  /^(?:|:.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|accept-encoding|sec-.*|expect)$/i

/** Turns a request that was seen into one that a test makes. */
export class RequestPlanner {
  readonly #context: PlannerContext

  constructor(context: PlannerContext) {
    this.#context = context
  }

  plan(recorded: Recorded): PlannedRequest {
    const { names, correlation } = this.#context
    const target = this.#target(recorded.url)
    const body = recorded.body === null ? null : planBody(recorded.body, this.#context)
    const { headers, auth } = this.#headers(recorded, body?.contentType ?? null)
    // Only now: what this request sends may be what an earlier answer had.
    for (const value of sentBy(recorded)) correlation?.sent(value)
    const variable = names.take(camelCase(target.word), recorded.method === 'GET' ? 'page' : 'answer')
    return {
      comments: [],
      pauseMs: null,
      method: recorded.method,
      url: target.url,
      params: new Fields(target.params),
      query: new Fields(target.query),
      headers,
      auth,
      body: body?.planned ?? null,
      expected: null,
      variable,
      captures: [],
    }
  }

  #target(text: string) {
    const url = new URL(text)
    const prefix = url.origin === this.#context.serverUrl ? '' : url.origin
    const params: [string, Expression][] = []
    const names = new Names()
    let word = ''
    const segments = url.pathname.split('/').map((segment) => {
      const value = decoded(segment)
      const code = value === null ? null : this.#codeFor(value)
      if (value === null || (code === null && !looksLikeId(value))) {
        if (/[A-Za-z]/.test(segment)) word = segment
        // It would be taken for the name of a parameter.
        return segment.replace(/^:/, '%3A')
      }
      const name = names.take(word === '' ? 'id' : `${camelCase(singular(word))}Id`, 'id')
      params.push([name, code ?? value])
      return `:${name}`
    })
    const path = segments.join('/')
    const query = this.#query(url.search)
    return { url: prefix + path + (query === null ? url.search : ''), params, query: query ?? [], word }
  }

  /** Null where an object cannot say the same. */
  #query(search: string): [string, Expression][] | null {
    const pairs = pairsOf(search.slice(1))
    return pairs === null
      ? null
      : grouped(pairs.map(([name, value]) => [name, this.#codeFor(value) ?? value]))
  }

  #headers({ headers }: Recorded, implied: string | null) {
    const dropped = this.#context.keepHeaders === true ? ownHeaders : droppedHeaders
    const kept: [string, Expression][] = []
    let auth: Fields | null = null
    const seen = new Set<string>()
    for (const [name, value] of headers) {
      const low = name.toLowerCase()
      if (dropped.test(low) || seen.has(low) || !isHeader(name, value)) continue
      if (low === 'accept' && value.includes('*/*')) continue
      if (low === 'content-type' && (implied === null || sameType(implied, value))) continue
      seen.add(low)
      auth ??= low === 'authorization' ? this.#auth(value) : null
      if (low !== 'authorization' || auth === null) kept.push([low, this.#headerValue(value)])
    }
    return { headers: new Fields(kept), auth }
  }

  #auth(value: string): Fields | null {
    const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(value) ?? []
    if (scheme === 'Bearer')
      return new Fields([['bearer', this.#context.correlation?.textFor(credentials) ?? credentials]])
    const pair = scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString() : ''
    const colon = pair.indexOf(':')
    if (colon === -1 || Buffer.from(pair).toString('base64') !== credentials) return null
    return new Fields([
      ['username', pair.slice(0, colon)],
      ['password', pair.slice(colon + 1)],
    ])
  }

  #headerValue(value: string): Expression {
    const { correlation } = this.#context
    const whole = correlation?.textFor(value) ?? null
    if (whole !== null) return whole
    const [, scheme = '', rest = ''] = /^([A-Za-z][\w-]* )(\S+)$/.exec(value) ?? []
    const code = rest === '' ? null : (correlation?.codeFor(rest) ?? null)
    return code === null ? value : new Mixed([scheme, code])
  }

  #codeFor(value: string): Code | null {
    return this.#context.correlation?.codeFor(value) ?? null
  }
}

/** Digits, a uuid, a long hex number, a long mix of letters and digits. */
export function looksLikeId(segment: string): boolean {
  if (/^\d+$/.test(segment)) return true
  if (/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(segment)) return true
  if (/^[\da-f]{12,}$/i.test(segment) && /\d/.test(segment)) return true
  return (
    /^[\w-]{20,}$/.test(segment) &&
    /\d/.test(segment) &&
    /[A-Za-z]/.test(segment) &&
    !/-[a-z]+-/.test(segment)
  )
}

/** What a segment of a path means; null where the test could not write it the same way. */
function decoded(segment: string): string | null {
  try {
    const text = decodeURIComponent(segment)
    const same = encodeURIComponent(text).toLowerCase() === segment.toLowerCase()
    return text !== '' && same && text !== '.' && text !== '..' ? text : null
  } catch {
    return null
  }
}

function sameType(one: string, other: string): boolean {
  const clean = (type: string) => type.toLowerCase().replaceAll(/\s|"|;charset=utf-8/g, '')
  return clean(one) === clean(other)
}

/** What Node would refuse to send is not sent. */
function isHeader(name: string, value: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && !/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)
}

function* sentBy({ url, headers, body }: Recorded): Generator<string | number> {
  const { pathname, searchParams } = new URL(url)
  for (const segment of pathname.split('/')) yield decoded(segment) ?? segment
  for (const value of searchParams.values()) yield value
  for (const [, value] of headers) yield* [value, value.slice(value.lastIndexOf(' ') + 1)]
  if (body !== null) yield* bodyFields(body)
}
