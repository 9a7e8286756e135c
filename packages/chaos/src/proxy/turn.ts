import type { RequestHead } from '../protocols/protocol.ts'
import type { Message } from './message-queue.ts'
import type { Treated } from './treatments.ts'

/** A request and its reply, between the client and the backend. */
export interface Turn {
  readonly head: RequestHead
  readonly treated: Treated | null
  readonly request: TurnMessage
  /** Its place among the replies; null: there is none to come. */
  readonly answer: TurnMessage | null
  /** The backend is not to see the request. */
  readonly isSpared: boolean
  /** The backend's reply is not for the client. */
  readonly dropsReply: boolean
  /** The answer is not the backend's. */
  isOurs: boolean
  closes: boolean
  /** The backend has gone without a reply: here the client's stream ends. */
  isLast: boolean
  /** Bytes of a request that was spared. */
  swallowed: number
  charged: number
}

/** Null: bytes that belong to no request. */
export type TurnMessage = Message<Turn | null>
