import { ChaosError } from '../errors.ts'
import { EventHub } from '../events/event-hub.ts'
import { faultScope, type FaultScope } from '../proxy/fault-scope.ts'
import { parseAddress } from '../proxy/address.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { wayState, type Cut, type CutMode, type CutOptions, type WayState } from './cut.ts'
import { Way } from './way.ts'

export interface PartitionOptions {
  /** HOST:PORT by name; null: only opens connections. */
  endpoints: Readonly<Record<string, string | null>>
  events?: EventHub
  seed?: number
  /** Where ways listen; by default 127.0.0.1. */
  host?: string
}

export interface PartitionState {
  endpoints: Readonly<Record<string, string | null>>
  /** Ways that were asked for. */
  ways: readonly (WayState & { from: string; to: string; listen: string })[]
  cuts: readonly Cut[]
}

/**
 * Named endpoints that reach each other through proxies, one for each ordered pair, and cuts between them. Whoever opens
 * connections as `from` uses `address(from, to)` in place of the address of `to`.
 */
export class PartitionMatrix implements AsyncDisposable {
  readonly events: EventHub
  readonly #options: PartitionOptions
  /** By `from` and `to`; made when they are asked for. */
  readonly #ways = new Map<string, { from: string; to: string; opened: Promise<Way>; way: Way | null }>()
  /** Each is its own: two alike end one after the other. */
  readonly #cuts = new Set<Cut>()
  #isClosed = false

  /** @throws {ChaosError} CHAOS_ADDRESS */
  constructor(options: PartitionOptions) {
    this.#options = options
    this.events = options.events ?? new EventHub()
    for (const address of Object.values(options.endpoints))
      if (address !== null) parseAddress(address, 'backend')
  }

  get endpoints(): readonly string[] {
    return Object.keys(this.#options.endpoints)
  }

  /**
   * Where `from` reaches `to`: HOST:PORT, the same each time.
   *
   * @param listen HOST:PORT, the first time; by default any port
   * @throws {ChaosError} CHAOS_NOT_FOUND, CHAOS_ADDRESS, CHAOS_BIND
   */
  async address(from: string, to: string, listen?: string): Promise<string> {
    return (await this.#way(from, to, listen)).proxy.listen
  }

  /** The proxy of a way: further faults for those who go it. @throws {ChaosError} as `address` */
  async proxy(from: string, to: string): Promise<Proxy> {
    return (await this.#way(from, to)).proxy
  }

  /**
   * Until the scope ends, or all is healed.
   *
   * @throws {ChaosError} CHAOS_NOT_FOUND
   */
  async cut(from: string, to: string, options: CutOptions = {}): Promise<FaultScope> {
    const { mode = 'blackhole', oneWay = false } = options
    return this.#add([{ from, to, mode, oneWay }])
  }

  /** Cuts an endpoint from all others. @throws {ChaosError} CHAOS_NOT_FOUND */
  async isolate(name: string, { mode = 'blackhole' }: { mode?: CutMode } = {}): Promise<FaultScope> {
    this.#check(name)
    const others = this.endpoints.filter((each) => each !== name)
    return this.#add(others.map((to) => ({ from: name, to, mode, oneWay: false })))
  }

  /**
   * Groups that do not reach each other; endpoints of no group reach all.
   *
   * @throws {ChaosError} CHAOS_NOT_FOUND
   */
  async partition(
    groups: readonly (readonly string[])[],
    { mode = 'blackhole' }: { mode?: CutMode } = {},
  ): Promise<FaultScope> {
    const cuts = groups.flatMap((group, at) =>
      group.flatMap((from) =>
        groups.slice(at + 1).flatMap((others) => others.map((to) => ({ from, to, mode, oneWay: false }))),
      ),
    )
    return this.#add(cuts)
  }

  /** Ends all cuts. Connections that have lost bytes are closed. @throws {ChaosError} CHAOS_BIND */
  async heal(): Promise<void> {
    this.#cuts.clear()
    await this.#apply()
  }

  state(): PartitionState {
    return {
      endpoints: this.#options.endpoints,
      ways: [...this.#ways.values()].flatMap(({ from, to, way }) =>
        way === null ? [] : [{ from, to, listen: way.proxy.listen, ...way.state }],
      ),
      cuts: [...this.#cuts],
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const opened = await Promise.allSettled([...this.#ways.values()].map((each) => each.opened))
    await Promise.all(opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value.close()] : [])))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #add(cuts: readonly Cut[]): Promise<FaultScope> {
    for (const { from, to } of cuts) {
      this.#check(from)
      this.#check(to)
      if (from === to) throw new ChaosError('CHAOS_ADDRESS', `${from} cannot be cut from itself`)
    }
    for (const cut of cuts) this.#cuts.add(cut)
    const end = async (): Promise<void> => {
      for (const cut of cuts) this.#cuts.delete(cut)
      await this.#apply()
    }
    try {
      await this.#apply()
    } catch (error) {
      // Nobody gets a scope to end it.
      await end()
      throw error
    }
    return faultScope(end)
  }

  /** All ways are tried, whatever happens at one. */
  async #apply(): Promise<void> {
    const done = await Promise.allSettled(
      [...this.#ways.values()].flatMap(({ from, to, way }) =>
        way === null ? [] : [way.become(wayState(from, to, this.#cuts))],
      ),
    )
    const failed = done.find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  #way(from: string, to: string, listen?: string): Promise<Way> {
    // A key of two names cannot be mistaken for one of two others.
    const key = JSON.stringify([from, to])
    const known = this.#ways.get(key)
    if (known !== undefined) return known.opened
    const opened = this.#open(key, from, to, listen)
    this.#ways.set(key, { from, to, opened, way: null })
    // What failed may be tried again.
    opened.catch(() => this.#ways.delete(key))
    return opened
  }

  async #open(key: string, from: string, to: string, listen?: string): Promise<Way> {
    if (this.#isClosed) throw new ChaosError('CHAOS_STATE', 'the partitions are closed: make others')
    this.#check(from)
    this.#check(to)
    const backend = this.#options.endpoints[to]
    if (from === to) throw new ChaosError('CHAOS_ADDRESS', `there is no way from ${from} to itself`)
    if (backend === null || backend === undefined)
      throw new ChaosError('CHAOS_ADDRESS', `${to} has no address: give it one to open connections to it`)
    const { seed, host = '127.0.0.1' } = this.#options
    const bind = listen ?? `${host.includes(':') ? `[${host}]` : host}:0`
    const way = await Way.open({ name: `${from}->${to}`, listen: bind, backend, seed }, this.events)
    await way.become(wayState(from, to, this.#cuts))
    this.#ways.get(key)!.way = way
    // Cut, or healed, meanwhile.
    await way.become(wayState(from, to, this.#cuts))
    return way
  }

  #check(name: string): void {
    if (Object.hasOwn(this.#options.endpoints, name)) return
    throw new ChaosError(
      'CHAOS_NOT_FOUND',
      `there is no endpoint ${name}; there are ${this.endpoints.join(', ') || 'none'}`,
    )
  }
}
