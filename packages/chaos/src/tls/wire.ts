import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

/**
 * Stands between TLS and the socket of a client where the records themselves are tampered with. Only connections that a fault
 * was drawn for pay for it.
 */
export class Wire extends Duplex {
  readonly #socket: Socket
  /** Bytes that still get through; null: all. */
  #allowance: number | null = null
  #spent: () => void = () => {}
  #held: { bytes: Buffer; done: Done } | null = null
  #isSilent = false

  constructor(socket: Socket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      if (!this.push(bytes)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  /** Passes on so many bytes and keeps the next ones back until `goOn`. */
  limit(bytes: number, spent: () => void): void {
    this.#allowance = bytes
    this.#spent = spent
  }

  /** The limit, if it was not reached, is reached now. */
  exhaust(): void {
    if (this.#allowance !== null && this.#allowance >= 0) this.#exhausted()
  }

  goOn(): void {
    this.#allowance = null
    const held = this.#held
    this.#held = null
    if (held !== null) this._write(held.bytes, 'buffer', held.done)
  }

  /** What is written from now on is lost; the end is not. */
  silence(): void {
    this.#isSilent = true
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(bytes: Buffer, _encoding: string, done: Done): void {
    if (this.#isSilent) {
      done()
      return
    }
    const allowance = this.#allowance
    if (allowance === null) {
      this.#send(bytes, done)
    } else if (bytes.length < allowance) {
      this.#allowance = allowance - bytes.length
      this.#send(bytes, done)
    } else {
      const through = Math.max(0, allowance)
      this.#held = { bytes: bytes.subarray(through), done }
      if (through > 0) this.#socket.write(bytes.subarray(0, through))
      if (allowance >= 0) this.#exhausted()
    }
  }

  override _final(done: Done): void {
    this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#held = null
    this.#socket.destroy()
    done(error)
  }

  #exhausted(): void {
    this.#allowance = -1
    this.#spent()
  }

  #send(bytes: Buffer, done: Done): void {
    if (this.#socket.write(bytes)) done()
    else this.#socket.once('drain', () => done())
  }
}
