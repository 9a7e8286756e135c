import type { Direction } from '../direction.ts'
import { costOfBuffer } from '../faults/held-bytes.ts'
import type { Timer } from '../faults/stage.ts'
import { MessageFlow, type MessageStage, type QueueHost } from './message-flow.ts'

export interface Delay {
  rule: string
  ms: number
}

/** Where messages go, and who is told of them. */
export interface QueueOutput<T> {
  /** Bytes are lent until it returns. */
  pass(bytes: Buffer, message: Message<T>): void
  /** All messages and the end have passed. */
  end(): void
  /** A message is the first one now, and its time has come; its bytes follow. */
  started?(message: Message<T>): void
  /** All of a message has passed. */
  done?(message: Message<T>): void
  /** A stage wants the connection closed. */
  close(how: 'fin' | 'rst', rule: string): void
}

/**
 * Messages that leave in order, however late each is: the first passes as it comes, those behind it are held. A delay counts
 * from the first byte of its message.
 */
export class MessageQueue<T> {
  readonly direction: Direction
  readonly host: QueueHost
  readonly output: QueueOutput<T>
  #first: Message<T> | null = null
  #last: Message<T> | null = null
  #timer: Timer | null = null
  #hasEnd = false
  #isClosed = false

  constructor(direction: Direction, host: QueueHost, output: QueueOutput<T>) {
    this.direction = direction
    this.host = host
    this.output = output
  }

