import { Assertions } from './assertions.ts'
import type { RunView } from './context.ts'
import type { Random } from './random.ts'
import type { AppClient } from './sessions/app.ts'
import type { HttpSession } from './sessions/http-session.ts'
import { SessionSet } from './sessions/session-set.ts'
import type { WebSocketOptions, WebSocketSession } from './sessions/websocket-session.ts'
import { contextOf, sessionsOf } from './user-link.ts'

/** Marks the prototype of `TestCase`: registered, so that a second copy of this package is recognised. */
export const brand = Symbol.for('loads.TestCase')

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
}

/** A subclass of `TestCase`: the constructor, with its optional statics. */
export interface TestClass {
  new (): TestCase
  readonly prototype: TestCase
  readonly name: string
  /** Where relative URLs go, unless the run says otherwise. */
  serverUrl?: string
  /** How often each test method is chosen, compared to the others. Default 1, 0 is never. */
  weights?: Record<string, number>
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
export class TestCase extends Assertions {
  declare static serverUrl?: string
  declare static weights?: Record<string, number>

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

  /** Adds to a counter of the run. */
  incrCounter(name: string, amount = 1): void {
    contextOf(this).meter.count(name, amount)
  }

  /** Sets a gauge of the run; the latest value counts. */
  setGauge(name: string, value: number): void {
    contextOf(this).meter.gauge(name, value)
  }

  /** Adds a duration, in milliseconds, to a timing of the run. */
  recordTiming(name: string, millis: number): void {
    contextOf(this).meter.timing(name, millis)
  }

  /** Runs an action and records how long it took, also when it throws. */
  async time<T>(name: string, action: () => T | PromiseLike<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await action()
    } finally {
      this.recordTiming(name, performance.now() - startedAt)
    }
  }

  /** Number of this virtual user, from 0, over the whole run. */
  get user(): number {
    return contextOf(this).user
  }

  /** Number of this user's running execution, from 0. */
  get iteration(): number {
    return contextOf(this).iteration
  }

  /** Random choices that depend on the run's seed and this execution alone. */
  get random(): Random {
    return contextOf(this).random
  }

  /** Values of `--param`. */
  get params(): Readonly<Record<string, string>> {
    return contextOf(this).params
  }

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
