import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Sends back what it is sent, and ends when its client does. */
export class EchoServer implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer()
    await new Promise<void>((resolve) => echo.#server.listen(0, '127.0.0.1', resolve))
    return echo
  }

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      socket.pipe(socket)
    })
  }

  /** HOST:PORT */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
