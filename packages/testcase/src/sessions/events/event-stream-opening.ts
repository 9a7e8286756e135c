import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { UserContext } from '../../context.ts'
import { toMillis, toTimerMillis } from '../../duration.ts'
import { InterruptedError, RedirectError, RequestError } from '../../errors.ts'
import type { HitErrorClass } from '../../meter.ts'
import { AbortWatch } from '../abort-watch.ts'
import { proxyAddressOf, tlsSettingsOf } from '../connector.ts'
import type { Cookies } from '../http/cookies.ts'
import type { EventStreamOptions } from './event-stream.ts'
import { classify, describeBreak, withoutQuery } from '../hit-error.ts'
import { maxHops } from '../http/redirect.ts'
import { routeOf, type Route } from '../http/route.ts'
import type { Server } from '../server.ts'
import { traceParentOf } from '../trace-header.ts'
import { tunnelThrough } from '../http/tunnel-connection.ts'

/** An answer that is a stream of events, and when its request was sent (by performance.now()). */
export interface OpenedStream {
  readonly answer: IncomingMessage
  readonly href: string
  readonly startedAt: number
}

/** How the opening of a stream ended. */
type Ending = { answer: IncomingMessage } | { class: HitErrorClass; cause: Error }

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * Asks for a stream of events; each hop of a redirect is a hit of the kind `sse`, from the request to the head of the
 * answer.
 *
 * @throws {RequestError} no answer, or one that is no stream of events
 * @throws {InterruptedError} the execution was cut
 * @throws {RedirectError} a redirect too many
 * @throws {UsageError} a URL or a timeout that cannot be
 */
export async function openStream(
  url: string,
  server: Server,
  context: UserContext,
  cookies: Cookies,
  options: EventStreamOptions,
): Promise<OpenedStream> {
  let route = routeOf(url, server)
  let sent = options
  for (let hop = 0; ; hop++) {
    const startedAt = performance.now()
    const answer = await ask(route, options.name ?? route.name, context, cookies, sent)
    for (const cookie of answer.headers['set-cookie'] ?? []) cookies.store(cookie, route.href)
    const status = answer.statusCode ?? 0
    const { location } = answer.headers
    if (!redirects.has(status) || location === undefined) return { answer, href: route.href, startedAt }
    answer.destroy()
    if (hop >= maxHops) throw new RedirectError(`GET ${url}: more than ${maxHops} redirects`, route.href)
    const target = URL.canParse(location, route.href) ? new URL(location, route.href).href : location
    const next = routeOf(target, server)
    if (next.origin !== route.origin) sent = withoutSecrets(sent)
    route = next
  }
}

/** What is meant for one origin is not told to another that it redirects to. */
function withoutSecrets(options: EventStreamOptions): EventStreamOptions {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (!/^(authorization|cookie|host)$/i.test(name)) headers[name] = value
  }
  return { ...options, headers }
}

async function ask(
  route: Route,
  name: string,
  context: UserContext,
  cookies: Cookies,
  options: EventStreamOptions,
): Promise<IncomingMessage> {
  const { signal } = context
  if (signal.aborted) throw new InterruptedError(`openEvents ${name}`, signal.reason)
  const timeoutMs = toTimerMillis(
    options.timeout === undefined ? context.target.timeoutMs : toMillis(options.timeout),
  )
  const ending = await head(route, name, timeoutMs, context, cookies, options)
  if ('answer' in ending) {
    const problem = problemOf(ending.answer)
    if (problem === null) return ending.answer
    ending.answer.destroy()
    throw new RequestError(`GET ${withoutQuery(route.href)}: ${problem}`, {
      class: 'protocol',
      method: 'GET',
      url: route.href,
      cause: undefined,
    })
  }
  if (ending.class === 'interrupted') throw new InterruptedError(`openEvents ${name}`, ending.cause)
  throw new RequestError(describeBreak('GET', route.href, ending.class, ending.cause), {
    class: ending.class,
    method: 'GET',
    url: route.href,
    cause: ending.cause,
  })
}

