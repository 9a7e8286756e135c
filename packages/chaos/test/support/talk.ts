import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A client of a proxy: says something and reads what comes back. */
export class TcpTalk implements AsyncDisposable {
  readonly #socket: Socket
  #got = Buffer.alloc(0)
  #waiting: (() => void)[] = []
  #over = false

  /** @param address HOST:PORT */
  static async to(address: string): Promise<TcpTalk> {
    const [, host, port] = /^(.*):(\d+)$/.exec(address)!
    const socket = connect({ host: host!, port: Number(port) })
    await once(socket, 'connect')
    return new TcpTalk(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => {
      this.#got = Buffer.concat([this.#got, bytes])
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#over = true
      this.#wake()
    })
  }

  /** @returns milliseconds until all of it has come back */
  async echo(text: string): Promise<number> {
    const from = performance.now()
    this.#socket.write(text)
    const got = await this.read(Buffer.byteLength(text))
    if (got !== text) throw new Error(`${JSON.stringify(got)} came back`)
    return performance.now() - from
  }

  /** What there is of so many bytes when they have come, or it is over. */
  async read(length: number): Promise<string> {
    while (this.#got.length < length && !this.#over) await this.#news()
    const read = this.#got.subarray(0, length).toString()
    this.#got = this.#got.subarray(length)
    return read
  }

  get isOver(): boolean {
    return this.#over
  }

  async ended(): Promise<void> {
    while (!this.#over) await this.#news()
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.ended()
  }
}

/** The error code of a connection that is tried; null: it was taken. */
export async function dialError(address: string): Promise<string | null> {
  try {
    await using _ = await TcpTalk.to(address)
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
