import type { UserContext } from '../context.ts'
import { isInstrumented } from '../instrument/index.ts'
import { outsideInstrumentation } from '../instrument/running-user.ts'
import type { TestClass } from '../test-case.ts'
import { Guard } from '../forgotten-promise.ts'
import { AppClient } from './http/app.ts'
import { CountedHttpSession } from './http/counted-http-session.ts'
import type { Dialer } from './dialer.ts'
import { openStream } from './events/event-stream-opening.ts'
import { EventStream, type EventStreamOptions } from './events/event-stream.ts'
import { openChannel, type GrpcClient, type GrpcOptions, type OpenChannel } from './grpc/grpc-client.ts'
import { HttpSession } from './http/http-session.ts'
import { Server } from './server.ts'
import type { TcpConnection } from './raw/tcp-connection.ts'
import { openTcp, type TcpOptions } from './raw/tcp-opening.ts'
import { openUdp, type UdpSocket } from './raw/udp-socket.ts'
import { planHandshake, shakeHands } from './websocket/websocket-handshake.ts'
import { WebSocketSession, type WebSocketOptions } from './websocket/websocket-session.ts'

/** So many may be over before they are looked for. */
const fewSessions = 256

/** A session that stays open between calls of the test. */
interface OpenSession {
  readonly readyState: 'open' | 'closing' | 'closed'
  /** The first error that the test has not seen, if there is one; then it has. */
  takeError(): { error: unknown } | null
  /** Closes it, and waits for the end no longer than is polite. */
  release(): Promise<unknown>
}

/** Everything of one virtual user that has to be closed; made when first used. */
export class SessionSet {
  readonly #context: UserContext
  readonly #server: Server
  readonly #instrumented: boolean
  readonly #open = new Set<OpenSession>()
  readonly #kept = new WeakSet<OpenSession>()
  /** Made when first used: a user that sleeps should be small. */
  #dialers: Map<string, Dialer> | null = null
  #channels: Map<string, Promise<OpenChannel>> | null = null
  #http: HttpSession | null = null
  #firstError: { error: unknown } | null = null
  #sweepAt = fewSessions
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
    return this.#guarded(() => {
      const handshake = planHandshake(this.#context, this.#server, url, options)
      return shakeHands(handshake, this.#context, this.http.cookies, options, (socket, href, startedAt) =>
        this.#add(new WebSocketSession(socket, href, this.#context, options, startedAt)),
      )
    })
  }

  openEvents(url: string, options: EventStreamOptions): Promise<EventStream> {
    return this.#guarded(async () => {
      const opened = await openStream(url, this.#server, this.#context, this.http.cookies, options)
      return this.#add(new EventStream(opened.answer, opened.href, this.#context, options, opened.startedAt))
    })
  }

  openTcp(address: string, options: TcpOptions): Promise<TcpConnection> {
    return this.#guarded(async () =>
      this.#add(await openTcp(address, options, this.#context, (this.#dialers ??= new Map()))),
    )
  }

  openUdp(address: string): Promise<UdpSocket> {
    return this.#guarded(async () => this.#add(await openUdp(address, this.#context)))
  }

  /** The client of one service; asked for again, it is the same, over the same channel. */
  openGrpc(file: string, service: string, options: GrpcOptions): Promise<GrpcClient> {
    const key = JSON.stringify([file, service, options, this.#server.url])
    const channels = (this.#channels ??= new Map())
    let opening = channels.get(key)
    if (opening === undefined) {
      opening = openChannel(file, service, options, this.#context, this.#server, (stream) => {
        this.#add(stream)
      })
      channels.set(key, opening)
      // What cannot be opened may be asked for again.
      opening.catch(() => channels.delete(key))
    }
    const opened = opening
    return this.#guarded(async () => (await opened).client)
  }

  /** Sessions that are open now are the user's: they outlast its executions. */
  keepSockets(): void {
    for (const session of this.#open) this.#kept.add(session)
  }

  /**
   * Ends an execution: the sessions that it opened are closed, or a user that runs for hours would gather them.
   *
   * @throws the first error of a session that the test has not seen
   */
  settle(): void {
    this.#http?.endExecution()
    let first = this.#firstError
    this.#firstError = null
    this.#sweepAt = fewSessions
    for (const session of this.#open) {
      const error = session.takeError()
      first ??= error
      if (session.readyState === 'closed') this.#open.delete(session)
      else if (!this.#kept.has(session)) void this.#letGo(session)
    }
    if (first !== null) throw first.error
  }

  async close(): Promise<void> {
    this.#http?.close()
    await Promise.all([...this.#open].map((session) => session.release()))
    for (const opening of this.#channels?.values() ?? [])
      await opening.then((channel) => channel.close(), ignore)
  }

  #add<T extends OpenSession>(session: T): T {
    if (this.#open.size >= this.#sweepAt) this.#sweep()
    this.#open.add(session)
    return session
  }

  /** An execution may open sessions for hours: those that are over are forgotten, but for their first error. */
  #sweep(): void {
    for (const session of this.#open) {
      if (session.readyState !== 'closed') continue
      this.#firstError ??= session.takeError()
      this.#open.delete(session)
    }
    this.#sweepAt = Math.max(fewSessions, 2 * this.#open.size)
  }

  async #letGo(session: OpenSession): Promise<void> {
    await session.release()
    this.#open.delete(session)
  }

  /** Opens something that is a hit by itself; a failure that nobody awaits does not bring the process down. */
  #guarded<T>(open: () => Promise<T>): Promise<T> {
    const guard = new Guard()
    const guarded = async () => {
      try {
        return await outsideInstrumentation(open)
      } catch (error) {
        throw guard.failed(error)
      }
    }
    return guard.keep(guarded())
  }
}

function ignore(): void {}
