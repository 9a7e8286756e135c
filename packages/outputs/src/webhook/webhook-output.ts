import { createHmac, randomUUID } from 'node:crypto'
import type { OutputEnvironment } from '../environment.ts'
import { messageOf, OutputError } from '../errors.ts'
import { exchange, reasonOf, type HttpAnswer } from '../exposition/http.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import { WebhookMessages, type WebhookMessage } from './messages.ts'
import { parseWebhookAddress, type WebhookAddress } from './webhook-address.ts'

/** `webhook:URL[?events=start,stop,threshold,agent-loss,fault]`: POST of JSON when something happens. */
export function createWebhook(args: string, environment: OutputEnvironment): Output {
  return new WebhookOutput(parseWebhookAddress(args, environment), environment)
}

/** Answers after which nothing else will be taken either. */
const finalStatuses = new Set([401, 403, 404, 405, 410])

/** Answers of 4xx that are about the moment. */
const passingStatuses = new Set([408, 425, 429])

class WebhookOutput implements Output {
  readonly name = 'webhook'
  readonly wants: ReadonlySet<RecordType> = new Set(['event', 'end'])
  readonly spansMs: readonly number[] = []
  /** One by one: what was told is told once. */
  readonly batch = 1
  readonly #address: WebhookAddress
  readonly #environment: OutputEnvironment
  #messages: WebhookMessages | null = null
  /** Of the message that is being sent; the same when it is sent again. */
  #delivery: { record: OutputRecord; id: string } | null = null

  constructor(address: WebhookAddress, environment: OutputEnvironment) {
    this.#address = address
    this.#environment = environment
  }

  async open(run: OutputRun): Promise<void> {
    this.#messages = new WebhookMessages(run)
  }

  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    const messages = this.#messages!
    for (const record of records) {
      const message = messages.of(record)
      if (message !== null && this.#address.events.has(message.event)) {
        if (this.#delivery?.record !== record) this.#delivery = { record, id: randomUUID() }
        await this.#post(message, this.#delivery.id, signal)
      }
      messages.told(record)
    }
  }

  async close(): Promise<void> {}

  async #post(message: WebhookMessage, delivery: string, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify(message)
    const { url, authorization, secret } = this.#address
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'user-agent': 'loads-webhook',
      'x-loads-event': message.event,
      'x-loads-delivery': delivery,
    }
    if (authorization !== null) headers.authorization = authorization
    if (secret !== null)
      headers['x-loads-signature-256'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    let answer: HttpAnswer
    try {
      answer = await exchange(url, { method: 'POST', headers, body, signal, mostBytes: 1_000 })
    } catch (error) {
      const text = `${this.#address.shown} does not answer: ${messageOf(error)}`
      throw new OutputError('OUTPUT_UNAVAILABLE', text, { cause: error })
    }
    this.#judge(answer, message)
  }

  #judge(answer: HttpAnswer, { event }: WebhookMessage): void {
    const { status } = answer
    if (status >= 200 && status < 300) return
    const text = `${this.#address.shown} answers ${reasonOf(answer)}`
    if (status >= 300 && status < 400)
      throw new OutputError(
        'OUTPUT_REFUSED',
        `${text}; redirects are not followed: give the address it leads to`,
      )
    if (finalStatuses.has(status))
      throw new OutputError('OUTPUT_REFUSED', `${text}; check the address and its credentials`)
    if (status >= 500 || status < 200 || passingStatuses.has(status))
      throw new OutputError('OUTPUT_UNAVAILABLE', text)
    // It would refuse the same words again; the next message may be another matter.
    this.#environment.log('warning', `output webhook: ${event} was not taken: ${text}`)
  }
}
