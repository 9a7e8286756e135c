import { RedirectError } from '../../errors.ts'
import { removeHeader } from './header-list.ts'
import type { Draft, RequestOptions } from './http-request.ts'
import type { HttpResponse } from './response.ts'
import { routeOf } from './route.ts'
import type { Server } from '../server.ts'

/** As many as browsers follow. */
export const maxHops = 20

/** Statuses that lead elsewhere if they have a Location. */
export function isRedirect(status: number): boolean {
  return status >= 301 && status <= 308 && (status <= 303 || status >= 307)
}

/**
 * The request that a redirect asks for, by the rules of fetch: 303, and 301 or 302 after POST, turn into a GET without
 * body; credentials stay with the origin they were meant for.
 *
 * @throws {RedirectError} not HTTP, or a streamed body that would have to be sent again
 */
export function redirected(
  from: Draft,
  answer: HttpResponse,
  location: string,
  server: Server,
  options: RequestOptions,
): Draft {
  const { status, url } = answer
  if (!URL.canParse(location, url) || !/^https?:$/.test(new URL(location, url).protocol)) {
    throw new RedirectError(
      `${from.method} ${url} redirects to "${location}", which is no http or https URL`,
      url,
    )
  }
  const route = routeOf(new URL(location, url).href, server)
  const headers = [...from.headers]
  if (route.origin !== from.route.origin) {
    for (const name of ['authorization', 'cookie', 'host']) removeHeader(headers, name)
  }
  if (route.authorization !== null) {
    removeHeader(headers, 'authorization')
    headers.push('authorization', route.authorization)
  }
  const asGet =
    (status === 303 && from.method !== 'HEAD') ||
    ((status === 301 || status === 302) && from.method === 'POST')
  if (asGet)
    for (const name of ['content-type', 'content-length', 'content-encoding']) removeHeader(headers, name)
  else if (from.bodyBytes === null) {
    throw new RedirectError(
      `${from.method} ${url} answered ${status}, which asks for the body again, and a stream cannot be sent twice; ` +
        "send a buffer, or use redirect: 'manual'",
      url,
    )
  }
  return {
    route,
    path: route.path,
    name: options.name ?? route.name,
    href: route.href,
    method: asGet ? 'GET' : from.method,
    headers,
    body: asGet ? null : from.body,
    bodyBytes: asGet ? 0 : from.bodyBytes,
  }
}
