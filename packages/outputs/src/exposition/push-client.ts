import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import type { OutputRecord } from '../output.ts'
import { exchange, reasonOf, type HttpAnswer } from './http.ts'

/** Different complaints of a server that are told. */
const mostComplaints = 20

/** A server that asks for more patience than this does not get it, in seconds. */
const longestWaitSeconds = 60

export interface PushClientOptions {
  /** The output's: begins each message. */
  name: string
  /** Without credentials: it is in messages. */
  url: string
  headers: Readonly<Record<string, string>>
  environment: OutputEnvironment
}

/** Sends to one server, as often as that server wants and no more. */
export class PushClient {
  readonly #options: PushClientOptions
  readonly #complaints = new Set<string>()
  /** `performance.now()` before which the server does not want to hear from us. */
  #notBefore = 0

  constructor(options: PushClientOptions) {
    this.#options = options
  }

  /** @throws {OutputError} OUTPUT_UNAVAILABLE while the server wants to be left alone; anything: no answer */
  async post(body: Uint8Array, signal: AbortSignal): Promise<HttpAnswer> {
    const waitMs = this.#notBefore - performance.now()
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000)
      throw new OutputError('OUTPUT_UNAVAILABLE', `the server wants to be left alone for ${seconds} s more`)
    }
    const { url, headers } = this.#options
    return exchange(url, { method: 'POST', headers: { ...headers }, body, signal, mostBytes: 10_000 })
  }

  /** For an answer after which the same may be sent again, but not at once. */
  unavailable(answer: HttpAnswer): OutputError {
    if (answer.retryAfterSeconds !== null)
      this.#notBefore = performance.now() + Math.min(answer.retryAfterSeconds, longestWaitSeconds) * 1000
    return new OutputError('OUTPUT_UNAVAILABLE', this.said(answer))
  }

  /** What the server says, in words for people. */
  said(answer: HttpAnswer): string {
    return `${this.#options.url} says ${reasonOf(answer)}`
  }

  /** Tells people, once for each text. */
  say(text: string): void {
    if (this.#complaints.size >= mostComplaints || this.#complaints.has(text)) return
    this.#complaints.add(text)
    this.#options.environment.log('warning', `output ${this.#options.name}: ${text}`)
  }
}

/** Is it time to write the run as it stands? Late figures of an interval wait for the next one. */
export function isDue(records: readonly OutputRecord[]): boolean {
  return records.some(
    (record) => record.type === 'end' || (record.type === 'interval' && record.interval.revision === 0),
  )
}
