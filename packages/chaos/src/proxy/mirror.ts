import { connect, type Socket } from 'node:net'
import type { Address } from './address.ts'

/** How often a backend is asked, and how long it may take to answer. Milliseconds. */
const everyMs = 500
const patienceMs = 2000

/** Watches whether a backend can be connected to, by connecting to it. */
export class Mirror {
  readonly #backend: Address
  readonly #changed: (isUp: boolean) => void
  #isUp = true
  #timer: NodeJS.Timeout | undefined
  #socket: Socket | null = null
  #isStopped = false
  #answered: () => void = () => {}
  /** Resolves when the first answer is there, or nobody waits for it any more. */
  readonly answered = new Promise<void>((resolve) => {
    this.#answered = resolve
  })

  /** @param changed told only of changes; at first the backend is taken to be up */
  constructor(backend: Address, changed: (isUp: boolean) => void) {
    this.#backend = backend
    this.#changed = changed
  }

  start(): void {
    this.#ask()
  }

  /** A dial has failed or succeeded: that is an answer, too. */
  learn(isUp: boolean): void {
    if (this.#isStopped || isUp === this.#isUp) return
    this.#isUp = isUp
    this.#changed(isUp)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
    this.#answered()
  }

  #ask(): void {
    const { host, port } = this.#backend
    const socket = connect({ host, port })
    this.#socket = socket
    const timer = setTimeout(() => settle(false), patienceMs)
    const settle = (isUp: boolean): void => {
      if (this.#socket !== socket) return
      this.#socket = null
      clearTimeout(timer)
      socket.destroy()
      this.learn(isUp)
      this.#answered()
      if (!this.#isStopped) this.#timer = setTimeout(() => this.#ask(), everyMs)
    }
    socket.once('connect', () => settle(true))
    socket.on('error', () => settle(false))
    socket.once('close', () => settle(false))
  }
}
