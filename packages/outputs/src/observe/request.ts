import { OutputError } from '../errors.ts'
import { queryOptions, splitAddress, type Address } from '../exposition/address.ts'
import { parseSpan } from '../exposition/span.ts'

interface Common {
  /** Where it is asked: shown in messages, without credentials. */
  readonly address: Address
  readonly everyMs: number
}

/** One `--observe`, taken apart. */
export type ObserverRequest =
  /** A page of metrics in the text format: its names must match one of the patterns; none: all. */
  | (Common & { readonly kind: 'scrape'; readonly patterns: readonly string[] })
  /** Questions to a Prometheus server. */
  | (Common & {
      readonly kind: 'query'
      readonly queries: readonly { readonly query: string; readonly name: string | null }[]
    })

const defaultEveryMs = 5_000
const shortestMs = 1_000

const usage =
  'write prometheus:http://HOST:PORT/metrics[?match=NAME,PREFIX_*&every=5s], or to ask a Prometheus server ' +
  'prometheus:http://HOST:9090?query=PROMQL[&name=NAME&every=5s]'

/**
 * Reads what follows `--observe`. In the query of the address a plus is a plus, as in PromQL; `&`, `#` and `%` are
 * written `%26`, `%23` and `%25`.
 *
 * @throws {OutputError} OUTPUT_UNKNOWN: it is not prometheus; OUTPUT_ARGUMENTS: its address or an option is not usable
 */
export function parseObserver(text: string): ObserverRequest {
  const colon = text.indexOf(':')
  const kind = colon < 0 ? text : text.slice(0, colon)
  if (kind !== 'prometheus') throw new OutputError('OUTPUT_UNKNOWN', `nothing observes "${kind}"; ${usage}`)
  const [place, search] = cut(text.slice(colon + 1))
  if (!/^https?:\/\//i.test(place)) throw bad(`"${place.replace(/^.*@/, '')}" is no address`)
  const address = splitAddress('--observe', place)
  const options = queryOptions(search)
  let everyMs = defaultEveryMs
  const queries: { query: string; name: string | null }[] = []
  const patterns: string[] = []
  for (const [name, value] of options) {
    if (name === 'every') everyMs = spanOf(value)
    else if (name === 'query') queries.push({ query: value, name: null })
    else if (name === 'name') {
      const last = queries.at(-1)
      if (last === undefined || value === '') throw bad('name= follows the query= that it names')
      last.name = value
    } else if (name === 'match')
      patterns.push(
        ...value
          .split(',')
          .map((pattern) => pattern.trim())
          .filter((pattern) => pattern !== ''),
      )
    else throw bad(`there is no option "${name}"`)
  }
  if (queries.length === 0) return { kind: 'scrape', address, everyMs, patterns }
  if (patterns.length > 0)
    throw bad('match= is for pages of metrics, query= for a Prometheus server: give one of them')
  if (queries.some(({ query }) => query.trim() === '')) throw bad('a query is empty')
  return { kind: 'query', address, everyMs, queries }
}

function cut(text: string): [place: string, search: string] {
  const mark = text.indexOf('?')
  return mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)]
}

function spanOf(value: string): number {
  const spanMs = parseSpan(value)
  if (spanMs === null || spanMs < shortestMs) throw bad(`every=${value} is no time of a second or more`)
  return spanMs
}

function bad(problem: string): OutputError {
  return new OutputError('OUTPUT_ARGUMENTS', `--observe prometheus: ${problem}; ${usage}`)
}
