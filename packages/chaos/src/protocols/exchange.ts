import type { Direction } from '../direction.ts'
import type { Flow, Stage } from '../faults/stage.ts'
import type { Random } from '../random.ts'
import type { UnitKind } from '../rules/rule.ts'
import type { Protocol, RequestHead } from './protocol.ts'

/** A request that was hit by a rule; of a chunk, the chunk. */
export interface Exchange {
  readonly protocol: Protocol
  readonly unit: UnitKind
  /** Where the unit came from: upstream for requests. */
  readonly direction: Direction
  readonly request: RequestHead
  /** The chunk itself where the unit is one; lent. */
  readonly bytes: Buffer | null
  /** Choices that depend on the seed, the proxy, the connection, the direction, the rule and the unit alone. */
  readonly random: Random
}

/** What becomes of a request. Of several rules: delays add up; of each of the others the first counts. */
export interface Treatment {
  /** Milliseconds before the request, and all behind it, goes to the backend. */
  delayRequestMs?: number
  /** Milliseconds between the first byte of the reply and its passing on. */
  delayReplyMs?: number
  /** Sent in place of the backend's reply, in its order. */
  reply?: Reply
  /** Works on the bytes of the backend's reply: cut, slowed, malformed. */
  replyStage?: (flow: Flow) => Stage
  /** Works on the bytes of the request. */
  requestStage?: (flow: Flow) => Stage
  /**
   * hang: nothing goes on in either direction until the client leaves or the rule is removed, which closes.
   * blackout: the client is closed, the backend asked nothing; reset: with a reset.
   * abort: the request goes to the backend, which then is closed, and the client gets an end without a reply.
   */
  ending?: 'hang' | 'blackout' | 'reset' | 'abort'
  /** What is told of it in the event. */
  detail?: Readonly<Record<string, string | number>>
}

export interface Reply {
  bytes: Buffer
  /** spared: the backend never sees the request; asked: it does its work, and its reply is dropped. */
  backend: 'spared' | 'asked'
  /** The connection ends after it, orderly. */
  closes: boolean
  /**
   * An answer waits for the end of its request. When that is longer than `after` bytes, these are sent in place of it, and the
   * connection ends; 0: they do not wait at all.
   */
  early?: { after: number; bytes: Buffer }
}
