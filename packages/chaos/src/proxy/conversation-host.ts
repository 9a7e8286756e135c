import type { Direction } from '../direction.ts'
import type { FaultEvent, OpaqueEvent } from '../events/event.ts'
import type { Timer } from '../faults/stage.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Decider } from '../rules/decider.ts'
import type { Rule } from '../rules/rule.ts'

/** What a conversation knows of its connection and may do with it. Everything is safe to call after the connection has closed. */
export interface ConversationHost {
  readonly proxyName: string
  readonly protocol: Protocol
  readonly decider: Decider
  /** 1, 2, 3 ... of its proxy. */
  readonly connection: number
  /** Address of the client without port. */
  readonly client: string
  /** Those of the proxy as they are now. */
  rules(): readonly Rule[]
  /** Monotonic milliseconds. */
  now(): number
  /** Bytes are lent until it returns. May be called before the backend is reached. */
  toBackend(bytes: Buffer): void
  /** The end of the stream after all of these bytes. */
  endBackend(): void
  /** To the first of the stages downstream; bytes are lent until it returns. */
  toClient(bytes: Buffer): void
  /**
   * As toClient, bytes of an answer that the backend did not send. While the client does not take them nothing more is read
   * from it: the backend cannot slow it down here.
   */
  answer(bytes: Buffer): void
  /** The end of the stream after all of these bytes. */
  endClient(): void
  /**
   * The backend is closed, after what was given for it. What was given for the client passes the stages and is sent, then comes the end; the connection
   * is over when the client leaves, or some seconds after it was sent all. Until then its bytes go on to reach `fromClient`,
   * which drops them: unread bytes would turn the end into a reset.
   */
  finish(detail: string): void
  /** Both sides are closed now; what was not sent may be lost. `detail` is for the event. */
  close(how: 'fin' | 'rst', detail: string): void
  /** Bytes that outlive the call, counted against the memory of the connection. */
  hold(direction: Direction, bytes: Buffer): Buffer
  release(direction: Direction, length: number): void
  /** Memory that holds no bytes of the stream, counted as if it did; given back with `release`. */
  charge(direction: Direction, length: number): void
  /** Calls later, never early, never after the connection has closed. */
  after(ms: number, callback: () => void): Timer
  /** A request was understood: for counters. */
  requestBegan?(): void
  tell(event: FaultEvent | OpaqueEvent): void
}