  get isEmpty(): boolean {
    return this.#first === null
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** A message behind all others. */
  open(owner: T): Message<T> {
    const message = new Message<T>(this, owner)
    if (this.#last === null) this.#first = message
    else this.#last.next = message
    this.#last = message
    return message
  }

  /** A message before the first one that has not begun. */
  openEarly(owner: T): Message<T> {
    let before: Message<T> | null = null
    let behind = this.#first
    while (behind?.hasBegun === true) {
      before = behind
      behind = behind.next
    }
    if (behind === null) return this.open(owner)
    const message = new Message<T>(this, owner)
    message.next = behind
    if (before === null) this.#first = message
    else before.next = message
    return message
  }

  /** The end of the stream, after all messages. */
  end(): void {
    this.#hasEnd = true
    this.advance()
  }

  *messages(): Iterable<Message<T>> {
    for (let message = this.#first; message !== null; message = message.next) yield message
  }

  /** Whether the message may pass now. */
  isFirst(message: Message<T>): boolean {
    return this.#first === message
  }

  /** Delays of rules that are gone are over. */
  forgetDelays(isGone: (rule: string) => boolean): void {
    for (const message of this.messages()) message.forgetDelays(isGone)
    this.advance()
  }

  /** Passes on what may pass. */
  advance(): void {
    this.#timer?.cancel()
    this.#timer = null
    while (this.#first !== null && !this.#isClosed) {
      const message = this.#first
      if (!message.isOpen) {
        if (!message.hasBegun) return
        const waitMs = message.waitMs()
        if (waitMs > 0) {
          this.#timer = this.host.after(waitMs, () => this.advance())
          return
        }
      }
      message.flow()
      // What was told of it may have moved the queue on.
      if (this.#first === message) {
        if (!message.hasPassed) return
        this.#first = message.next
        if (this.#first === null) this.#last = null
        this.output.done?.(message)
      }
    }
    if (this.#hasEnd && !this.#isClosed) {
      this.#isClosed = true
      this.output.end()
    }
  }

  /** Nothing passes any more; what is held is given back. */
  close(): void {
    if (this.#isClosed && this.#first === null) return
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = null
    for (const message of this.messages()) message.drop()
    this.#first = null
    this.#last = null
  }
}

/** One message of a queue. */
export class Message<T> {
  owner: T
  next: Message<T> | null = null
  /** Set before it opens. */
  stage: MessageStage | null = null
  hasBegun = false
  isOpen = false
  hasPassed = false
  readonly #queue: MessageQueue<T>
  #delays: Delay[] | null = null
  #begunAt = 0
  #hasEnded = false
  #held: { bytes: Buffer; cost: number }[] | null = null
  #at: MessageFlow | null = null

  constructor(queue: MessageQueue<T>, owner: T) {
    this.#queue = queue
    this.owner = owner
  }

  delay(delays: readonly Delay[]): void {
    // Of bytes that flow already only those to come can wait.
    this.#delays = [...(this.isOpen ? [] : (this.#delays ?? [])), ...delays]
    if (!this.isOpen) return
    this.isOpen = false
    this.hasBegun = false
  }

  forgetDelays(isGone: (rule: string) => boolean): void {
    if (this.#delays !== null) this.#delays = this.#delays.filter(({ rule }) => !isGone(rule))
  }

  waitMs(): number {
    if (this.#delays === null) return 0
    const ms = this.#delays.reduce((sum, delay) => sum + delay.ms, 0)
    return this.#begunAt + ms - this.#queue.host.now()
  }

  /** It is there, though no byte of it is: its delay counts from here. */
  begin(): void {
    this.#begin()
    this.#queue.advance()
  }

  /** Bytes are lent until it returns. */
  write(bytes: Buffer): void {
    if (this.#queue.isClosed || this.#hasEnded || this.hasPassed) return
    if (!this.hasBegun) this.#begin()
    if (!this.isOpen && this.#queue.isFirst(this)) this.#queue.advance()
    if (this.isOpen && this.#held === null) {
      this.#pass(bytes)
    } else {
      this.#held ??= []
      const { direction, host } = this.#queue
      this.#held.push({ bytes: host.hold(direction, bytes), cost: bytes.length + costOfBuffer })
      // Who sends single bytes must not have us keep a buffer for each that nobody counts.
      host.charge(direction, costOfBuffer)
    }
  }

  /** Bytes that nobody else will change. */
  give(bytes: Buffer): void {
    if (this.#queue.isClosed || this.#hasEnded || this.hasPassed) return
    if (!this.hasBegun) this.#begin()
    this.#held ??= []
    this.#held.push({ bytes, cost: 0 })
    if (this.#queue.isFirst(this)) this.#queue.advance()
  }

  end(): void {
    if (this.#queue.isClosed || this.#hasEnded || this.hasPassed) return
    if (!this.hasBegun) this.#begin()
    this.#hasEnded = true
    if (this.#queue.isFirst(this)) this.#queue.advance()
  }

  /** Passes on all that is there. The queue calls it when it is the first and its time has come. */
  flow(): void {
    if (!this.isOpen) {
      this.isOpen = true
      this.#queue.output.started?.(this)
      if (this.#queue.isClosed) return
    }
    if (this.stage !== null && this.#at === null) this.#at = this.#flowOf(this.stage)
    const held = this.#held
    this.#held = null
    for (const { bytes, cost } of held ?? []) {
      if (cost > 0) this.#queue.host.release(this.#queue.direction, cost)
      if (!this.#queue.isClosed) this.#pass(bytes)
    }
    if (!this.#hasEnded || this.#queue.isClosed) return
    if (this.#at === null) this.hasPassed = true
    else this.#at.senderEnded()
  }

  /** Another stage, or none, for the bytes to come; the one at work passes on what it holds. */
  restage(stage: MessageStage | null): void {
    this.#at?.remove()
    this.#at = null
    this.stage = stage
    if (stage !== null && this.isOpen) this.#at = this.#flowOf(stage)
  }

  drop(): void {
    for (const { cost } of this.#held ?? [])
      if (cost > 0) this.#queue.host.release(this.#queue.direction, cost)
    this.#held = null
    this.#at?.drop()
  }

  #begin(): void {
    this.hasBegun = true
    if (this.#delays !== null) this.#begunAt = this.#queue.host.now()
  }

  #pass(bytes: Buffer): void {
    if (this.#at === null) this.#queue.output.pass(bytes, this)
    else this.#at.write(bytes)
  }

  #flowOf(stage: MessageStage): MessageFlow {
    const { direction, host, output } = this.#queue
    return new MessageFlow(direction, host, stage, {
      pass: (bytes) => {
        if (!this.#queue.isClosed) output.pass(bytes, this)
      },
      end: () => {
        this.hasPassed = true
        if (this.#queue.isFirst(this)) this.#queue.advance()
      },
      close: (how) => output.close(how, stage.rule),
    })
  }
}
