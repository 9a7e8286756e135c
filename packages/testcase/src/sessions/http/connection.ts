import type { UserContext } from '../../context.ts'
import type { HitErrorClass } from '../../meter.ts'
import { classify, type Break } from '../hit-error.ts'
import { isExpected, type HttpCall } from './http-call.ts'
import type { HttpResponse } from './response.ts'

/** An attempt without a complete answer. */
export class BrokenCall {
  readonly call: HttpCall
  /** Null where nothing was sent and nothing recorded: the test's own mistake. */
  readonly class: HitErrorClass | null
  readonly cause: unknown

  constructor(call: HttpCall, hitClass: HitErrorClass | null, cause: unknown) {
    this.call = call
    this.class = hitClass
    this.cause = cause
  }
}

export type Outcome = HttpResponse | BrokenCall

/** Why we ended an attempt ourselves. */
export class Stop extends Error {
  readonly class: HitErrorClass

  constructor(hitClass: HitErrorClass, message: string) {
    super(message)
    this.class = hitClass
  }
}

/** Whose call it is: what it is recorded for, and its limits. Users of a shared pool take turns on a connection. */
export interface CallOwner {
  readonly context: UserContext
  readonly maxBodyBytes: number
}

/**
 * A way to send one request at a time. There is one kind for the plain case, which is nearly all of the load, one on
 * undici for everything else, and one for a stream of HTTP/2. All record the same hit.
 */
export interface Connection {
  readonly busy: boolean
  /** Whose call runs on it, or ran last. */
  readonly owner: CallOwner | null
  /** Sends a request and resolves with what came of it. Never rejects. */
  send(call: HttpCall, owner: CallOwner): Promise<Outcome>
  /** Tells that the request to come has waited so long for a connection. */
  blocked(millis: number): void
  /** False where an idle connection should not be used any more. */
  readonly usable: boolean
  /** Ends the running request, if there is one, and the connection. */
  stop(stop: Stop): void
  /** Tells that the test's own body stream broke: that is no failure of the server. */
  failBody(error: unknown): void
  /** Closes the connection. */
  discard(): void
}

/** Where a connection tells what became of it. */
export interface ConnectionHome {
  giveBack(connection: Connection): void
  forget(connection: Connection): void
}

const statusNames: string[] = []
for (let status = 0; status < 1000; status++) statusNames.push(String(status))

/** Records a complete answer. Gives the outcome: the answer, unless the test's own judge of statuses threw. */
export function recordAnswer(
  owner: CallOwner,
  call: HttpCall,
  answer: HttpResponse,
  bytesOut: number,
): Outcome {
  const { status } = answer
  let outcome: Outcome = answer
  let failed = status >= 400
  if (failed && call.expected !== null) {
    try {
      failed = !isExpected(status, call.expected)
    } catch (error) {
      outcome = new BrokenCall(call, null, error)
    }
  }
  owner.context.meter.hit(
    'http',
    call.name,
    call.method,
    statusNames[status]!,
    failed,
    Math.round(answer.elapsed * 1000),
    answer.bytesIn,
    bytesOut,
    call.tags,
  )
  return outcome
}

/** Records an attempt that broke. */
export function recordBreak(
  owner: CallOwner,
  call: HttpCall,
  cause: unknown,
  at: Break,
  bytesIn: number,
  bytesOut: number,
): BrokenCall {
  const hitClass = cause instanceof Stop ? cause.class : classify(cause, at)
  owner.context.meter.hit(
    'http',
    call.name,
    call.method,
    hitClass,
    hitClass !== 'interrupted',
    Math.round(at.elapsedMs * 1000),
    bytesIn,
    bytesOut,
    call.tags,
  )
  return new BrokenCall(call, hitClass, cause)
}

let resolver: (outcome: Outcome) => void

/** For `new Promise`: leaves the resolver with {@link takeResolver}, so that no closure is made per request. */
export function leaveResolver(resolve: (outcome: Outcome) => void): void {
  resolver = resolve
}

export function takeResolver(): (outcome: Outcome) => void {
  return resolver
}
