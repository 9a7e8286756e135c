import type { FeedMode, FeedRow, RunView } from './context.ts'
import type { Instrument } from './instrument/selection.ts'
import { Measurements } from './measurements.ts'
import type { Tags } from './meter.ts'
import type { Proxies } from './proxies.ts'
import type { Random } from './random.ts'
import type { AppClient } from './sessions/http/app.ts'
import type { EventStream, EventStreamOptions } from './sessions/events/event-stream.ts'
import type { GrpcClient, GrpcOptions } from './sessions/grpc/grpc-client.ts'
import type { HttpSession } from './sessions/http/http-session.ts'
import { SessionSet } from './sessions/session-set.ts'
import type { TcpConnection } from './sessions/raw/tcp-connection.ts'
import type { TcpOptions } from './sessions/raw/tcp-opening.ts'
import type { UdpSocket } from './sessions/raw/udp-socket.ts'
import type { WebSocketOptions, WebSocketSession } from './sessions/websocket/websocket-session.ts'
import { checkNote } from './tags.ts'
import { contextOf, proxiesOf, sessionsOf } from './user-link.ts'

/** Marks the prototype of `TestCase`: registered, so that a second copy of this package is recognised. */
export const brand = Symbol.for('loads.TestCase')

const noTags: Tags = Object.freeze({})

/** What the class-level hooks know about the run. */
export interface RunHookContext {
  readonly runId: string
  readonly seed: number
  /** This agent's name; empty in the conductor. */
  readonly agent: string
  readonly params: Readonly<Record<string, string>>
  readonly serverUrl: string | null
  /** What this class's setUpRun returned; null before it did. */
  readonly data: unknown
  /** Publishes a note at this moment of the run; see {@link TestCase.annotate}. */
  annotate(text: string, tags?: Tags): void
  /** Proxies of the run, which code that runs once may change; see {@link TestCase.proxies}. On agents as for users. */
  readonly proxies: Proxies
}

/** A subclass of `TestCase`: the constructor, with its optional statics; those of data are explained there. */
export interface TestClass {
  new (): TestCase
  readonly prototype: TestCase
  readonly name: string
  serverUrl?: string
  weights?: Record<string, number>
  load?: Readonly<Record<string, unknown>>
  tags?: Tags
  instrument?: Instrument
  thresholds?: readonly string[]
  /** Once per run, in the process that started it. What it returns must be JSON and is every user's `this.run.data`. */
  setUpRun?(run: RunHookContext): unknown
  /** Once per run on each agent, before its first user. */
  setUpAgent?(run: RunHookContext): unknown
  tearDownAgent?(run: RunHookContext): unknown
  /** Once per run, at its end, also after failures. */
  tearDownRun?(run: RunHookContext): unknown
}

/**
 * A test, and with many users a load test. Methods whose names begin with `test` are the tests.
 *
 * One instance is one virtual user: it keeps its session (connections, cookies) over its executions, and runs one
 * execution at a time.
 */
export class TestCase extends Measurements {
  /** Where relative URLs go, unless the run says otherwise. */
  declare static serverUrl?: string
  /** How often each test method is chosen, compared to the others. Default 1, 0 is never. */
  declare static weights?: Record<string, number>
  /**
   * The load that the class asks for where the command line and the plan file do not say otherwise: options by their
   * names, `{ users: 20, duration: '1m', rampUp: '10s' }`.
   */
  declare static load?: Readonly<Record<string, unknown>>
  /** Tags of everything that its tests record: few words, never ids. */
  declare static tags?: Tags
  /**
   * Measures clients other than those of Loads, without a wrapper, through the diagnostics channels that they publish
   * on: `true` for all that are known, or a list of `'undici'` (`fetch` too), `'http'` (node:http and what is built on
   * it), `'http2'`, `'net'`, `'mysql2'`, `'ioredis'`, `'redis'`, `'pg'`, `'mssql'`, or `'tracing:NAME'` for any tracing
   * channel. It costs every await of the load thread something, so only classes that need it should ask for it.
   */
  declare static instrument?: Instrument
  /** Conditions that the run has to hold: `['http_req_duration: p(95)<200', 'errors: rate<0.01']`. */
  declare static thresholds?: readonly string[]

  static override [Symbol.hasInstance](value: unknown): boolean {
    // Subclasses inherit this method, and for them the ordinary rule is right.
    if (this !== TestCase) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  }

  /** Once per virtual user, before its first execution. */
  setUpUser(): void | Promise<void> {}
  /** Before each execution. */
  setUp(): void | Promise<void> {}
  /** After each execution, whatever came of it. */
  tearDown(): void | Promise<void> {}
  /** Once per virtual user, after its last execution. */
  tearDownUser(): void | Promise<void> {}

  /** This user's HTTP client: own connections, own cookies. Every request is a hit. */
  get session(): HttpSession {
    return this.#sessions.http
  }

  /** An HTTP client for one server that checks each answer: a status outside 2xx and 3xx fails the test. */
  get app(): AppClient {
    return this.#sessions.app
  }

  /**
   * Opens a WebSocket; relative URLs are of the server (`ws:` for `http:`). The handshake is a hit.
   *
   * @throws {RequestError} the handshake failed
   */
  createWs(url: string, options: WebSocketOptions = {}): Promise<WebSocketSession> {
    return this.#sessions.openWebSocket(url, options)
  }

  /**
   * Opens a stream of server-sent events; relative URLs are of the server. The opening is a hit. It is closed when the
   * execution that opened it ends, or with its user when `setUpUser` opened it; its errors are thrown in the test.
   *
   * @throws {RequestError} no answer, or one that is no stream of events
   * @throws {InterruptedError} the execution was cut
   */
  openEvents(url: string, options: EventStreamOptions = {}): Promise<EventStream> {
    return this.#sessions.openEvents(url, options)
  }

