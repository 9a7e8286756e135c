import { randomInt } from 'node:crypto'
import { ChaosError } from '../errors.ts'
import { EventHub } from '../events/event-hub.ts'
import type { ProxyOptions } from './options.ts'
import { startProxy, type Proxy } from './proxy.ts'

/** Proxies by name. */
export class Proxies implements AsyncDisposable {
  readonly events: EventHub
  readonly #seed: number
  readonly #proxies = new Map<string, Proxy>()
  /** Names of those that are being started. */
  readonly #coming = new Set<string>()
  #isClosed = false

  /** @param options.seed of those without one of their own; by default a random one, told in events */
  constructor({ seed, events }: { seed?: number | undefined; events?: EventHub | undefined } = {}) {
    this.#seed = seed ?? randomInt(2 ** 31)
    this.events = events ?? new EventHub()
  }

  /** In order of creation. */
  all(): readonly Proxy[] {
    return [...this.#proxies.values()]
  }

  /** @throws {ChaosError} CHAOS_NOT_FOUND */
  get(name: string): Proxy {
    const proxy = this.#proxies.get(name)
    if (proxy === undefined) {
      const known = [...this.#proxies.keys()].join(', ') || 'none'
      throw new ChaosError('CHAOS_NOT_FOUND', `there is no proxy ${name}; there are: ${known}`)
    }
    return proxy
  }

  /** @throws {ChaosError} CHAOS_EXISTS, and what `startProxy` throws; the name is free then */
  async create(options: ProxyOptions & { name: string }): Promise<Proxy> {
    const { name } = options
    if (this.#proxies.has(name) || this.#coming.has(name))
      throw new ChaosError('CHAOS_EXISTS', `there is a proxy ${name} already; give this one another name`)
    this.#coming.add(name)
    try {
      const proxy = await startProxy({ seed: this.#seed, ...options }, this.events)
      if (this.#isClosed) {
        await proxy.close()
        throw new ChaosError('CHAOS_STATE', `${name} came too late: all proxies were closed`)
      }
      this.#proxies.set(name, proxy)
      return proxy
    } finally {
      this.#coming.delete(name)
    }
  }

  /** @throws {ChaosError} CHAOS_NOT_FOUND */
  async delete(name: string): Promise<void> {
    const proxy = this.get(name)
    this.#proxies.delete(name)
    await proxy.close()
  }

  /**
   * Enables all and removes their faults.
   *
   * @throws {ChaosError} CHAOS_BIND, after it was done to the others
   */
  async reset(): Promise<void> {
    const proxies = this.all()
    for (const proxy of proxies) proxy.rules.clear()
    const results = await Promise.allSettled(proxies.map((proxy) => proxy.enable()))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const proxies = this.all()
    this.#proxies.clear()
    await Promise.all(proxies.map((proxy) => proxy.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
