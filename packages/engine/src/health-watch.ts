import { bucketMiddle } from '@loads-runner/metrics'
import type { GeneratorHealth } from './session-spec.ts'
import type { SessionThread } from './session-thread.ts'

/** What was seen of a thread in the window before. */
interface Seen {
  gcMs: number
  portsExhausted: number
  lateness: Uint32Array
}

/** Tells for each window whether the generator itself was the limit. */
export class HealthWatch {
  #cpu = process.cpuUsage()
  readonly #seen = new Map<SessionThread, Seen>()

  /** What happened before the load is none of it. */
  begin(): void {
    this.#cpu = process.cpuUsage()
  }

  /** @param spanMs length of the window */
  look(threads: readonly SessionThread[], spanMs: number): GeneratorHealth {
    const cpu = process.cpuUsage(this.#cpu)
    this.#cpu = process.cpuUsage()
    const late = new Map<number, number>()
    let starts = 0
    let gcMs = 0
    let ports = 0
    for (const thread of threads) {
      const { state } = thread
      const seen = this.#seenOf(thread)
      gcMs = Math.max(gcMs, state.gcMs - seen.gcMs)
      seen.gcMs = state.gcMs
      ports += state.get('portsExhausted') - seen.portsExhausted
      seen.portsExhausted = state.get('portsExhausted')
      for (let bucket = 0; bucket < seen.lateness.length; bucket++) {
        const added = (state.lateness[bucket]! - seen.lateness[bucket]!) >>> 0
        if (added === 0) continue
        seen.lateness[bucket]! += added
        late.set(bucket, (late.get(bucket) ?? 0) + added)
        starts += added
      }
    }
    const lags = threads.filter((thread) => thread.living).map((thread) => thread.eventLoopLagMs)
    return {
      eventLoopLagMs: Math.max(0, ...lags),
      cpu: (cpu.user + cpu.system) / 1000 / Math.max(1, spanMs),
      gcMs,
      latenessMs: quantile(late, starts, 0.99),
      portsExhausted: ports > 0,
    }
  }

  #seenOf(thread: SessionThread): Seen {
    let seen = this.#seen.get(thread)
    if (seen === undefined) {
      seen = { gcMs: 0, portsExhausted: 0, lateness: new Uint32Array(thread.state.lateness.length) }
      this.#seen.set(thread, seen)
    }
    return seen
  }
}

/** Milliseconds. */
function quantile(buckets: ReadonlyMap<number, number>, count: number, part: number): number {
  let left = Math.ceil(count * part)
  for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) {
    left -= buckets.get(bucket)!
    if (left <= 0) return bucketMiddle(bucket) / 1000
  }
  return 0
}
