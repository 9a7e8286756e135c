import { createRequire } from 'node:module'
import type { Stats } from '@loads-runner/metrics'

type Tags = Readonly<Record<string, string>>

/** The part of statsd-client that is used here; it has no types of its own. */
interface Client {
  counter(name: string, delta: number, tags: Tags): void
  gauge(name: string, value: number, tags: Tags): void
}
interface ClientOptions {
  prefix: string
  tags: Tags
  _socket: { send: (line: string) => void; close: () => void }
}
const StatsDClient = createRequire(import.meta.url)('statsd-client') as new (options: ClientOptions) => Client

const quantiles = ['p50', 'p95', 'p99'] as const

/**
 * Lines in statsd's grammar, by statsd-client. Its sockets are not used: they tell nobody what was not sent, look the
 * host up for each packet, and count characters where packets have bytes.
 */
export class LineWriter {
  readonly #client: Client
  readonly #signsAreChanges: boolean
  #lines: string[] = []

  /** @param tags on every line; null: a server without tags, which takes a sign for a change of a gauge */
  constructor(prefix: string, tags: Tags | null) {
    this.#client = new StatsDClient({
      prefix,
      tags: tags ?? {},
      _socket: { send: (line) => this.#lines.push(line), close: () => {} },
    })
    this.#signsAreChanges = tags === null
  }

  /** Nothing happened: nothing is written. */
  count(name: string, value: number, tags: Tags = {}): void {
    if (value !== 0) this.#client.counter(name, rounded(value), tags)
  }

  gauge(name: string, value: number, tags: Tags = {}): void {
    if (value < 0 && this.#signsAreChanges) {
      // From 0, in the same packet, the change is the value.
      this.#client.gauge(name, 0, tags)
      const zero = this.#lines.pop()!
      this.#client.gauge(name, rounded(value), tags)
      this.#lines.push(`${zero}\n${this.#lines.pop()!}`)
    } else this.#client.gauge(name, rounded(value), tags)
  }

  /** Milliseconds; what is unknown is not written. */
  quantiles(before: string, stats: Stats, tags: Tags = {}): void {
    for (const quantile of quantiles) {
      const value = stats[quantile]
      if (value !== null) this.gauge(before + quantile, value, tags)
    }
  }

  /** What was written since the last time. */
  take(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }
}

/** Three digits after the point: no exponent for what is small. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
