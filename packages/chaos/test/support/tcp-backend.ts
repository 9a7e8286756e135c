import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { Peer } from './peer.ts'

/** A server whose connections a test looks into. */
export class TcpBackend implements AsyncDisposable {
  readonly #server: Server
  readonly #peers: Peer[] = []
  readonly #asking: ((peer: Peer) => void)[] = []
  #taken = 0

  private constructor(served: (peer: Peer) => void | Promise<void>) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const peer = new Peer(socket)
      this.#peers.push(peer)
      void served(peer)
      const asking = this.#asking.shift()
      if (asking !== undefined) {
        this.#taken++
        asking(peer)
      }
    })
  }

  /** @param served says what it does with a connection; by default it only listens */
  static async start(served: (peer: Peer) => void | Promise<void> = () => {}): Promise<TcpBackend> {
    const backend = new TcpBackend(served)
    backend.#server.listen(0, '127.0.0.1')
    await once(backend.#server, 'listening')
    return backend
  }

  /** Sends back what comes, and ends when the other side has. */
  static echo(): Promise<TcpBackend> {
    return TcpBackend.start(({ socket }) => {
      socket.pipe(socket)
    })
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get peers(): readonly Peer[] {
    return this.#peers
  }

  /** The next connection that no one has asked for. */
  async next(): Promise<Peer> {
    const peer = this.#peers[this.#taken]
    if (peer === undefined) return new Promise((resolve) => this.#asking.push(resolve))
    this.#taken++
    return peer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
