import { connect, Socket } from 'node:net'
import type { MemoryBudget } from './memory-budget.ts'
import { isLarge, isLittle, readBuffers } from './read-buffers.ts'
import { readTurns } from './read-turns.ts'

/** Who is told what happens on a socket. */
export interface SideListener {
  /** Lent until it returns. */
  bytes(bytes: Buffer): void
  ended(): void
  /** Bytes that waited have been written. */
  drained(): void
  failed(error: NodeJS.ErrnoException): void
  /** Nothing follows, whatever the cause. */
  closed(): void
}

/** Reads of little, one after the other, after which a large buffer is given up. */
const littleReads = 16

/** So many times as long as who has all may linger, until one who takes nothing is given up. */
const patience = 10

/** Writes in the whole process that the kernel did not take at once, and the side of the last of them. */
let waits = 0
let lastToWait: Side | null = null

interface Lent {
  buffer: Buffer
  /** Number of the last write that may have its bytes. */
  until: number
}

/**
 * One socket of a connection. Reading costs no allocation: the socket reads into a buffer of its own, which is read into again
 * when the bytes went to the kernel at once, as they nearly always do; else it belongs to the write until that is done.
 */
export class Side {
  received = 0
  sent = 0
  readonly #socket: Socket
  /** Of TLS, whose sockets cannot do it themselves; null: the socket can. */
  readonly #resets: (() => void) | null
  readonly #budget: MemoryBudget
  readonly #reads: OwnReads | null
  #listener: SideListener = deaf
  #paused: boolean
  #counted = 0
  #submitted = 0
  #completed = 0
  #lent: Lent[] | null = null
  readonly #written = () => {
    this.#completed++
    if (this.#counted > 0 || this.#lent !== null) this.#settle()
  }

  private constructor(
    socket: Socket,
    budget: MemoryBudget,
    { reads, resets, paused }: { reads: OwnReads | null; resets: (() => void) | null; paused: boolean },
  ) {
    this.#socket = socket
    this.#budget = budget
    this.#reads = reads
    this.#resets = resets
    this.#paused = paused
    if (reads === null) {
      socket.pause()
      socket.on('data', (bytes: Buffer) => this.tell(bytes))
    } else reads.side = this
    const own = socket as OwnSocket
    own[sideOf] = this
    own.on('end', onEnd).on('error', onError).on('close', onClose)
  }

  /** A socket that a server with `pauseOnConnect` has accepted: its connection moves into one that reads as we want it to. */
  static accepted(shell: Socket, budget: MemoryBudget): Side {
    const inner = shell as unknown as { _handle: { useUserBuffer?: unknown } | null }
    const handle = inner._handle
    if (handle === null || typeof handle.useUserBuffer !== 'function') return Side.over(shell, null, budget)
    inner._handle = null
    // The server counts it no longer.
    shell.destroy()
    const reads = new OwnReads()
    const options = { handle, onread: reads.onread, pauseOnCreate: true, allowHalfOpen: true }
    const socket = new Socket(options as object)
    socket.setNoDelay(true)
    return new Side(socket, budget, { reads, resets: null, paused: true })
  }

  /** A socket that connects, and reads from then on. @returns the side, and the socket to wait for */
  static dialled(host: string, port: number, budget: MemoryBudget): { side: Side; socket: Socket } {
    const reads = new OwnReads()
    const socket = connect({ host, port, onread: reads.onread, allowHalfOpen: true, noDelay: true })
    return { side: new Side(socket, budget, { reads, resets: null, paused: false }), socket }
  }

  /** Any socket, such as one of TLS; it reads as all streams do. @param resets null: by the socket itself */
  static over(socket: Socket, resets: (() => void) | null, budget: MemoryBudget): Side {
    socket.setNoDelay(true)
    return new Side(socket, budget, { reads: null, resets, paused: true })
  }

  listen(listener: SideListener): void {
    this.#listener = listener
  }

  /** Bytes that were written and wait for the kernel. */
  get waiting(): number {
    return this.#socket.writableLength
  }

  get isPaused(): boolean {
    return this.#paused
  }

  /** Calls when all that was written, and the end after it, are with the kernel. */
  onFinished(callback: () => void): void {
    this.#socket.once('finish', callback)
  }

