import type { FaultDefinition } from '../faults/definition.ts'
import type { Matchable } from '../rules/match.ts'

/** How bytes of both directions fall into requests and replies. */
export interface Protocol {
  readonly name: string
  /** One line, for help. */
  readonly summary: string
  /** The fault that `error` means here. */
  readonly error: FaultDefinition<never>
  /** Starts to read a connection; null: nothing is known of its bytes, the whole connection is one request. */
  open: ((talk: Talk) => Dialogue) | null
}

/** One connection as its protocol understands it. */
export interface Dialogue {
  /** Bytes of the client, in order, split anywhere; lent. */
  fromClient(bytes: Buffer): void
  /** Bytes of the backend, in order, split anywhere; lent. */
  fromBackend(bytes: Buffer): void
  clientEnded?(): void
  backendEnded?(): void
  /**
   * A made-up reply takes the place of the backend's: told when it is sent, before the client can act upon it. For protocols in
   * which a reply says what the client's next bytes mean.
   */
  answered?(to: RequestHead): void
}

/**
 * What a dialogue tells. Every byte is told exactly once, in order, within a message or as opaque; the heads of messages are
 * held by the dialogue until they are known (64 KiB at most; beyond that the connection is opaque). Bytes are lent until the
 * dialogue returns to whoever called it: it must not write over them before.
 */
export interface Talk {
  /** A request begins; its bytes follow, those of the head first. */
  requestBegins(head: RequestHead): void
  requestBytes(bytes: Buffer): void
  requestEnds(): void
  /**
   * A reply begins. `to` is the request that is answered, null for what nobody asked for (a notice, a push message); a
   * greeting answers the request of type "greeting" that the dialogue itself began and ended without bytes.
   */
  replyBegins(to: RequestHead | null): void
  replyBytes(bytes: Buffer): void
  replyEnds(): void
  /**
   * From here on bytes of both directions are passed on as they are: an upgrade, TLS, something that is not this protocol. The
   * last bytes, if any, are those that were not told yet. `fromClient` and `fromBackend` are not called again.
   */
  opaque(reason: string, client: Buffer | null, backend: Buffer | null): void
  /** The oldest request that went to the backend and has no complete reply yet; null: none. */
  answering(): RequestHead | null
}

export interface RequestHead extends Matchable {
  /** What it is called in events: `GET /users/1`, `SET user:1`, `MAIL`. Without secrets; 200 characters at most. */
  readonly label: string
  /** Replies that follow: a request without one (memcached's noreply, QUIT of some) is over when it was sent. */
  readonly replies: 0 | 1
  /** A request without bytes: the backend speaks without being asked, as with a greeting. */
  readonly speaksFirst?: boolean
  /** What the protocol's own error fault needs to answer in the right form. */
  readonly detail: Readonly<Record<string, string | number | boolean>>
}

/** Types a definition of a protocol. */
export function defineProtocol(protocol: Protocol): Protocol {
  return protocol
}
