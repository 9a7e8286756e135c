import type * as v from 'valibot'
import type { Closed, Connection } from '../channel.ts'
import { codec } from '../codec.ts'
import { Fifo } from './fifo.ts'
import { decodeFrame, encodeFrame, sameToken } from './frames.ts'
import type { ByeReason, Frame } from './frames.ts'

/**
 * How much may wait where. A link hands at most a window to its transport until the other side says that it took
 * messages in; so the memory that a slow or frozen reader costs is known here and hidden in no socket.
 */
export const limits = {
  /** In the transport and not yet taken in by the other side. */
  window: { messages: 512, bytes: 4 * 1024 * 1024 },
  /** The other side reports after a share of the window, so that a sender with more to say never stops. */
  report: { messages: 64, bytes: 512 * 1024 },
  /** Waiting here: `send` returns false from now on. */
  highWater: { messages: 1_000, bytes: 8 * 1024 * 1024 },
  /** Waiting here: the other side is too slow, the link ends. */
  overflow: { messages: 10_000, bytes: 64 * 1024 * 1024 },
} as const

export const timing = {
  /** How often an owner calls `tick`. */
  tickMs: 1_000,
  /** A side that sent nothing for so long shows that it lives. */
  idleMs: 1_000,
  /** A side that heard nothing for so long gives the link up. */
  silenceMs: 10_000,
  /** How long `close` waits for more of what was sent to arrive, and how often, as long as more does. */
  flushMs: 1_000,
  mostFlushes: 10,
} as const

export interface LinkOptions<In> {
  schema: v.GenericSchema<unknown, In>
  /** Given to the other side by its owner; every frame carries it. */
  token: Uint8Array
  /** Hands bytes to the transport, in order and without waiting. Must not throw. */
  write(frame: Uint8Array): void
  /** Called once at the end: the transport is not needed any more. */
  ended(): void
}

/** One end of a connection: ordered, flow-controlled, alive or ended. The transport below moves frames only. */
export class Link<Out, In> implements Connection<Out, In> {
  readonly closed: Promise<Closed>
  readonly token: Uint8Array
  readonly #options: LinkOptions<In>
  #settle!: (closed: Closed) => void
  /** open: both ways. closing: our bye is queued or sent. ended: nothing moves. */
  #state: 'open' | 'closing' | 'ended' = 'open'

  readonly #queue = new Fifo<Uint8Array>()
  #queuedBytes = 0
  /** Sizes of the messages that are with the transport. */
  readonly #flying = new Fifo<number>()
  #flyingBytes = 0
  #arrived = 0
  #farewell: Uint8Array | null = null
  #flushTimer: NodeJS.Timeout | null = null

  readonly #inbox = new Fifo<{ message: In; size: number }>()
  #handler: ((message: In) => void) | null = null
  #isDelivering = false
  #taken = 0
  #reported = 0
  #takenBytes = 0
  #reportedBytes = 0

  #heardAt = performance.now()
  #wroteAt = performance.now()
  #tickedAt = performance.now()