/** Sends the request and records its hit. */
function head(
  route: Route,
  name: string,
  timeoutMs: number,
  context: UserContext,
  cookies: Cookies,
  options: EventStreamOptions,
): Promise<Ending> {
  const startedAt = performance.now()
  const request = send(route, context, cookies, options)
  return new Promise<Ending>((resolve) => {
    let ended = false
    const end = (status: string, failed: boolean, ending: Ending) => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      watch.follow(null)
      const micros = Math.round((performance.now() - startedAt) * 1000)
      context.meter.hit('sse', name, 'GET', status, failed, micros, 0, 0, options.tags ?? null)
      resolve(ending)
    }
    const stop = (hitClass: HitErrorClass, message: string) => {
      end(hitClass, hitClass !== 'interrupted', { class: hitClass, cause: new Error(message) })
      request.destroy()
    }
    const timer = setTimeout(() => stop('timeout', `no answer after ${timeoutMs} ms`), timeoutMs)
    const watch = new AbortWatch(() => stop('interrupted', 'the execution was cut'))
    watch.follow(context.signal)

    request.once('response', (answer) => {
      const status = answer.statusCode ?? 0
      const wrong = problemOf(answer) !== null
      end(status === 200 && wrong ? 'protocol' : String(status), wrong, { answer })
    })
    // Stays: an error after the head is the answer's too, which the session listens to.
    request.on('error', (cause) => {
      const hitClass = classify(cause, { reused: false, answered: false, idleMs: 0, elapsedMs: 0 })
      end(hitClass, true, { class: hitClass, cause })
    })
    request.end()
  })
}

function send(
  route: Route,
  context: UserContext,
  cookies: Cookies,
  options: EventStreamOptions,
): ClientRequest {
  const { target } = context
  const traceParent = traceParentOf(context)
  const secure = route.origin.startsWith('https:')
  const headers: Record<string, string> = {
    accept: 'text/event-stream',
    'cache-control': 'no-store',
    'user-agent': 'loads-runner',
    ...(route.authorization === null ? {} : { authorization: route.authorization }),
    ...(cookies.isEmpty ? {} : { cookie: cookies.header(route.href) }),
    ...(traceParent === null ? {} : { traceparent: traceParent }),
    ...(options.lastEventId ? { 'last-event-id': options.lastEventId } : {}),
  }
  for (const [header, value] of Object.entries(options.headers ?? {})) headers[header.toLowerCase()] = value
  const settings: RequestOptions = { ...tlsSettingsOf(target), headers, agent: false }
  const { proxy } = target
  if (proxy === null) return (secure ? requestHttps : requestHttp)(route.href, settings)
  if (secure) {
    return requestHttps(route.href, { ...settings, createConnection: tunnelThrough(proxy, target) as never })
  }
  // Plain HTTP goes through a proxy with the whole URL as its path.
  const { origin, authorization } = proxyAddressOf(proxy)
  headers['host'] = new URL(route.href).host
  if (authorization !== null) headers['proxy-authorization'] = authorization
  return (origin.startsWith('https:') ? requestHttps : requestHttp)(origin, { ...settings, path: route.href })
}

/** Why an answer is no stream of events; null where it is one, or leads to one. */
function problemOf({ statusCode, headers }: IncomingMessage): string | null {
  if (redirects.has(statusCode ?? 0) && headers.location !== undefined) return null
  if (statusCode !== 200) return `the server answered ${statusCode}, and a stream of events begins with 200`
  const type = headers['content-type'] ?? ''
  if (!/^text\/event-stream\s*(;|$)/i.test(type)) {
    return `the answer is "${type}", and a stream of events is "text/event-stream"`
  }
  const coding = headers['content-encoding'] ?? 'identity'
  return coding === 'identity' ? null : `the stream is encoded as "${coding}", which was not asked for`
}
