import assert from 'node:assert/strict'
import { Guard } from '../../forgotten-promise.ts'
import { describeExpected, isExpected, type ExpectedStatus } from './http-call.ts'
import type { RequestOptions } from './http-request.ts'
import type { HttpSession } from './http-session.ts'
import type { HttpResponse } from './response.ts'
import type { Server } from '../server.ts'

/**
 * The HTTP client for tests of one server: relative URLs, and every answer is checked. A status outside 2xx and 3xx
 * fails the test, unless the option `status` says which is expected; then any other fails it.
 *
 *     const page = await this.app.get('/missing', { status: 404 })
 *     page.mustContain('not found')
 */
export class AppClient {
  readonly #session: HttpSession
  readonly #server: Server

  /** @internal */
  constructor(session: HttpSession, server: Server) {
    this.#session = session
    this.#server = server
  }

  /** Where relative URLs go, here and in `session`: from `--server-url`, else `static serverUrl`; may be changed. */
  get serverUrl(): string | null {
    return this.#server.url
  }

  set serverUrl(url: string | null) {
    this.#server.url = url
  }

  get(url: string, options?: RequestOptions): Promise<AppResponse> {
    return this.request('GET', url, options)
  }

  head(url: string, options?: RequestOptions): Promise<AppResponse> {
    return this.request('HEAD', url, options)
  }

  post(url: string, options?: RequestOptions): Promise<AppResponse> {
    return this.request('POST', url, options)
  }

  put(url: string, options?: RequestOptions): Promise<AppResponse> {
    return this.request('PUT', url, options)
  }

  patch(url: string, options?: RequestOptions): Promise<AppResponse> {
    return this.request('PATCH', url, options)
  }

  delete(url: string, options?: RequestOptions): Promise<AppResponse> {
    return this.request('DELETE', url, options)
  }

  options(url: string, options?: RequestOptions): Promise<AppResponse> {
    return this.request('OPTIONS', url, options)
  }

  /**
   * @throws {AssertionError} a status that is not expected
   * @throws what `session.request` throws
   */
  request(method: string, url: string, options?: RequestOptions): Promise<AppResponse> {
    const guard = new Guard()
    return guard.keep(this.#checked(guard, method, url, options))
  }

  async #checked(guard: Guard, method: string, url: string, options?: RequestOptions): Promise<AppResponse> {
    try {
      const response = await this.#session.request(method, url, options)
      checkStatus(response, options?.status)
      return new AppResponse(response)
    } catch (error) {
      throw guard.failed(error)
    }
  }
}

function checkStatus(response: HttpResponse, expected: ExpectedStatus | undefined): void {
  const { status } = response
  if (expected === undefined ? status >= 200 && status < 400 : isExpected(status, expected)) return
  const wanted = expected === undefined ? '2xx or 3xx' : describeExpected(expected)
  throw new assert.AssertionError({
    message: `${response.method} ${response.url} answered ${status}, expected ${wanted}: ${excerpt(response)}`,
    actual: status,
    expected: wanted,
    operator: 'status',
  })
}

/** An answer that checks its own text. The whole answer is `response`. */
export class AppResponse {
  readonly response: HttpResponse

  constructor(response: HttpResponse) {
    this.response = response
  }

  get status(): number {
    return this.response.status
  }

  get ok(): boolean {
    return this.response.ok
  }

  get headers(): HttpResponse['headers'] {
    return this.response.headers
  }

  get cookies(): Record<string, string> {
    return this.response.cookies
  }

  get url(): string {
    return this.response.url
  }

  get redirected(): boolean {
    return this.response.redirected
  }

  get elapsed(): number {
    return this.response.elapsed
  }

  get bytes(): Buffer {
    return this.response.bytes
  }

  text(): string {
    return this.response.text()
  }

  json<T = unknown>(): T {
    return this.response.json<T>()
  }

  /** Fails the test unless the body has every one of these texts or patterns. */
  mustContain(...wanted: (string | RegExp)[]): this {
    for (const each of wanted) {
      if (!has(this.text(), each)) this.#fail(`the body does not contain ${show(each)}`, each, 'mustContain')
    }
    return this
  }

  /** Fails the test if the body has any of these texts or patterns. */
  mustNotContain(...unwanted: (string | RegExp)[]): this {
    for (const each of unwanted) {
      if (has(this.text(), each)) this.#fail(`the body contains ${show(each)}`, each, 'mustNotContain')
    }
    return this
  }

  #fail(what: string, expected: unknown, operator: 'mustContain' | 'mustNotContain'): never {
    const { method, url } = this.response
    throw new assert.AssertionError({
      message: `${method} ${url}: ${what}: ${excerpt(this.response)}`,
      actual: this.text(),
      expected,
      operator,
      stackStartFn: this[operator],
    })
  }
}

function has(text: string, part: string | RegExp): boolean {
  return typeof part === 'string' ? text.includes(part) : text.search(part) !== -1
}

function show(part: string | RegExp): string {
  return typeof part === 'string' ? JSON.stringify(part) : String(part)
}

/** The beginning of a body, for a message; a body that cannot be read does not hide the message. */
function excerpt(response: HttpResponse): string {
  try {
    const text = response.text()
    return text.length > 200 ? `${text.slice(0, 200)}...` : text || '(empty body)'
  } catch {
    return '(unreadable body)'
  }
}
