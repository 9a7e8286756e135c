import type { Connection } from './connection.ts'
import type { SideListener } from './side.ts'
import type { Taker } from './stage-slot.ts'

/** Hears the client's socket for its connection. */
export class ClientEar implements SideListener {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  bytes(bytes: Buffer): void {
    try {
      this.#connection.clientBytes(bytes)
    } catch (error) {
      this.#connection.broke(error)
    }
  }

  ended(): void {
    try {
      this.#connection.clientEnded()
    } catch (error) {
      this.#connection.broke(error)
    }
  }

  drained(): void {
    this.#connection.clientDrained()
  }

  failed(error: NodeJS.ErrnoException): void {
    this.#connection.clientFailed(error)
  }

  closed(): void {
    this.#connection.clientClosed()
  }
}

/** Hears the backend's socket for its connection. */
export class BackendEar implements SideListener {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  bytes(bytes: Buffer): void {
    try {
      this.#connection.backendBytes(bytes)
    } catch (error) {
      this.#connection.broke(error)
    }
  }

  ended(): void {
    try {
      this.#connection.backendEnded()
    } catch (error) {
      this.#connection.broke(error)
    }
  }

  drained(): void {
    this.#connection.backendDrained()
  }

  failed(error: NodeJS.ErrnoException): void {
    this.#connection.backendFailed(error)
  }

  closed(): void {
    this.#connection.backendClosed()
  }
}

/** Where the stages upstream end. */
export class ToBackend implements Taker {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  write(bytes: Buffer): void {
    this.#connection.passedUp(bytes)
  }

  ended(): void {
    this.#connection.endedUp()
  }
}

/** Where the stages downstream end. */
export class ToClient implements Taker {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  write(bytes: Buffer): void {
    this.#connection.passedDown(bytes)
  }

  ended(): void {
    this.#connection.endedDown()
  }
}
