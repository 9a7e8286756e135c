import type { PastRuns, RunSource } from './run-source.ts'

export interface DashboardOptions {
  /** `127.0.0.1`, `::1`; anything but loopback asks for the token to read, too. */
  host: string
  /** 0: any free one. */
  port: number
  source: RunSource
  past: PastRuns | null
  /** What changes a run must come with; see {@link DashboardServer.start}. */
  token: string
  /** Names by which this machine is known, besides its addresses and localhost. */
  hostNames: readonly string[]
  version: string
}

/** The live page and its API. */
export class DashboardServer {
  readonly #address: { host: string; port: number }

  private constructor(address: { host: string; port: number }) {
    this.#address = address
  }

  /** @throws {DashboardError} DASHBOARD_PORT: the port is in use, or may not be used */
  static async start(options: DashboardOptions): Promise<DashboardServer> {
    return new DashboardServer({ host: options.host, port: options.port })
  }

  get host(): string {
    return this.#address.host
  }

  get port(): number {
    return this.#address.port
  }

  /** `http://127.0.0.1:7777/`, without the token. */
  get url(): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host
    return `http://${host}:${this.port}/`
  }

  async close(): Promise<void> {}
}
