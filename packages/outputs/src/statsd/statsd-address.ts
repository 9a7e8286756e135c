import { parseEndpoint, type Endpoint } from '@loads-runner/protocol'
import { OutputError } from '../errors.ts'
import { queryOptions } from '../exposition/address.ts'

const usualPort = 8125

export interface StatsdAddress {
  endpoint: Endpoint
  /** Dotted, without a dot at its end. */
  prefix: string
  /** Datadog's tags in place of long names. */
  tagged: boolean
}

/**
 * Reads `HOST[:PORT][?prefix=loads&tags=datadog]`; IPv6 in brackets.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS
 */
export function parseStatsdAddress(args: string): StatsdAddress {
  const mark = args.indexOf('?')
  const place = (mark < 0 ? args : args.slice(0, mark)).trim()
  if (place === '') throw wrong('it needs a host')
  const endpoint = parseEndpoint(place) ?? parseEndpoint(`${place}:${usualPort}`)
  if (endpoint === null) throw wrong(`"${place}" is no HOST or HOST:PORT`)
  const address: StatsdAddress = { endpoint, prefix: 'loads', tagged: false }
  for (const [name, value] of mark < 0 ? [] : queryOptions(args.slice(mark + 1))) {
    if (name === 'prefix') address.prefix = prefixOf(value)
    else if (name === 'tags' && value === 'datadog') address.tagged = true
    else if (name === 'tags') throw wrong(`tags can be datadog, not "${value}"`)
    else throw wrong(`there is no option "${name}"; there are prefix and tags`)
  }
  return address
}

function prefixOf(value: string): string {
  if (/^[\w-]+(\.[\w-]+)*$/.test(value)) return value
  throw wrong(`the prefix "${value}" must be words with dots between them, as load.tests`)
}

function wrong(problem: string): OutputError {
  return new OutputError(
    'OUTPUT_ARGUMENTS',
    `output statsd: ${problem}; write statsd:HOST[:PORT][?prefix=loads&tags=datadog]`,
  )
}
