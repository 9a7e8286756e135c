import { BrokenCall, type Outcome } from './sessions/http/connection.ts'

/** One HTTP request and what came of it: each hop of a redirect, each attempt. */
export interface Exchange {
  readonly executionId: string
  readonly method: string
  readonly url: string
  /** Names and values in turn, as they were sent. */
  readonly requestHeaders: readonly string[]
  /** Null without one, and where it is a stream that is gone. */
  readonly requestBody: string | Uint8Array | null
  /** Null where no whole answer came. */
  readonly response: {
    readonly status: number
    readonly headers: readonly (readonly [name: string, value: string])[]
    /** Decoded. */
    readonly body: Uint8Array
    /** Milliseconds from sending to the last byte. */
    readonly elapsed: number
    readonly bytesIn: number
  } | null
  /** Why no whole answer came; null when one did. */
  readonly error: { readonly class: string; readonly message: string } | null
}

export type ExchangeObserver = (exchange: Exchange) => void

let observer: ExchangeObserver | null = null

/** Shows every exchange of users that begin from now on, in this thread; null ends it. For looking at a single user. */
export function observeExchanges(wanted: ExchangeObserver | null): void {
  observer = wanted
}

export function exchangeObserver(): ExchangeObserver | null {
  return observer
}

/** What an observer sees of a call that has ended. */
export function exchangeOf(outcome: Outcome, executionId: string): Exchange {
  const { call } = outcome
  const { method, href: url, headers: requestHeaders, body } = call
  const requestBody = typeof body === 'string' || body instanceof Uint8Array ? body : null
  const request = { executionId, method, url, requestHeaders, requestBody }
  if (outcome instanceof BrokenCall) {
    const message = outcome.cause instanceof Error ? outcome.cause.message : String(outcome.cause)
    return { ...request, response: null, error: { class: outcome.class ?? 'not sent', message } }
  }
  const { status, elapsed, bytesIn } = outcome
  const response = { status, headers: [...outcome.headers], body: bodyOf(outcome), elapsed, bytesIn }
  return { ...request, response, error: null }
}

/** A body that cannot be decoded fails the test when the test asks for it, and not because somebody looks on. */
function bodyOf(answer: Exclude<Outcome, BrokenCall>): Uint8Array {
  try {
    return answer.bytes
  } catch (error) {
    return Buffer.from((error as Error).message)
  }
}
