import type { HitErrorClass } from './meter.ts'

/** What the user's code catches or sees when it used Loads in a way that cannot work: a bad option, a missing parameter. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'TESTCASE_USAGE'
}

/** Thrown when a relative URL is used and nothing says which server it belongs to. */
export class ServerUrlError extends Error {
  override readonly name = 'ServerUrlError'
  readonly code = 'TESTCASE_NO_SERVER_URL'

  constructor(relativeUrl: string, className: string) {
    super(
      `"${relativeUrl}" is a relative URL and no server is known. Either give the class one: ` +
        `"static serverUrl = 'http://localhost:8080'" in ${className}, or run with --server-url http://localhost:8080 ` +
        '(LOADS_SERVER_URL outside a run).',
    )
  }
}

/** Where and how a request attempt broke. */
export interface RequestErrorFields {
  class: HitErrorClass
  method: string
  /** Without credentials. */
  url: string
  cause: unknown
}

/** Thrown when a request attempt got no complete answer. The attempt is already recorded as a failed hit. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code = 'TESTCASE_REQUEST'
  readonly class: HitErrorClass
  readonly method: string
  readonly url: string

  constructor(message: string, fields: RequestErrorFields) {
    super(message, { cause: fields.cause })
    this.class = fields.class
    this.method = fields.method
    this.url = fields.url
  }
}

/**
 * Thrown out of sessions when the running execution is cut by the end of the run (`this.signal` aborts), when the test
 * cuts a request itself, and for what still runs when its user ends.
 */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly code = 'TESTCASE_INTERRUPTED'

  constructor(what: string, cause?: unknown) {
    super(`${what} was interrupted`, { cause })
  }
}

/**
 * Thrown for a redirect that cannot be followed: more than 20 hops, `redirect: 'error'`, a target that is not HTTP, or
 * a streamed body that would have to be sent again. Each hop that was answered is recorded as a hit.
 */
export class RedirectError extends Error {
  override readonly name = 'RedirectError'
  readonly code = 'TESTCASE_REDIRECT'
  readonly url: string

  constructor(message: string, url: string) {
    super(message)
    this.url = url
  }
}

/** Thrown by `text()`, `json()` and `bytes` when the body is not what its headers (or the caller) say it is. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly code = 'TESTCASE_BODY'
}

/** Thrown by a WebSocket session: an error of the open socket, a full receive queue, a timeout, use after the close. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError'
  readonly code = 'TESTCASE_WEBSOCKET'
  readonly url: string

  constructor(message: string, url: string, cause?: unknown) {
    // A query may hold a token, and would make each message another.
    super(`WebSocket ${url.split('?', 1)[0]}: ${message}`, { cause })
    this.url = url
  }
}

/** Thrown by an event stream, a gRPC stream, a TCP or a UDP session: cut in the middle, closed, or silent for too long. */
export class StreamError extends Error {
  override readonly name = 'StreamError'
  readonly code = 'TESTCASE_STREAM'
  readonly url: string

  constructor(message: string, url: string, cause?: unknown) {
    // A query may hold a token, and would make each message another.
    super(`${url.split('?', 1)[0]}: ${message}`, { cause })
    this.url = url
  }
}

/** What a gRPC server (or the way to it) answered to a call that did not end well. */
export interface GrpcErrorFields {
  /** Name of the status: `NOT_FOUND`, `UNAVAILABLE`, `DEADLINE_EXCEEDED`... */
  status: string
  details: string
  /** What the server sent with it, binary values in base64. */
  metadata: Readonly<Record<string, string>>
  /** `package.Service/Method`. */
  method: string
  cause: unknown
}

/** Thrown when a gRPC call ends with a status other than OK. The call is already recorded as a failed hit. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code = 'TESTCASE_GRPC'
  readonly status: string
  readonly details: string
  readonly metadata: Readonly<Record<string, string>>
  readonly method: string

  constructor({ status, details, metadata, method, cause }: GrpcErrorFields) {
    super(`${method}: ${status}${details === '' ? '' : `: ${details}`}`, { cause })
    this.status = status
    this.details = details
    this.metadata = metadata
    this.method = method
  }
}
