import type { Direction } from '../direction.ts'
import type { Random } from '../random.ts'

/**
 * One fault at work on one direction of one connection. Bytes reach it in order; what it passes on goes to the next stage and
 * in the end to the socket. It never waits: what is to come later it holds and passes on by a timer.
 */
export interface Stage<A = unknown> {
  /** The bytes are lent until it returns: `flow.hold` those that are needed later. */
  onBytes(bytes: Buffer): void
  /** The sender has ended; nothing follows. Pass it on by `flow.end()`, now or later, after all bytes. */
  onEnd(): void
  /** The attributes have changed; bytes that are held may be treated by the old or the new ones, but in order. */
  onUpdate?(attributes: A): void
  /**
   * The fault is taken away, and this stage with it. By default nothing is done: a stage that holds bytes must pass them on
   * here, in order, with the end if that was seen; one that dropped bytes must close the connection.
   */
  onRemove?(): void
  /** The connection has closed. What it held is gone already; it is for stages that share something with others. */
  onClose?(): void
}

/** Where a stage works, and what it may do. Everything is safe to call after the connection has closed. */
export interface Flow {
  readonly direction: Direction
  /** Choices that depend on the seed, the proxy, the connection, the direction and the rule alone. */
  readonly random: Random
  /** Monotonic milliseconds. */
  now(): number
  /** To the next stage. Bytes that were lent may be passed on at once. */
  pass(bytes: Buffer): void
  /** The end of the stream, to the next stage. Once. */
  end(): void
  /** In place of `end`: it stops here. When the other direction has ended, too, nobody is left, and the connection closes. */
  swallowEnd(): void
  /**
   * Bytes that outlive `onBytes`, counted against the memory of the connection: while much is held, nothing more is read.
   * What is passed on later, or dropped, is given back with `release`.
   */
  hold(bytes: Buffer): Buffer
  /** @param length of bytes that were held */
  release(length: number): void
  /** The most that this stage should hold before reading stops; by default 256 KiB. */
  allow(bytes: number): void
  /** Calls later, never after removal or close. Resolution about 1 ms; never early. @returns what cancels it */
  after(ms: number, callback: () => void): Timer
  /** Ends the connection on both sides: orderly, or with a reset. */
  close(how: 'fin' | 'rst'): void
  /** Tells that the fault has taken effect: the first call makes the one event of this unit, if it does not tell of each. */
  applied(detail?: Readonly<Record<string, string | number>>): void
}

export interface Timer {
  cancel(): void
}
