import { compress } from 'snappyjs'
import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import { queryOptions, splitAddress } from '../exposition/address.ts'
import { parseEvery, usualEveryMs } from '../exposition/every.ts'
import { metrics } from '../exposition/names.ts'
import { nativeSchema, zeroThreshold } from '../exposition/native-histogram.ts'
import { isDue, PushClient } from '../exposition/push-client.ts'
import { RunFigures } from '../exposition/run-figures.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import { encodeRequest, type TimeSeries } from './write-request.ts'
import { WrittenSeries } from './written-series.ts'

const usage =
  'write prometheus:http://[USER:PASSWORD@]HOST:9090/api/v1/write[?every=10s&native=false&classic=false]; ' +
  'a token comes from LOADS_PROMETHEUS_TOKEN'

/** Series of one request: servers bound the size of what they take. */
const mostSeries = 2_000

/** The end of series is told so long after their last samples: what is asked meanwhile sees them. */
const staleAfterMs = 15_000

/** How long the first attempt may take: whoever feeds outputs bounds the rest. */
const openTimeoutMs = 30_000

export interface RemoteWriteOptions {
  /** Without credentials. */
  url: string
  authorization: string | null
  everyMs: number
  native: boolean
  classic: boolean
}

/** @throws {OutputError} OUTPUT_ARGUMENTS */
export function createRemoteWrite(args: string, environment: OutputEnvironment): RemoteWriteOutput {
  const text = args.trim()
  const { url, authorization } = splitAddress('output prometheus', text)
  const token = environment.env.LOADS_PROMETHEUS_TOKEN?.trim() ?? ''
  const options: RemoteWriteOptions = {
    url,
    authorization: authorization ?? (token === '' ? null : `Bearer ${token}`),
    everyMs: usualEveryMs,
    native: true,
    classic: true,
  }
  const mark = text.indexOf('?')
  for (const [name, value] of mark < 0 ? [] : queryOptions(text.slice(mark + 1))) {
    if (name === 'native' || name === 'classic') options[name] = flagOf(name, value)
    else if (name === 'every') {
      const everyMs = parseEvery(value)
      if (everyMs === null) throw bad(`every=${value} is none of 1s, 10s and 60s`)
      options.everyMs = everyMs
    } else throw bad(`there is no option "${name}"`)
  }
  if (!options.native && !options.classic) throw bad('without native and classic histograms there are none')
  if (new URL(url).pathname === '/') throw bad(`${url} has no path; of Prometheus it is /api/v1/write`)
  return new RemoteWriteOutput(options, environment)
}

function flagOf(name: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') throw bad(`${name}=${value} is neither true nor false`)
  return value === 'true'
}

function bad(problem: string): OutputError {
  return new OutputError('OUTPUT_ARGUMENTS', `output prometheus: ${problem}; ${usage}`)
}

/**
 * Prometheus remote write 1.0. At the end of each interval the run is written as it stands then, at the time of writing:
 * whatever was missed while the server was away is in the next samples, and no sample is ever out of order.
 */
export class RemoteWriteOutput implements Output {
  readonly name = 'prometheus'
  readonly wants: ReadonlySet<RecordType> = new Set<RecordType>(['interval', 'end'])
  readonly spansMs: readonly number[]
  /** The latest of them is all that is written: after a pause the rest are skipped together. */
  readonly batch = 1_000
  readonly #options: RemoteWriteOptions
  readonly #client: PushClient
  readonly #series = new WrittenSeries()
  #native: boolean
  #figures: RunFigures | null = null
  #isOpen = false

  constructor(options: RemoteWriteOptions, environment: OutputEnvironment) {
    this.#options = options
    const { url, authorization } = options
    this.#client = new PushClient({
      name: this.name,
      url,
      environment,
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-write-version': '0.1.0',
        'user-agent': 'loads',
        ...(authorization === null ? {} : { authorization }),
      },
    })
    this.#native = options.native
    this.spansMs = [options.everyMs]
  }

  async open(run: OutputRun): Promise<void> {
    this.#figures = new RunFigures(run)
    await this.#writeRun(AbortSignal.timeout(openTimeoutMs))
    this.#isOpen = true
  }

  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    if (!isDue(records)) return
    await this.#writeRun(signal)
    if (!records.some(({ type }) => type === 'end')) return
    await this.#send(this.#series.staleAt(this.#series.lastAt! + staleAfterMs), signal)
  }

  async close(): Promise<void> {}

  async #writeRun(signal: AbortSignal): Promise<void> {
    const { classic } = this.#options
    // Nothing is awaited between the clock and the figures.
    const at = Math.max(Date.now(), (this.#series.lastAt ?? 0) + 1)
    const families = this.#figures!.families()
    const forms = { native: this.#native, classic: classic || !this.#native }
    const series = this.#series.at(at, families, forms)
    await this.#send(series, signal)
  }

  async #send(series: readonly TimeSeries[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < series.length; from += mostSeries) {
      const isTaken = await this.#sendPart(series.slice(from, from + mostSeries), from === 0, signal)
      // The server has no native histograms: all is said again without them.
      if (!isTaken) return this.#writeRun(signal)
    }
  }

  /** False where the server turned out not to take native histograms. */
  async #sendPart(series: readonly TimeSeries[], isFirst: boolean, signal: AbortSignal): Promise<boolean> {
    const form = { schema: nativeSchema, zeroThreshold }
    const request = compress(encodeRequest(series, isFirst ? metrics : [], form))
    const answer = await this.#client.post(request, signal)
    const { status } = answer
    if (status >= 200 && status < 300) return true
    const reason = this.#client.said(answer)
    if (this.#native && /native histograms? (are|is)( currently)? (disabled|not)/i.test(answer.text)) {
      this.#native = false
      this.#client.say(
        `${reason}; histograms are written as classic ones, whose quantiles are rough (--enable-feature=native-histograms)`,
      )
      return false
    }
    if (status === 429 || status >= 500) throw this.#client.unavailable(answer)
    // What is in one request is at fault; the next one may be taken.
    if (status === 400 && this.#isOpen) {
      this.#client.say(`${reason}; these samples are lost`)
      return true
    }
    throw new OutputError('OUTPUT_REFUSED', `${reason}; ${hintFor(status)}`)
  }
}

function hintFor(status: number): string {
  if (status === 401 || status === 403)
    return 'check user and password of its address, or the token in LOADS_PROMETHEUS_TOKEN'
  if (status === 404 || status === 405)
    return 'check the path, and that the server takes remote write (--web.enable-remote-write-receiver)'
  if (status >= 300 && status < 400) return 'give the address that it points to'
  return 'check what the server takes'
}
