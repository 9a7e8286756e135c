import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import { labelValue } from '../exposition/label-names.ts'
import { isDue, PushClient } from '../exposition/push-client.ts'
import { RunFigures } from '../exposition/run-figures.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import { attributes, requestsOf, type KeyValue, type MetricsRequest } from './metrics-json.ts'
import type { OtlpOptions } from './options.ts'

const compress = promisify(gzip)

/** Data points of one request: a collector takes 20 MB. */
const mostPoints = 500

/** How long the first attempt may take: whoever feeds outputs bounds the rest. */
const openTimeoutMs = 30_000

/** Statuses after which the same may be sent again (OTLP 1.x, "Retryable Response Codes"). */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * OpenTelemetry metrics by OTLP/HTTP, JSON encoded and cumulative: at the end of each interval the run as it stands
 * then. Whatever was missed while the receiver was away is in the next data points.
 */
export class OtlpOutput implements Output {
  readonly name = 'otlp'
  readonly wants: ReadonlySet<RecordType> = new Set<RecordType>(['interval', 'end'])
  readonly spansMs: readonly number[]
  /** The latest of them is all that is written: after a pause the rest are skipped together. */
  readonly batch = 1_000
  readonly #options: OtlpOptions
  readonly #client: PushClient
  #figures: RunFigures | null = null
  #resource: KeyValue[] = []
  #startedAt = 0
  #lastAt = 0
  #isOpen = false

  constructor(options: OtlpOptions, environment: OutputEnvironment) {
    this.#options = options
    this.spansMs = [options.everyMs]
    const headers = {
      'user-agent': 'loads',
      ...options.headers,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    }
    this.#client = new PushClient({ name: this.name, url: options.url, headers, environment })
  }

  async open(run: OutputRun): Promise<void> {
    const { runId, spec, view } = run
    this.#figures = new RunFigures(run)
    this.#startedAt = Math.min(view.submittedAt ?? Infinity, view.startedAt ?? Infinity, Date.now())
    const resource = {
      ...this.#options.attributes,
      ...Object.fromEntries(
        Object.entries(spec.labels).map(([name, value]) => [`loads.label.${name}`, value]),
      ),
      'service.name': 'loads',
      'loads.run.id': runId,
      ...(spec.project === null ? {} : { 'loads.project': spec.project }),
    }
    this.#resource = attributes(Object.entries(resource).map(([name, value]) => [name, labelValue(value)]))
    await this.#writeRun(AbortSignal.timeout(openTimeoutMs))
    this.#isOpen = true
  }

  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    if (isDue(records)) await this.#writeRun(signal)
  }

  async close(): Promise<void> {}

  async #writeRun(signal: AbortSignal): Promise<void> {
    // Nothing is awaited between the clock and the figures.
    const at = Math.max(Date.now(), this.#lastAt + 1)
    this.#lastAt = at
    const requests = requestsOf(this.#figures!.families(), {
      resource: this.#resource,
      startedAt: this.#startedAt,
      at,
      histograms: this.#options.histograms,
      mostPoints,
    })
    for (const request of requests) await this.#send(request, signal)
  }

  async #send(request: MetricsRequest, signal: AbortSignal): Promise<void> {
    const answer = await this.#client.post(await compress(JSON.stringify(request)), signal)
    const { status } = answer
    if (status >= 200 && status < 300) return this.#check(answer.text)
    // Before it is open nothing is sent again: the next attempt has new figures, of a receiver that may be well by then.
    if (retryable.has(status) || (!this.#isOpen && status >= 500)) throw this.#client.unavailable(answer)
    const said = this.#client.said({ ...answer, text: messageIn(answer.text) })
    const isForGood = [401, 403, 404, 405, 415].includes(status) || (status >= 300 && status < 400)
    if (this.#isOpen && !isForGood) return this.#client.say(`${said}; these data points are lost`)
    throw new OutputError('OUTPUT_REFUSED', `${said}; ${hintFor(status)}`)
  }

  /** A receiver may take a part of a request only. The rest must not be sent again. */
  #check(text: string): void {
    const { partialSuccess } = parsed(text) as {
      partialSuccess?: { rejectedDataPoints?: string | number; errorMessage?: string }
    }
    const rejected = Number(partialSuccess?.rejectedDataPoints ?? 0)
    const message = String(partialSuccess?.errorMessage ?? '').slice(0, 300)
    if (rejected > 0)
      this.#client.say(`the receiver rejected ${rejected} data points: ${message || 'it does not say why'}`)
    else if (message !== '') this.#client.say(`the receiver warns: ${message}`)
  }
}

/** The message of a Status, or else the text. */
function messageIn(text: string): string {
  const { message } = parsed(text) as { message?: unknown }
  return typeof message === 'string' && message !== '' ? message : text
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) return 'check OTEL_EXPORTER_OTLP_HEADERS'
  if (status === 404 || status === 405) return 'check the address: the path of OTLP metrics is /v1/metrics'
  if (status === 415) return 'it does not take the JSON encoding of OTLP'
  if (status >= 300 && status < 400) return 'give the address that it points to'
  return 'check what the receiver takes'
}
