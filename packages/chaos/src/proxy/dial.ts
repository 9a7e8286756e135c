import { connect } from 'node:net'
import type { Timer } from '../faults/stage.ts'
import type { Handshake } from '../tls/handshake.ts'
import type { Address } from './address.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { Side } from './side.ts'
import { Timers } from './timers.ts'
import type { Transport } from './transport.ts'

export interface DialOptions {
  backend: Address
  timeoutMs: number
  budget: MemoryBudget
  /** Speaks TLS; null: plain. */
  secure: Transport['dial']
  /** Server name that the client asked for. */
  asked: string | null
}

/** A side that is read from already where it is plain, or what went wrong. */
export type DialEnd = { side: Side } | { side: null; cause: 'dial-failed' | 'tls-failed'; detail: string }

/** Of all dials; each cancels its own. */
const timers = new Timers()

/** A connection to a backend on its way. */
export class Dial {
  readonly #options: DialOptions
  readonly #settled: (end: DialEnd) => void
  readonly #timer: Timer
  #abort: () => void = () => {}
  #isOver = false

  constructor(options: DialOptions, settled: (end: DialEnd) => void) {
    this.#options = options
    this.#settled = settled
    this.#timer = timers.after(options.timeoutMs, () => this.#fail('dial-failed', 'ETIMEDOUT'))
    if (options.secure === null) this.#plain()
    else this.#tls(options.secure)
  }

  /** Nothing more is told. Safe at any time. */
  cancel(): void {
    if (this.#isOver) return
    this.#finish()
    this.#abort()
  }

  #plain(): void {
    const { backend, budget } = this.#options
    const { side, socket } = Side.dialled(backend.host, backend.port, budget)
    this.#abort = () => side.destroy()
    side.listen({
      bytes: () => {},
      ended: () => {},
      drained: () => {},
      failed: (error) => this.#fail('dial-failed', error.code ?? error.message),
      closed: () => this.#fail('dial-failed', 'closed'),
    })
    socket.once('connect', () => {
      if (this.#isOver) return
      this.#finish()
      this.#settled({ side })
    })
  }

  #tls(secure: NonNullable<Transport['dial']>): void {
    const { backend, asked, budget } = this.#options
    const raw = connect({ host: backend.host, port: backend.port, allowHalfOpen: true, noDelay: true })
    this.#abort = () => raw.destroy()
    const failed = (error: NodeJS.ErrnoException): void =>
      this.#fail('dial-failed', error.code ?? error.message)
    raw.on('error', failed)
    raw.once('connect', () => {
      if (this.#isOver) return
      this.#timer.cancel()
      const handshake: Handshake = secure(raw, asked, (end) => {
        if (this.#isOver) return
        if (end.secure === null) {
          this.#fail('tls-failed', end.detail)
          return
        }
        this.#finish()
        const { secure: own } = end
        this.#settled({ side: Side.over(own.socket, () => own.reset(), budget) })
      })
      this.#abort = () => handshake.cancel()
    })
  }

  #fail(cause: 'dial-failed' | 'tls-failed', detail: string): void {
    if (this.#isOver) return
    this.#finish()
    this.#abort()
    this.#settled({ side: null, cause, detail })
  }

  #finish(): void {
    this.#isOver = true
    this.#timer.cancel()
  }
}
