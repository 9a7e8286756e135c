import { ControlFailure, failureOf } from './control-failure.ts'
import { Lease } from './lease.ts'

export interface ControlLinkOptions {
  token?: string
  /** Milliseconds until an answer; by default 30,000. */
  timeoutMs?: number
}

/** Calls of one control server. */
export class ControlLink {
  readonly url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMs: number
  #own: Promise<boolean> | null = null
  #lease: Promise<Lease> | null = null

  constructor(url: string, { token, timeoutMs = 30_000 }: ControlLinkOptions) {
    let base: URL
    try {
      base = new URL(/^https?:\/\//i.test(url) ? url : `http://${url}`)
    } catch (error) {
      throw new ControlFailure(
        'CHAOS_ADDRESS',
        `${JSON.stringify(url)} is no address of a control server; give http://HOST:PORT`,
        { cause: error },
      )
    }
    this.url = base.href.replace(/\/+$/, '')
    this.#headers = {
      'user-agent': 'loads-chaos',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    this.#timeoutMs = timeoutMs
  }

  /**
   * The JSON of the answer; undefined where it has none.
   *
   * @param parts of the path, which may be any text
   * @throws {ControlFailure} CHAOS_CONTROL, or what went wrong there
   */
  async call(method: string, parts: readonly string[], body?: unknown): Promise<unknown> {
    const path = pathOf(parts)
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const response = await this.#fetch(method, path, { body, signal })
    let text: string
    try {
      text = await response.text()
    } catch (error) {
      throw this.#lost(method, path, error)
    }
    if (!response.ok) throw failureOf(`${method} ${path}`, response.status, text)
    if (text === '') return undefined
    try {
      return JSON.parse(text) as unknown
    } catch (error) {
      throw new ControlFailure(
        'CHAOS_CONTROL',
        `${method} ${path} of ${this.url} was answered without JSON`,
        {
          status: response.status,
          text: text.slice(0, 500),
          cause: error,
        },
      )
    }
  }

  /**
   * The body of an answer that goes on, as server-sent events are: those tell that they are there even when nothing happens.
   *
   * @throws {ControlFailure}
   */
  async *stream(
    parts: readonly string[],
    query: string,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    const path = `${pathOf(parts)}${query === '' ? '' : `?${query}`}`
    const response = await this.#fetch('GET', path, { signal, accept: 'text/event-stream' })
    if (!response.ok) throw failureOf(`GET ${path}`, response.status, await response.text())
    const reader = response.body!.getReader()
    // fetch forgets its signal once nobody holds its request any more, so the end is told to the body itself.
    const leave = () => void reader.cancel().catch(() => {})
    signal.addEventListener('abort', leave, { once: true })
    try {
      if (signal.aborted) return
      for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value
    } catch (error) {
      if (!signal.aborted) throw this.#lost('GET', path, error)
    } finally {
      signal.removeEventListener('abort', leave)
      leave()
    }
  }

  /** The lease of this process there; a new one where the last is over. @throws {ControlFailure} */
  async lease(): Promise<Lease> {
    const last = this.#lease
    if (last !== null && (await last).isOver && this.#lease === last) this.#lease = null
    return (this.#lease ??= this.#openLease())
  }

  async version(): Promise<string> {
    const answer = (await this.call('GET', ['version'])) as { version?: unknown }
    return String(answer.version)
  }

  /**
   * Other servers ignore what they do not know without a word.
   *
   * @throws {ControlFailure} CHAOS_CONTROL: the server is none of ours
   */
  async needOwn(what: string): Promise<void> {
    const own = (this.#own ??= this.version().then((version) => /-loads\./.test(version)))
    try {
      if (await own) return
    } catch (error) {
      if (this.#own === own) this.#own = null
      throw error
    }
    throw new ControlFailure(
      'CHAOS_CONTROL',
      `${this.url} is no loads-proxy, and would ignore ${what}; start loads-proxy there`,
    )
  }

  async #openLease(): Promise<Lease> {
    try {
      return await Lease.open(this.url, { headers: this.#headers, timeoutMs: this.#timeoutMs })
    } catch (error) {
      this.#lease = null
      throw error instanceof ControlFailure ? error : this.#lost('GET', '/leases', error)
    }
  }

  async #fetch(
    method: string,
    path: string,
    { body, signal, accept = 'application/json' }: { body?: unknown; signal: AbortSignal; accept?: string },
  ): Promise<Response> {
    try {
      return await fetch(`${this.url}${path}`, {
        method,
        signal,
        redirect: 'error',
        headers: {
          ...this.#headers,
          accept,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch (error) {
      throw this.#lost(method, path, error)
    }
  }

  #lost(method: string, path: string, error: unknown): ControlFailure {
    const { name, message, cause } = error as Error
    const { code } = (cause ?? {}) as NodeJS.ErrnoException
    const reason = name === 'TimeoutError' ? `no answer within ${this.#timeoutMs} ms` : (code ?? message)
    return new ControlFailure(
      'CHAOS_CONTROL',
      `${method} ${path} of the control server ${this.url} failed: ${reason}; is loads-proxy running there?`,
      { cause: error },
    )
  }
}

function pathOf(parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`
}
