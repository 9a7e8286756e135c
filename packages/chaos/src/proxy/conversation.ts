import type { ConversationHost } from './conversation-host.ts'

/**
 * Joins what a protocol understands of a connection to what rules want of its requests. It stands at the backend's end of the
 * stages of both directions.
 */
export class Conversation {
  readonly #host: ConversationHost

  constructor(host: ConversationHost) {
    this.#host = host
  }

  /** Once, when the host is ready to be called: a greeting may be answered, or the connection be closed, at once. */
  begin(): void {
    void this.#host
  }

  /** Bytes are lent until it returns. */
  fromClient(bytes: Buffer): void {
    this.#host.toBackend(bytes)
  }

  clientEnded(): void {
    this.#host.endBackend()
  }

  /** Bytes are lent until it returns. */
  fromBackend(bytes: Buffer): void {
    this.#host.toClient(bytes)
  }

  backendEnded(): void {
    this.#host.endClient()
  }

  /** Rules were added, changed or removed: takes effect now on what is held, and on all that begins from now on. */
  rulesChanged(): void {
    void this.#host
  }

  /** The connection is over; nothing is called any more. */
  closed(): void {
    void this.#host
  }
}
