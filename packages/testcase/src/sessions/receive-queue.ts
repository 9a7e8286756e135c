import { InterruptedError, WebSocketError } from '../errors.ts'

export type Message = string | Buffer

interface Receiver {
  resolve: (message: Message) => void
  reject: (error: unknown) => void
  timer: NodeJS.Timeout | null
}

/** Messages that wait for `receive()`, or the calls of it that wait for messages: never both. */
export class ReceiveQueue {
  readonly #url: string
  readonly #limit: number
  readonly #messages: Message[] = []
  readonly #receivers: Receiver[] = []

  constructor(url: string, limit: number) {
    this.#url = url
    this.#limit = limit
  }

  get waiting(): number {
    return this.#messages.length
  }

  /** False when the queue is full, and the message lost. */
  push(message: Message): boolean {
    const receiver = this.#receivers.shift()
    if (receiver !== undefined) {
      if (receiver.timer !== null) clearTimeout(receiver.timer)
      receiver.resolve(message)
      return true
    }
    if (this.#messages.length >= this.#limit) return false
    this.#messages.push(message)
    return true
  }

  /** The next message, in order. */
  take(timeoutMs: number | null): Promise<Message> {
    const message = this.#messages.shift()
    if (message !== undefined) return Promise.resolve(message)
    return new Promise((resolve, reject) => {
      const receiver: Receiver = { resolve, reject, timer: null }
      if (timeoutMs !== null) {
        receiver.timer = setTimeout(() => {
          this.#receivers.splice(this.#receivers.indexOf(receiver), 1)
          reject(new WebSocketError(`no message within ${timeoutMs} ms`, this.#url))
        }, timeoutMs)
      }
      this.#receivers.push(receiver)
    })
  }

  clear(): void {
    this.#messages.length = 0
  }

  /** Fails every waiting `receive()`; true if there was one. */
  fail(error: unknown): boolean {
    const receivers = this.#receivers.splice(0)
    for (const receiver of receivers) {
      if (receiver.timer !== null) clearTimeout(receiver.timer)
      receiver.reject(error)
    }
    return receivers.length > 0
  }

  interrupt(): void {
    this.fail(new InterruptedError(`receive() on WebSocket ${this.#url}`))
  }
}
