import type { TokenStore } from './token-store.ts'

/** The server has refused, or there is none. The message is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** That of the server; `NO_ANSWER` when there is none, `GIVEN_UP` when no token was given. */
  readonly code: string
  /** 0: no answer. */
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const patienceMs = 15_000

export interface ApiClientOptions {
  token: TokenStore
  /** Asks the reader for the token; `trouble` is why once more. Null: no token. */
  askToken: (trouble: string | null) => Promise<string | null>
}

/** Requests to the server that the page comes from. */
export class ApiClient {
  readonly #options: ApiClientOptions
  #login: Promise<void> | null = null

  constructor(options: ApiClientOptions) {
    this.#options = options
  }

  /** @throws {ApiError} */
  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    try {
      return await this.#send<T>('GET', path, undefined, signal)
    } catch (error) {
      if (!isUnknown(error)) throw error
      // One dialog, however many requests wait for it.
      this.#login ??= this.#openSession().finally(() => (this.#login = null))
      await this.#login
      return this.#send<T>('GET', path, undefined, signal)
    }
  }

  /** @throws {ApiError} */
  async post<T>(path: string, body: unknown): Promise<T> {
    const { token, askToken } = this.#options
    for (;;) {
      try {
        return await this.#send<T>('POST', path, body)
      } catch (error) {
        if (!isUnknown(error)) throw error
        const given = await askToken(error.code === 'TOKEN_WRONG' ? error.message : null)
        if (given === null) throw new ApiError(401, 'GIVEN_UP', 'nothing was changed: changes need the token')
        token.token = given
      }
    }
  }

  /** Where reading needs the token, too: a cookie, since streams of events can send nothing else. */
  async #openSession(): Promise<void> {
    try {
      await this.post('/api/session', {})
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'GIVEN_UP') throw error
      throw new ApiError(
        401,
        'GIVEN_UP',
        'runs are shown to those who have the token: load this page again to give it',
      )
    }
  }

  async #send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const { token } = this.#options.token
    const headers: Record<string, string> = {}
    if (method === 'POST') headers['Content-Type'] = 'application/json'
    if (method === 'POST' && token !== null) headers['Authorization'] = `Bearer ${token}`
    const abort = new AbortController()
    const giveUp = () => abort.abort()
    const timer = setTimeout(giveUp, patienceMs)
    signal?.addEventListener('abort', giveUp)
    let response: Response
    let text: string
    try {
      response = await fetch(path, {
        method,
        headers,
        credentials: 'same-origin',
        signal: abort.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      text = await response.text()
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw new ApiError(
        0,
        'NO_ANSWER',
        'the server does not answer: is the broker, or the run, still there?',
      )
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    }
    if (response.ok) return JSON.parse(text) as T
    throw refusalOf(response.status, text)
  }
}

function isUnknown(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 401 && error.code !== 'GIVEN_UP'
}

function refusalOf(status: number, text: string): ApiError {
  try {
    const { code, message } = JSON.parse(text) as { code?: unknown; message?: unknown }
    if (typeof code === 'string' && typeof message === 'string') return new ApiError(status, code, message)
  } catch {
    // Something in between has answered.
  }
  return new ApiError(
    status,
    'NOT_OURS',
    `the server answered with status ${status}, which is not one of its refusals`,
  )
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