  constructor(options: LinkOptions<In>) {
    this.#options = options
    this.token = options.token
    this.closed = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  get backlog(): number {
    return this.#queue.length
  }

  get isEnded(): boolean {
    return this.#state === 'ended'
  }

  /** @throws {ProtocolError} MESSAGE_TOO_LARGE, or MESSAGE_INVALID for values without a wire form. */
  send(message: Out): boolean {
    if (this.#state !== 'open') return false
    const frame = encodeFrame([this.token, 'message', message])
    if (
      this.#queue.length >= limits.overflow.messages ||
      (this.#queuedBytes > 0 && this.#queuedBytes + frame.length > limits.overflow.bytes)
    ) {
      this.lose(
        `The other side is too slow: ${this.#queue.length} messages (${this.#queuedBytes} bytes) wait for it`,
      )
      return false
    }
    this.#queue.push(frame)
    this.#queuedBytes += frame.length
    this.#pump()
    return this.#queue.length <= limits.highWater.messages && this.#queuedBytes <= limits.highWater.bytes
  }

  onMessage(handler: (message: In) => void): void {
    this.#handler = handler
    queueMicrotask(() => this.#deliver())
  }

  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing'
      this.#farewell = this.#bye('bye', 'Closed by the other side')
      this.#inbox.clear()
      this.#awaitFlush(timing.mostFlushes)
      this.#pump()
    }
    await this.closed
  }

  /** Takes in what the transport brought, whatever it is. */
  receive(bytes: Uint8Array): void {
    if (this.#state === 'ended') return
    let frame: Frame
    try {
      frame = decodeFrame(bytes)
    } catch (error) {
      return this.refuse((error as Error).message)
    }
    if (!sameToken(frame[0], this.token)) return this.lose('Somebody else spoke for this connection')
    this.#heardAt = performance.now()
    const size = bytes.length
    switch (frame[1]) {
      case 'message':
        return this.#receiveMessage(frame[2], size)
      case 'received':
        return this.#receiveReport(frame[2])
      case 'bye':
        return this.#receiveBye(frame[2], frame[3])
      case 'parted':
        if (this.#state === 'closing' && this.#farewell === null) this.#end('closed', 'Closed here')
    }
  }

  /** To be called every `timing.tickMs` with performance.now() where the other side can vanish in silence. */
  tick(now: number): void {
    if (this.#state === 'ended') return
    // This process itself stood still, so what came meanwhile has not been read: the silence proves nothing.
    if (now - this.#tickedAt > 3 * timing.tickMs) this.#heardAt = now
    this.#tickedAt = now
    if (now - this.#heardAt >= timing.silenceMs)
      this.lose(`Nothing was heard from the other side for ${timing.silenceMs / 1000} s`)
    else if (now - this.#wroteAt >= timing.idleMs - timing.tickMs / 2) this.report()
  }

  /** Says how much was taken in. Also makes a transport notice that nobody is there any more. */
  report(): void {
    if (this.#state === 'ended') return
    this.#reported = this.#taken
    this.#reportedBytes = this.#takenBytes
    this.#write(encodeFrame([this.token, 'received', this.#taken]))
  }

  /** Gives the link up: it broke, or the other side does not keep up. */
  lose(message: string): void {
    if (this.#state === 'ended') return
    this.#write(this.#bye('lost', message))
    this.#end('lost', message)
  }

  /** Ends the link because the other side is not wanted, or does not keep to the protocol. */
  refuse(message: string): void {
    if (this.#state === 'ended') return
    this.#write(this.#bye('refused', message))
    this.#end('closed', `Refused here: ${message}`)
  }

  /** The transport has no way to the other side any more. */
  broken(message: string): void {
    // Where we were leaving anyway, the end is what was asked for.
    if (this.#state === 'closing') this.#end('closed', 'Closed here; the other side was gone')
    else this.#end('lost', message)
  }

  #receiveMessage(value: unknown, size: number): void {
    if (this.#state === 'closing') return
    let message: In
    try {
      message = codec.validate(this.#options.schema, value)
    } catch (error) {
      return this.refuse(`A message is invalid: ${(error as Error).message}`)
    }
    if (this.#inbox.length >= limits.window.messages)
      return this.refuse('More messages came than the window allows')
    this.#inbox.push({ message, size })
    this.#deliver()
  }

  #deliver(): void {
    if (this.#isDelivering || this.#handler === null) return
    this.#isDelivering = true
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      try {
        this.#handler(next.message)
      } catch (error) {
        // A defect of the handler is no reason to lose messages, and none to hide it.
        setImmediate(() => {
          throw error
        })
      }
      this.#taken += 1
      this.#takenBytes += next.size
      const isDue =
        this.#taken - this.#reported >= limits.report.messages ||
        this.#takenBytes - this.#reportedBytes >= limits.report.bytes
      if (isDue) this.report()
    }
    this.#isDelivering = false
  }

  #receiveReport(taken: number): void {
    if (taken < this.#arrived || taken - this.#arrived > this.#flying.length)
      return this.refuse('A report of received messages is wrong')
    for (; this.#arrived < taken; this.#arrived++) this.#flyingBytes -= this.#flying.shift()!
    this.#pump()
  }

  #receiveBye(reason: ByeReason, message: string): void {
    this.#write(encodeFrame([this.token, 'parted']))
    if (this.#state === 'closing') this.#end('closed', 'Closed on both sides')
    else this.#end(reason, message)
  }

  #pump(): void {
    while (this.#flying.length < limits.window.messages && this.#flyingBytes < limits.window.bytes) {
      const frame = this.#queue.shift()
      if (frame === undefined) break
      this.#queuedBytes -= frame.length
      this.#flying.push(frame.length)
      this.#flyingBytes += frame.length
      this.#write(frame)
    }
    if (this.#farewell !== null && this.#queue.length === 0) {
      const farewell = this.#farewell
      this.#farewell = null
      this.#write(farewell)
    }
  }

  /** Ends the link when nothing more of what was sent arrives. */
  #awaitFlush(left: number): void {
    const arrived = this.#arrived
    const since = performance.now()
    this.#flushTimer = setTimeout(() => {
      // Where this process itself stood still, what came meanwhile has not been read.
      const stoodStill = performance.now() - since > 2 * timing.flushMs
      if ((stoodStill || this.#arrived > arrived) && left > 1) this.#awaitFlush(left - 1)
      else this.#end('closed', 'Closed here; the other side did not confirm in time')
    }, timing.flushMs)
  }

  #write(frame: Uint8Array): void {
    this.#wroteAt = performance.now()
    this.#options.write(frame)
  }

  #bye(reason: ByeReason, message: string): Uint8Array {
    return encodeFrame([this.token, 'bye', reason, message])
  }

  #end(reason: Closed['reason'], message: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer)
    this.#queue.clear()
    this.#flying.clear()
    this.#queuedBytes = 0
    this.#flyingBytes = 0
    this.#farewell = null
    this.#settle({ reason, message })
    this.#options.ended()
  }
}
