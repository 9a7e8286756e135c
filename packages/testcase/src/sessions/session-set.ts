import type { UserContext } from '../context.ts'
import type { TestClass } from '../test-case.ts'
import { Guard } from '../forgotten-promise.ts'
import { isInstrumented } from '../instrument/index.ts'
import { outsideInstrumentation } from '../instrument/running-user.ts'
import { AppClient } from './app.ts'
import { CountedHttpSession } from './counted-http-session.ts'
import { HttpSession } from './http-session.ts'
import { Server } from './server.ts'
import { planHandshake, shakeHands } from './websocket-handshake.ts'
import { WebSocketSession, type WebSocketOptions } from './websocket-session.ts'

/** Everything of one virtual user that has to be closed; made when first used. */
export class SessionSet {
  readonly #context: UserContext
  readonly #server: Server
  readonly #instrumented: boolean
  readonly #sockets = new Set<WebSocketSession>()
  readonly #kept = new WeakSet<WebSocketSession>()
  #http: HttpSession | null = null
  #app: AppClient | null = null

  constructor(context: UserContext, testClass: TestClass) {
    this.#context = context
    this.#instrumented = isInstrumented(testClass)
    this.#server = new Server(context.target.serverUrl ?? testClass.serverUrl ?? null, testClass.name)
  }

  get http(): HttpSession {
    return (this.#http ??= this.#instrumented
      ? new CountedHttpSession(this.#context, this.#server)
      : new HttpSession(this.#context, this.#server))
  }

  get app(): AppClient {
    return (this.#app ??= new AppClient(this.http, this.#server))
  }

  openWebSocket(url: string, options: WebSocketOptions): Promise<WebSocketSession> {
    const guard = new Guard()
    return guard.keep(outsideInstrumentation(() => this.#open(guard, url, options)))
  }

  async #open(guard: Guard, url: string, options: WebSocketOptions): Promise<WebSocketSession> {
    try {
      const handshake = planHandshake(this.#context, this.#server, url, options)
      return await shakeHands(
        handshake,
        this.#context,
        this.http.cookies,
        options,
        (socket, href, startedAt) => {
          const session = new WebSocketSession(socket, href, this.#context, options, startedAt)
          this.#sockets.add(session)
          return session
        },
      )
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /** Sockets that are open now are the user's: they outlast its executions. */
  keepSockets(): void {
    for (const socket of this.#sockets) this.#kept.add(socket)
  }

  /**
   * Ends an execution: the sockets that it opened say goodbye, or a user that runs for hours would gather them.
   *
   * @throws the first error of a socket that the test has not seen
   */
  settle(): void {
    let first: { error: unknown } | null = null
    for (const socket of this.#sockets) {
      const error = socket.takeError()
      first ??= error
      if (socket.readyState === 'closed') this.#sockets.delete(socket)
      else if (!this.#kept.has(socket)) void this.#letGo(socket)
    }
    if (first !== null) throw first.error
  }

  async #letGo(socket: WebSocketSession): Promise<void> {
    await socket.release()
    this.#sockets.delete(socket)
  }

  async close(): Promise<void> {
    this.#http?.close()
    await Promise.all([...this.#sockets].map((socket) => socket.release()))
  }
}
