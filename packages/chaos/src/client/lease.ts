import { once } from 'node:events'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { failureOf } from './control-failure.ts'

export interface LeaseOptions {
  headers: Readonly<Record<string, string>>
  timeoutMs: number
}

/**
 * What says to a control server that this process is there: a connection that stays open. Scopes that were begun under it end
 * with it, and so with this process, however that ends. It does not keep the process.
 */
export class Lease {
  readonly id: string
  readonly #answer: IncomingMessage

  /** @throws {ControlFailure} the server refuses; else what node:http throws, and a TimeoutError */
  static async open(url: string, { headers, timeoutMs }: LeaseOptions): Promise<Lease> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(new DOMException('too late', 'TimeoutError')), timeoutMs)
    const send = url.startsWith('https:') ? requestHttps : requestHttp
    // A connection of its own, which nothing else closes.
    const request = send(`${url}/leases`, { headers, agent: false })
    late.signal.addEventListener('abort', () => request.destroy(late.signal.reason as Error))
    try {
      const [answer] = (await once(request.end(), 'response')) as [IncomingMessage]
      if (answer.statusCode !== 200)
        throw failureOf('GET /leases', answer.statusCode ?? 0, await text(answer))
      const lines = createInterface({ input: answer })
      const [line] = (await once(lines, 'line', { signal: late.signal })) as [string]
      // A cut is asked for later.
      for (const each of [answer, lines]) each.on('error', () => {})
      answer.socket.unref()
      return new Lease((JSON.parse(line) as { id: string }).id, answer)
    } catch (error) {
      request.on('error', () => {}).destroy()
      throw late.signal.aborted ? (late.signal.reason as Error) : error
    } finally {
      clearTimeout(timer)
    }
  }

  private constructor(id: string, answer: IncomingMessage) {
    this.id = id
    this.#answer = answer
  }

  /** What was begun under it is taken back. */
  get isOver(): boolean {
    return this.#answer.destroyed || this.#answer.complete
  }
}
