import { UsageError } from './errors.ts'

/** A fault-injecting proxy of the run (`this.proxies.NAME`). */
export interface ProxyHandle {
  readonly name: string
  /** `host:port` that clients connect to. */
  readonly address: string
  readonly host: string
  readonly port: number
  /**
   * Does something to whoever goes through the proxy until the scope ends: `delay`, `error`, `hang`, `blackout`,
   * `transient`, `abort` or any other fault, with its options.
   *
   *     await using _ = await this.proxies.mysql.withBehavior('delay', { sleep: '2s' })
   *
   * Where a shared proxy is changed by one of several users, nobody knows what was measured: that is refused. Let the
   * schedule of the run do it, or `static setUpRun`.
   *
   * @throws {UsageError} several users, or no such fault or option
   */
  withBehavior(name: string, options?: Readonly<Record<string, unknown>>): Promise<FaultScope>
  /** Takes the proxy down: connections are closed, new ones refused, until the scope ends. */
  down(): Promise<FaultScope>
}

/** A change of a proxy. It is taken back when it ends: by `await using`, by `end()`, or with the execution. */
export interface FaultScope extends AsyncDisposable {
  end(): Promise<void>
}

export type Proxies = Readonly<Record<string, ProxyHandle>>

/** Who changes proxies: a user of a test, or code that runs once per run. */
export type ProxyUse = 'user' | 'run'

export type ProxyProvider = (use: ProxyUse, opened: (scope: FaultScope) => void) => Proxies

/**
 * Kept under a registered symbol of the thread, so that a test and the program that runs it need not share one copy of this
 * package.
 */
const providerKey = Symbol.for('loads.proxies')

/** Says what `this.proxies` is. The package that speaks to proxies calls it when it is loaded. */
export function provideProxies(provider: ProxyProvider | null): void {
  const holder = globalThis as Record<symbol, ProxyProvider | null | undefined>
  holder[providerKey] = provider
}

/** @throws {UsageError} nothing here speaks to proxies */
export function proxiesFor(use: ProxyUse, opened: (scope: FaultScope) => void = () => {}): Proxies {
  const provider = (globalThis as Record<symbol, ProxyProvider | null | undefined>)[providerKey]
  if (provider === null || provider === undefined) {
    throw new UsageError(
      "proxies: nothing speaks to proxies here; run the test with loads-runner, or import 'loads-runner' first",
    )
  }
  return provider(use, opened)
}

/** The proxies of one test instance, and the changes that it has not taken back. */
export class UserProxies {
  readonly handles: Proxies
  #ofExecution: FaultScope[] = []
  #ofUser: FaultScope[] = []

  constructor() {
    this.handles = proxiesFor('user', (scope) => this.#ofExecution.push(scope))
  }

  /** What was opened so far stays until the user ends. */
  keep(): void {
    this.#ofUser.push(...this.#ofExecution.splice(0))
  }

  /** Takes back what the execution has left, latest first; undefined when there is nothing. */
  settle(): Promise<void> | undefined {
    if (this.#ofExecution.length === 0) return undefined
    return endAll(this.#ofExecution.splice(0))
  }

  close(): Promise<void> {
    return endAll([...this.#ofUser.splice(0), ...this.#ofExecution.splice(0)])
  }
}

async function endAll(scopes: readonly FaultScope[]): Promise<void> {
  let first: unknown = null
  for (const scope of scopes.toReversed()) {
    try {
      await scope.end()
    } catch (error) {
      first ??= error
    }
  }
  if (first !== null) throw first
}
