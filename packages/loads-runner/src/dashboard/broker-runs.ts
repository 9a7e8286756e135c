import type { RunSource } from '@loads-runner/dashboard'
import type { Annotation, Dialer, RunEvent, RunRow } from '@loads-runner/protocol'
import type { Secrets } from '@loads-runner/testcase/secrets'
import { BrokerConnection } from '../broker-connection.ts'

/** How long to wait before a broker is dialled again, in milliseconds. */
const retryMs = 1000

export interface BrokerRunsOptions {
  dialer: Dialer
  /** Their values are in nothing that is handed out. */
  secrets: Secrets
  onTrouble: (text: string) => void
}

/**
 * The runs of a broker, as pages and outputs see them: over connections of its own, so that nothing here can hold up
 * the console. Each run that is followed has one connection, since events of a run that are not taken in would wait
 * behind those of others.
 */
export class BrokerRuns implements RunSource {
  readonly #options: BrokerRunsOptions
  readonly #handlers = new Set<(row: RunRow) => void>()
  readonly #open = new Set<BrokerConnection>()
  #main: Promise<BrokerConnection> | null = null
  #retry: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: BrokerRunsOptions) {
    this.#options = options
  }

  async runs(): Promise<RunRow[]> {
    const connection = await this.#connection()
    return (await connection.request('list-runs', {})).runs
  }

  onRun(handler: (row: RunRow) => void): () => void {
    this.#handlers.add(handler)
    void this.#connection().catch(() => {})
    return () => this.#handlers.delete(handler)
  }

  async follow(
    runId: string,
    handler: (event: RunEvent) => void,
    lost: () => void = () => {},
  ): Promise<() => void> {
    const { secrets } = this.#options
    const connection = await this.#dial()
    let wanted = true
    const leave = () => {
      wanted = false
      this.#hangUp(connection)
    }
    void connection.closed.then(() => {
      if (wanted && !this.#closed) lost()
    })
    connection.onEvent(runId, ({ event }) => {
      handler(secrets.hideIn(event))
      if (event.type === 'finished') leave()
    })
    try {
      await connection.request('subscribe', { runId })
    } catch (error) {
      leave()
      throw error
    }
    return leave
  }

  async stop(runId: string, mode: 'drain' | 'cancel' | 'kill'): Promise<void> {
    const connection = await this.#connection()
    await connection.request('stop', { runId, mode, reason: 'operator' })
  }

  async control(
    runId: string,
    change: { scenario: string | null; target: number | null; paused: boolean | null },
  ): Promise<{ scenario: string; target: number; paused: boolean }> {
    const connection = await this.#connection()
    return connection.request('control', { runId, ...change })
  }

  async annotate(runId: string, annotation: Annotation): Promise<void> {
    const connection = await this.#connection()
    await connection.request('annotate', { runId, annotation })
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    await this.#main?.catch(() => {})
    await Promise.all([...this.#open].map((connection) => connection.close()))
  }

  /** The connection for everything but events. */
  #connection(): Promise<BrokerConnection> {
    this.#main ??= this.#watch().catch((error: unknown) => {
      this.#main = null
      throw error
    })
    return this.#main
  }

  async #watch(): Promise<BrokerConnection> {
    const connection = await this.#dial()
    connection.onRun = (row) => this.#tell(row)
    void connection.closed.then(({ message, reason }) => {
      this.#main = null
      if (this.#closed) return
      this.#options.onTrouble(`the page has lost its broker (${message || reason}); it tries again`)
      this.#watchAgain()
    })
    const { runs } = await connection.request('watch-runs', {})
    for (const row of runs) this.#tell(row)
    return connection
  }

  #watchAgain(): void {
    if (this.#closed || this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.#connection().catch(() => this.#watchAgain())
    }, retryMs)
  }

  #tell(row: RunRow): void {
    for (const handler of this.#handlers) handler(row)
  }

  async #dial(): Promise<BrokerConnection> {
    const connection = await BrokerConnection.open(this.#options.dialer)
    this.#open.add(connection)
    void connection.closed.then(() => this.#open.delete(connection))
    return connection
  }

  #hangUp(connection: BrokerConnection): void {
    void connection.close().catch(() => {})
  }
}
