import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import { queryOptions, splitAddress } from '../exposition/address.ts'
import { parseEvery, usualEveryMs } from '../exposition/every.ts'

const usage =
  'write otlp:http://HOST:4318[?every=10s&histograms=exponential|explicit]; headers come from OTEL_EXPORTER_OTLP_HEADERS'

export interface OtlpOptions {
  /** Without credentials. */
  url: string
  headers: Record<string, string>
  everyMs: number
  histograms: 'exponential' | 'explicit'
  /** From OTEL_RESOURCE_ATTRIBUTES. */
  attributes: Record<string, string>
}

/** @throws {OutputError} OUTPUT_ARGUMENTS; no message has a header's value in it */
export function otlpOptions(args: string, { env }: OutputEnvironment): OtlpOptions {
  const [text, isExact] = endpoint(args.trim(), env)
  if (!/^https?:\/\//i.test(text)) throw bad(`"${text.replace(/^.*@/s, '')}" is no address of http or https`)
  const { url, authorization } = splitAddress('output otlp', text)
  const options: OtlpOptions = {
    url: isExact || /\/v1\/metrics\/?$/.test(url) ? url : `${url.replace(/\/$/, '')}/v1/metrics`,
    headers: {
      ...(authorization === null ? {} : { authorization }),
      ...pairsOf('OTEL_EXPORTER_OTLP_HEADERS', env, true),
      ...pairsOf('OTEL_EXPORTER_OTLP_METRICS_HEADERS', env, true),
    },
    everyMs: usualEveryMs,
    histograms: 'exponential',
    attributes: pairsOf('OTEL_RESOURCE_ATTRIBUTES', env, false),
  }
  const mark = text.indexOf('?')
  for (const [name, value] of mark < 0 ? [] : queryOptions(text.slice(mark + 1))) {
    if (name === 'every') {
      const everyMs = parseEvery(value)
      if (everyMs === null) throw bad(`every=${value} is none of 1s, 10s and 60s`)
      options.everyMs = everyMs
    } else if (name === 'histograms') {
      if (value !== 'exponential' && value !== 'explicit')
        throw bad(`histograms=${value} is neither exponential nor explicit`)
      options.histograms = value
    } else throw bad(`there is no option "${name}"`)
  }
  return options
}

/** @returns the address, and whether it is used as it stands */
function endpoint(args: string, env: OutputEnvironment['env']): [text: string, isExact: boolean] {
  if (args !== '') return [args, false]
  const exact = env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT?.trim() ?? ''
  if (exact !== '') return [exact, true]
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() ?? ''
  if (base === '') throw bad('an address is missing')
  return [base, false]
}

/** `a=1,b=two%20words`, as the variables of OpenTelemetry have it. */
function pairsOf(
  variable: string,
  env: OutputEnvironment['env'],
  areHeaders: boolean,
): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const [number, part] of (env[variable] ?? '').split(',').entries()) {
    if (part.trim() === '') continue
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(0, equals)).trim()
    const value = decoded(part.slice(equals + 1).trim())
    const isFit = areHeaders
      ? /^[!#$%&'*+\-.^_`|~\w]+$/.test(name) && !/[^\t\x20-\x7e\x80-\xff]/.test(value)
      : name !== ''
    // A header often is a secret: it is told by its place.
    if (!isFit) throw bad(`entry ${number + 1} of ${variable} is not NAME=VALUE`)
    pairs[areHeaders ? name.toLowerCase() : name] = value
  }
  return pairs
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function bad(problem: string): OutputError {
  return new OutputError('OUTPUT_ARGUMENTS', `output otlp: ${problem}; ${usage}`)
}
