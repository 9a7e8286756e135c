import { Readable } from 'node:stream'
import type { UserContext } from '../../context.ts'
import { toTimerMillis } from '../../duration.ts'
import { InterruptedError, RedirectError, RequestError, UsageError } from '../../errors.ts'
import { Guard } from '../../forgotten-promise.ts'
import { AbortWatch } from '../abort-watch.ts'
import { acceptedCodings } from './content-coding.ts'
import { Cookies } from './cookies.ts'
import { DefaultHeaders, hasHeader, type HeaderValue } from './header-list.ts'
import { describeBreak } from '../hit-error.ts'
import type { HttpCall } from './http-call.ts'
import { BrokenCall, Stop, type CallOwner, type Connection, type Outcome } from './connection.ts'
import { exchangeObserver, exchangeOf, type ExchangeObserver } from '../../exchange.ts'
import { HttpOrigin } from './http-origin.ts'
import { draftRequest, makeCall, withMultipart, type Draft, type RequestOptions } from './http-request.ts'
import { isRedirect, maxHops, redirected } from './redirect.ts'
import type { HttpResponse } from './response.ts'
import { routeOf, type Route } from './route.ts'
import type { Server } from '../server.ts'
import { joinPool, leavePool, type SharedOrigins } from './shared-origins.ts'
import { TraceParents } from '../trace.ts'

/** URLs whose meaning a session remembers; beyond it, it starts anew (ids in paths belong in `params`). */
const maxRoutes = 1000

/** What a URL means, and the call of a GET without options, which most requests are. */
interface KnownRoute {
  route: Route
  origin: HttpOrigin
  /** Null until asked for and after a change of the session's headers. */
  plainGet: HttpCall | null
  /** What it was made with. */
  headersVersion: number
  cookie: string
}

/**
 * The HTTP client of one virtual user: own connections, own cookies, own default headers.
 *
 * Every attempt is one hit, each hop of a redirect too. A 4xx or 5xx is an answer: it is returned, and its hit is
 * failed unless the option `status` expects it. An attempt without a complete answer throws. Nothing is sent twice.
 *
 *     const answer = await this.session.get('/users/:id', { params: { id: 7 } })
 *     this.assertEqual(answer.status, 200)
 */