  /** Bytes are lent until it returns, if they were read by a side; else they must stay as they are. */
  write(bytes: Buffer): void {
    const socket = this.#socket
    if (!socket.writable) return
    this.sent += bytes.length
    this.#submitted++
    socket.write(bytes, this.#written)
    if (socket.writableLength > 0) {
      waits++
      // oxlint-disable-next-line unicorn/no-this-assignment, typescript/no-this-alias -- the reader of the bytes asks for it at once
      lastToWait = this
      this.#settle()
    }
  }

  /** FIN, after all that was written. */
  end(): void {
    if (!this.#socket.writableEnded && !this.#socket.destroyed) this.#socket.end()
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    // Within a read its answer says so.
    if (this.#reads?.isReading !== true) this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused || this.#socket.destroyed) return
    this.#paused = false
    if (this.#reads === null) this.#socket.resume()
    else if (!this.#reads.isReading) this.#socket.read(0)
  }

  /**
   * FIN, after all that was written; what still comes is dropped, for unread bytes would turn the end into a reset.
   *
   * @param lingerMs closed for good after it, when all has gone; later, while some of it still goes
   */
  finish(lingerMs: number): void {
    const socket = this.#socket
    if (socket.destroyed) return
    const before = this.#listener
    this.#listener = { ...deaf, closed: () => before.closed() }
    this.end()
    this.resume()
    let waiting = socket.writableLength
    let idle = 0
    const timer = setInterval(() => {
      const left = socket.writableLength
      idle = left < waiting ? 0 : idle + 1
      waiting = left
      if (left === 0 || idle >= patience) socket.destroy()
    }, lingerMs)
    timer.unref()
    socket.once('close', () => clearInterval(timer))
  }

  /** RST; what was written and not sent is lost. */
  reset(): void {
    const socket = this.#socket
    if (socket.destroyed) return
    if (this.#resets !== null) {
      this.#resets()
      return
    }
    // The kernel refuses a reset while a FIN waits for bytes before it.
    const ends = socket.writableEnded && !socket.writableFinished
    if (socket.connecting || ends) socket.destroy()
    else socket.resetAndDestroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** In its turn, when others had read much. */
  goOn(): void {
    if (!this.#paused && !this.#socket.destroyed) this.#socket.read(0)
  }

  /** Of what it read: called by its own reads. @returns whether reading goes on */
  tell(bytes: Buffer): boolean {
    this.received += bytes.length
    this.#listener.bytes(bytes)
    return !this.#paused
  }

  tellEnd(): void {
    this.#listener.ended()
  }

  tellError(error: NodeJS.ErrnoException): void {
    this.#listener.failed(error)
  }

  tellClose(): void {
    this.#budget.add(-this.#counted)
    this.#counted = 0
    this.#lent = null
    this.#reads?.close()
    this.#listener.closed()
  }

  /** Takes over a buffer whose bytes were written here, until they are with the kernel. */
  lend(buffer: Buffer): void {
    this.#lent ??= []
    this.#lent.push({ buffer, until: this.#submitted })
  }

  #settle(): void {
    const now = this.#socket.writableLength
    const before = this.#counted
    if (now !== before) {
      this.#budget.add(now - before)
      this.#counted = now
    }
    const lent = this.#lent
    if (lent !== null) {
      while (lent.length > 0 && lent[0]!.until <= this.#completed) readBuffers.giveBack(lent.shift()!.buffer)
      if (lent.length === 0) this.#lent = null
    }
    if (now < before) this.#listener.drained()
  }
}

const sideOf = Symbol('side')

type OwnSocket = Socket & { [sideOf]: Side }

// One function for all sockets: ten thousand of them are to be small.

function onEnd(this: OwnSocket): void {
  this[sideOf].tellEnd()
}

function onError(this: OwnSocket, error: NodeJS.ErrnoException): void {
  this[sideOf].tellError(error)
}

function onClose(this: OwnSocket): void {
  this[sideOf].tellClose()
}

const deaf: SideListener = {
  bytes: () => {},
  ended: () => {},
  drained: () => {},
  failed: () => {},
  closed: () => {},
}

/** The buffer that a socket reads into, by `onread` of node:net. */
class OwnReads {
  side: Side | null = null
  isReading = false
  #buffer: Buffer | null = null
  /** Bytes of equal length at one place are told by one and the same view. */
  #view: Buffer | null = null
  #little = 0

  readonly onread = {
    buffer: (): Buffer => (this.#buffer ??= readBuffers.small()),
    callback: (length: number): boolean => {
      const buffer = this.#buffer!
      let view = this.#view
      if (view === null || view.length !== length) this.#view = view = buffer.subarray(0, length)
      const before = waits
      this.isReading = true
      const goesOn = this.side!.tell(view)
      this.isReading = false
      const wasFull = length === buffer.length
      if (this.#buffer === null) return goesOn
      if (waits !== before) this.#leave(buffer, waits === before + 1 ? lastToWait : null, length)
      else this.#fit(buffer, length)
      // What did not fill its buffer was all that there is.
      return goesOn && (!wasFull || readTurns.mayGoOn(this.side!, length))
    },
  }

  close(): void {
    const buffer = this.#buffer
    this.#buffer = null
    this.#view = null
    if (buffer === null) return
    readBuffers.retire(buffer)
    readBuffers.giveBack(buffer)
  }

  /** Its bytes wait to be written: the next read is into another one. */
  #leave(buffer: Buffer, writer: Side | null, length: number): void {
    readBuffers.retire(buffer)
    // Where more than one write waits, the garbage collector sees to it.
    writer?.lend(buffer)
    const wasFull = length === buffer.length
    this.#take(
      wasFull || (isLarge(buffer) && readBuffers.isGenerous) ? readBuffers.large() : readBuffers.small(),
    )
  }

  #fit(buffer: Buffer, length: number): void {
    if (!isLarge(buffer)) {
      if (length < buffer.length) return
    } else {
      if (!isLittle(length)) {
        this.#little = 0
        return
      }
      this.#little++
      if (this.#little < littleReads && readBuffers.isGenerous) return
    }
    readBuffers.retire(buffer)
    readBuffers.giveBack(buffer)
    this.#take(isLarge(buffer) ? readBuffers.small() : readBuffers.large())
  }

  #take(buffer: Buffer): void {
    this.#buffer = buffer
    this.#view = null
    this.#little = 0
  }
}