  /**
   * The client of a gRPC service. Each call is a hit, named `package.Service/Method`, whose status is that of gRPC; one
   * that is not `OK` throws. Methods with `stream` in the .proto file give a `GrpcStream`. The channel is this
   * user's own and is closed with it: asked for again, it is the same.
   *
   *     const greeter = await this.grpc('greeter.proto', 'demo.Greeter', { address: 'localhost:50051' })
   *     const { message } = await greeter.SayHello({ name: 'you' })
   *     for await (const { message } of greeter.SayManyHellos({ name: 'you' })) ...
   *
   * `this.grpc<Greeter>(...)` gives the methods the types of an interface of yours.
   *
   * @param file the .proto file, relative to the directory of the tests
   * @param service with its package
   * @throws {UsageError} a file, service or address that cannot be
   * @throws {ServerUrlError} no address is given, and no server is known
   */
  grpc<Client extends object = GrpcClient>(
    file: string,
    service: string,
    options: GrpcOptions = {},
  ): Promise<Client> {
    return this.#sessions.openGrpc(file, service, options) as unknown as Promise<Client>
  }

  /**
   * Opens a TCP connection, as one hit. It is closed when the execution that opened it ends, or with its user when
   * `setUpUser` opened it; its errors are thrown in the test.
   *
   *     const redis = await this.tcp('localhost:6379')
   *     const answer = await redis.exchange('PING\r\n', { name: 'PING', until: '\r\n' })
   *
   * @param address `host:port`
   * @throws {RequestError} it could not be opened; its `class` says why
   * @throws {InterruptedError} the execution was cut
   * @throws {UsageError} an address that cannot be, or a run with `--proxy`
   */
  tcp(address: string, options: TcpOptions = {}): Promise<TcpConnection> {
    return this.#sessions.openTcp(address, options)
  }

  /**
   * Opens a UDP socket for one address. It is closed when the execution that opened it ends, or with its user when
   * `setUpUser` opened it.
   *
   *     const echo = await this.udp('localhost:7')
   *     const answer = await echo.exchange('hello', { name: 'echo', timeout: '2s' })
   *
   * @param address `host:port`
   * @throws {StreamError} the name cannot be resolved, or the machine has no port left
   */
  udp(address: string): Promise<UdpSocket> {
    return this.#sessions.openUdp(address)
  }

  /**
   * The row of a data file (CSV with a head line, JSON or JSON lines) for this execution: asked twice, it is the same.
   *
   *     const { name, password } = await this.feed('users.csv')
   *
   * Which row it is depends on the number of the execution alone, so it is the same on any number of agents:
   * `sequential` takes one after another and begins anew after the last, `random` any (by the seed), `unique` each row
   * once, `leased` each row once where the number of executions is not known before.
   *
   * @param file relative to the directory of the tests
   * @throws {UsageError} no such file, no such format, or no row left
   */
  feed(file: string, options: { readonly mode?: FeedMode } = {}): Promise<FeedRow> {
    const context = contextOf(this)
    return context.feeds.row(file, options.mode ?? 'sequential', context)
  }

  /**
   * Publishes a note at this moment of the run: what was deployed, switched or filled. Everybody who watches sees it,
   * charts mark it, and it is kept with the results. Notes are for a few moments of a run, not for each hit: 20 per
   * second and agent are published, with 500 characters each; the log counts the rest. A test that mocha runs
   * publishes none.
   *
   *     this.annotate('cache emptied', { node: 'db-2' })
   *
   * @param tags up to 20 short words
   * @throws {UsageError} no text, or tags that are no words
   */
  annotate(text: string, tags: Tags = noTags): void {
    checkNote(text, tags)
    contextOf(this).annotate(text, tags)
  }

  /**
   * The fault-injecting proxies of the run by name, from `--proxies`. What an execution changes is taken back with it.
   *
   *     const { mysql } = this.proxies
   *     await using _ = await mysql.withBehavior('delay', { sleep: '2s' })
   *     const connection = await createConnection({ host: mysql.host, port: mysql.port })
   *
   * @throws {UsageError} the run has no proxies, or none of that name
   */
  get proxies(): Proxies {
    return proxiesOf(this)
  }

  /** Number of this virtual user, from 0, over the whole run. */
  get user(): number {
    return contextOf(this).user
  }

  /** Number of this user's running execution, from 0. */
  get iteration(): number {
    return contextOf(this).iteration
  }

  /**
   * What this execution is known by, in logs and reports, and what its random choices and data rows derive from:
   * `scenario/user/iteration`, or `scenario/number` where a schedule or a shared count hands executions out.
   */
  get executionId(): string {
    return contextOf(this).executionId
  }

  /** Name of the scenario that this execution is part of. */
  get scenario(): string {
    return contextOf(this).scenario
  }

  /** Tags of all that is recorded now: of the scenario, of the class and of `this.tagged`. */
  get tags(): Tags {
    return contextOf(this).tags ?? noTags
  }

  /** Random choices that depend on the run's seed and this execution alone. */
  get random(): Random {
    return contextOf(this).random
  }

  /** Values of `--param`. */
  get params(): Readonly<Record<string, string>> {
    return contextOf(this).params
  }

  /** The run: its id, seed and agent, and `data`, what the class's `static setUpRun` returned. */
  get run(): RunView {
    return contextOf(this).run
  }

  /** Aborts when the running execution is cut by the end of the run. */
  get signal(): AbortSignal {
    return contextOf(this).signal
  }

  get #sessions(): SessionSet {
    return sessionsOf(this, () => new SessionSet(contextOf(this), this.constructor as TestClass))
  }
}

Object.defineProperty(TestCase.prototype, brand, { value: true })