export class HttpSession implements CallOwner {
  readonly cookies: Cookies
  /** Largest body of an answer, in bytes, as it comes over the connection. */
  maxBodyBytes = 128 * 1024 * 1024
  /** @internal */
  readonly context: UserContext
  readonly #server: Server
  readonly #headers = new DefaultHeaders({
    'user-agent': 'loads-runner',
    accept: '*/*',
    'accept-encoding': acceptedCodings,
  })
  readonly #origins = new Map<string, HttpOrigin>()
  readonly #routes = new Map<string, KnownRoute>()
  /** The last URL that was looked up: a loop over one URL need not look again. */
  #lastUrl: string | null = null
  #lastKnown: KnownRoute | null = null
  #serverVersion = 0
  #closed = false
  readonly #pool: SharedOrigins | null
  readonly #traces: TraceParents | null
  /** Null unless somebody looks on. */
  readonly #observer: ExchangeObserver | null = exchangeObserver()
  readonly #watch = new AbortWatch(() => this.#interrupt(new Stop('interrupted', 'the execution was cut')))

  /** @internal */
  constructor(context: UserContext, server: Server) {
    this.context = context
    this.#server = server
    const { target } = context
    this.#pool = target.connections.policy === 'shared' ? joinPool(target) : null
    this.#traces = target.trace ? new TraceParents(context) : null
    this.cookies = new Cookies((url) => routeOf(url, server).href)
  }

  /** Headers of every request. Change them freely: `session.headers['x-key'] = '1'`. */
  get headers(): Record<string, HeaderValue> {
    return this.#headers.record
  }

  get(url: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.request('GET', url, options)
  }

  head(url: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.request('HEAD', url, options)
  }

  post(url: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.request('POST', url, options)
  }

  put(url: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.request('PUT', url, options)
  }

  patch(url: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.request('PATCH', url, options)
  }

  delete(url: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.request('DELETE', url, options)
  }

  options(url: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.request('OPTIONS', url, options)
  }

  /**
   * @throws {RequestError} no complete answer; its `class` says why
   * @throws {InterruptedError} the execution was cut
   * @throws {RedirectError} a redirect that cannot be followed
   * @throws {UsageError} options or a URL that cannot be
   */
  request(method: string, url: string, options?: RequestOptions): Promise<HttpResponse> {
    // A test that forgets to await must not bring the process down. The hit is recorded anyway.
    const guard = new Guard()
    if (options === undefined && method === 'GET') return guard.keep(this.#getPlain(url, guard))
    return guard.keep(this.#requestGuarded(method, url, options ?? {}, guard))
  }

  /** @internal Closes all connections; what still runs ends as interrupted. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#watch.follow(null)
    if (this.#pool === null) {
      for (const origin of this.#origins.values()) origin.close()
    } else {
      this.#interrupt(new Stop('interrupted', 'the session was closed'))
      leavePool(this.context.target)
    }
  }

  /** @internal Ends an execution: where each has its own connections, they go. */
  endExecution(): void {
    if (this.context.target.connections.policy !== 'fresh') return
    for (const origin of this.#origins.values()) origin.retire()
  }

  /** The hot path: a known URL, no options, nothing to build. */
  async #getPlain(url: string, guard: Guard): Promise<HttpResponse> {
    try {
      const known = this.#known(url)
      const call = this.#plainCall(url, known)
      this.#checkSignal(call)
      const connection = known.origin.take(call, this) ?? (await this.#waitFor(known.origin, call))
      const outcome = await connection.send(call, this)
      if (this.#observer !== null) this.#observer(exchangeOf(outcome, this.context.executionId))
      if (outcome instanceof BrokenCall) throw brokenError(outcome)
      if (outcome.mayHaveCookies) this.#storeCookies(outcome)
      if (!isRedirect(outcome.status)) return outcome
      return await this.#follow(draftRequest('GET', url, known.route, this.#headers.list, {}), outcome, {})
    } catch (error) {
      throw guard.failed(error)
    }
  }

  #plainCall(url: string, known: KnownRoute): HttpCall {
    const cookie = this.#cookieFor(known.route.href)
    if (
      known.plainGet === null ||
      this.#traces !== null ||
      known.headersVersion !== this.#headers.version ||
      known.cookie !== cookie
    ) {
      const draft = draftRequest('GET', url, known.route, this.#headers.list, {})
      known.plainGet = this.#callOf(draft, known.origin, undefined)
      known.headersVersion = this.#headers.version
      known.cookie = cookie
    }
    return known.plainGet
  }

  async #requestGuarded(
    method: string,
    url: string,
    options: RequestOptions,
    guard: Guard,
  ): Promise<HttpResponse> {
    try {
      return await this.#request(method, url, options)
    } catch (error) {
      throw guard.failed(error)
    }
  }

  async #request(method: string, url: string, options: RequestOptions): Promise<HttpResponse> {
    const known = this.#known(url)
    const sendable = options.multipart === undefined ? options : await withMultipart(options)
    const draft = draftRequest(method.toUpperCase(), url, known.route, this.#headers.list, sendable)
    const answer = await this.#send(draft, known.origin, options)
    if (!isRedirect(answer.status) || options.redirect === 'manual') return answer
    return this.#follow(draft, answer, options)
  }

  async #follow(first: Draft, answer: HttpResponse, options: RequestOptions): Promise<HttpResponse> {
    let draft = first
    let last = answer
    for (let hop = 1; ; hop++) {
      const location = last.headers.get('location')
      if (location === null) return last
      if (options.redirect === 'error') {
        throw new RedirectError(
          `${draft.method} ${draft.href} answered ${last.status}, and redirect is 'error'`,
          last.url,
        )
      }
      if (hop > maxHops) {
        throw new RedirectError(`${first.method} ${first.href}: more than ${maxHops} redirects`, last.url)
      }
      draft = redirected(draft, last, location, this.#server, options)
      last = await this.#send(draft, this.#origin(draft.route.origin), options)
      last.redirected = true
      if (!isRedirect(last.status)) return last
    }
  }

  async #send(draft: Draft, origin: HttpOrigin, options: RequestOptions): Promise<HttpResponse> {
    const call = this.#callOf(draft, origin, options)
    this.#checkSignal(call)
    const connection = origin.take(call, this) ?? (await this.#waitFor(origin, call))
    const plain = call.signal === null && call.wire !== null
    const outcome = await (plain ? connection.send(call, this) : this.#watchCall(connection, call))
    if (this.#observer !== null) this.#observer(exchangeOf(outcome, this.context.executionId))
    if (outcome instanceof BrokenCall) throw brokenError(outcome)
    if (outcome.mayHaveCookies) this.#storeCookies(outcome)
    return outcome
  }

  #callOf(draft: Draft, origin: HttpOrigin, options: RequestOptions | undefined): HttpCall {
    const cookie = this.#cookieFor(draft.href)
    return makeCall(
      this.#traced(draft),
      origin.pathPrefix,
      cookie,
      origin.proxyHeaders,
      toTimerMillis(this.context.target.timeoutMs),
      options,
      origin.plain,
    )
  }

  #traced(draft: Draft): Draft {
    if (this.#traces === null) return draft
    const { headers } = draft
    if (hasHeader(headers, 'traceparent')) return draft
    return { ...draft, headers: [...headers, 'traceparent', this.#traces.next()] }
  }

  /** Sends a call that may have a signal or a body stream of the test's own. */
  async #watchCall(connection: Connection, call: HttpCall): Promise<Outcome> {
    const { signal, body } = call
    const watch =
      signal === null
        ? null
        : new AbortWatch(() => connection.stop(new Stop('interrupted', 'the test cut the request')))
    watch?.follow(signal)
    const sent = watchBody(body, (error) => connection.failBody(error))
    try {
      return await connection.send(sent === body ? call : { ...call, body: sent }, this)
    } finally {
      watch?.follow(null)
    }
  }

  async #waitFor(origin: HttpOrigin, call: HttpCall): Promise<Connection> {
    const askedAt = performance.now()
    for (;;) {
      await origin.wait(this)
      this.#checkSignal(call)
      const connection = origin.take(call, this)
      if (connection === null) continue
      connection.blocked(performance.now() - askedAt)
      return connection
    }
  }

  /** Refuses to send after the cut, and listens for it. The engine gives tearDown another signal than the test had. */
  #checkSignal(call: HttpCall): void {
    const { signal } = this.context
    this.#watch.follow(signal)
    if (signal.aborted) throw new InterruptedError(`${call.method} ${call.name}`, signal.reason)
    if (call.signal?.aborted) throw new InterruptedError(`${call.method} ${call.name}`, call.signal.reason)
    if (this.#closed) throw new UsageError('the session of this user is closed: its run is over')
  }

  #interrupt(stop: Stop): void {
    for (const origin of this.#origins.values()) origin.interrupt(this, stop)
  }

  #known(url: string): KnownRoute {
    if (this.#serverVersion !== this.#server.version) {
      this.#serverVersion = this.#server.version
      this.#routes.clear()
      this.#lastUrl = null
    }
    if (url === this.#lastUrl) return this.#lastKnown!
    let known = this.#routes.get(url)
    if (known === undefined) {
      if (typeof url !== 'string') throw new UsageError(`a URL must be a string, not ${String(url)}`)
      const route = routeOf(url, this.#server)
      known = { route, origin: this.#origin(route.origin), plainGet: null, headersVersion: -1, cookie: '' }
      if (this.#routes.size >= maxRoutes) this.#routes.clear()
      this.#routes.set(url, known)
    }
    this.#lastUrl = url
    this.#lastKnown = known
    return known
  }

  #origin(origin: string): HttpOrigin {
    let known = this.#origins.get(origin)
    if (known === undefined) {
      known = this.#pool === null ? new HttpOrigin(origin, this.context.target) : this.#pool.origin(origin)
      this.#origins.set(origin, known)
    }
    return known
  }

  #cookieFor(href: string): string {
    return this.cookies.isEmpty ? '' : this.cookies.header(href)
  }

  #storeCookies(answer: HttpResponse): void {
    for (const cookie of answer.headers.getSetCookie()) this.cookies.store(cookie, answer.url)
  }
}

/** What the test gets to see. Made after the await, so that the stack leads to the user's line. */
function brokenError(broken: BrokenCall): unknown {
  const { call } = broken
  if (broken.class === null) {
    const code: unknown = (broken.cause as { code?: unknown } | null)?.code
    if (typeof code !== 'string' || !code.startsWith('UND_ERR_')) return broken.cause
    return new UsageError(`${call.method} ${call.href} cannot be sent: ${(broken.cause as Error).message}`, {
      cause: broken.cause,
    })
  }
  if (broken.class === 'interrupted') return new InterruptedError(`${call.method} ${call.name}`, broken.cause)
  return new RequestError(describeBreak(call.method, call.href, broken.class, broken.cause), {
    class: broken.class,
    method: call.method,
    url: call.href,
    cause: broken.cause,
  })
}

/** Tells of an error of the test's own stream, which must not be taken for one of the server. */
function watchBody(body: HttpCall['body'], onError: (error: unknown) => void): HttpCall['body'] {
  if (body instanceof Readable) {
    body.once('error', onError)
    return body
  }
  if (body === null || typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData)
    return body
  return tellingErrors(body, onError)
}

async function* tellingErrors(body: AsyncIterable<unknown>, onError: (error: unknown) => void) {
  try {
    yield* body
  } catch (error) {
    onError(error)
    throw error
  }
}
