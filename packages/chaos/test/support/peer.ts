import { connect, type Socket } from 'node:net'

/** How a connection ended, as seen from one side: an orderly end, or the code of an error. */
export type Ending = 'end' | (string & {})

/** One side of a connection: what came, when, and how it ended. */
export class Peer {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  length = 0
  ending: Ending | null = null
  readonly #watchers = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      this.length += chunk.length
      this.#changed()
    })
    const ended = (ending: Ending): void => {
      this.ending ??= ending
      this.#changed()
    }
    socket.once('end', () => ended('end'))
    socket.on('error', (error: NodeJS.ErrnoException) => ended(error.code ?? error.message))
    socket.once('close', () => ended('end'))
  }

  /** Resolves when it is connected, or was refused or reset at once. */
  static async connect({ host, port }: { host: string; port: number }, localAddress?: string): Promise<Peer> {
    const from = localAddress === undefined ? {} : { localAddress }
    const peer = new Peer(connect({ host, port, ...from, allowHalfOpen: true }))
    let isConnected = false
    peer.socket.once('connect', () => {
      isConnected = true
      peer.#changed()
    })
    await peer.#wait(() => isConnected || peer.ending !== null)
    return peer
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  end(): void {
    this.socket.end()
  }

  /** So many bytes have come since the start. @throws when the connection ends before */
  async until(length: number): Promise<Buffer> {
    await this.#wait(() => this.length >= length || this.ending !== null)
    if (this.length < length)
      throw new Error(`${this.length} of ${length} bytes had come before ${this.ending}`)
    return this.bytes
  }

  async ended(): Promise<Ending> {
    await this.#wait(() => this.ending !== null)
    return this.ending!
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  async #wait(isSo: () => boolean): Promise<void> {
    if (isSo()) return
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (!isSo()) return
        this.#watchers.delete(watcher)
        resolve()
      }
      this.#watchers.add(watcher)
    })
  }
}
