import type { ChaosEvent } from '../events/event.ts'
import { ControlLink, type ControlLinkOptions } from './control-link.ts'
import { eventsOf } from './event-lines.ts'
import {
  ownKeysOf,
  proxyBodyOf,
  proxyStateOf,
  type ProxyState,
  type RemoteProxyOptions,
} from './proxy-state.ts'
import { RemoteProxy } from './remote-proxy.ts'
import type { ScheduleRemains } from '../schedule/fault-schedule.ts'

/**
 * Drives the proxies of a control server, also one of another make as far as it goes: what that would ignore is an error
 * here. Every call may throw {@link ControlFailure}.
 */
export class ControlClient {
  readonly #link: ControlLink

  /** @param url http://HOST:PORT @throws {ControlFailure} CHAOS_ADDRESS */
  constructor(url: string, options: ControlLinkOptions = {}) {
    this.#link = new ControlLink(url, options)
  }

  get url(): string {
    return this.#link.url
  }

  version(): Promise<string> {
    return this.#link.version()
  }

  async list(): Promise<ProxyState[]> {
    const answer = (await this.#link.call('GET', ['proxies'])) as Record<string, unknown>
    return Object.values(answer).map(proxyStateOf)
  }

  /** A proxy that is there, or will be. */
  proxy(name: string): RemoteProxy {
    return new RemoteProxy(this.#link, name)
  }

  /** @throws {ControlFailure} CHAOS_EXISTS, CHAOS_BIND, CHAOS_ADDRESS, CHAOS_PROTOCOL, and what is wrong with its faults */
  async create(options: RemoteProxyOptions): Promise<RemoteProxy> {
    await this.#needOwn(options)
    await this.#link.call('POST', ['proxies'], proxyBodyOf(options))
    return this.proxy(options.name)
  }

  /**
   * Proxies as a list says; those that are there like that are kept.
   *
   * @throws {ControlFailure} those before the one that is wrong are there, unless the list itself is wrong
   */
  async populate(list: readonly RemoteProxyOptions[]): Promise<RemoteProxy[]> {
    for (const options of list) await this.#needOwn(options)
    await this.#link.call('POST', ['populate'], list.map(proxyBodyOf))
    return list.map(({ name }) => this.proxy(name))
  }

  /** Enables all and removes their faults. */
  async reset(): Promise<void> {
    await this.#link.call('POST', ['reset'])
  }

  /**
   * The last events, and those that follow until the loop is left, the signal says so, or the server closes.
   *
   * @throws {ControlFailure} CHAOS_CONTROL: also when they were read too slowly, and some are lost
   */
  async *events({ proxy = [], type = [], past = true, signal }: EventSelection = {}): AsyncGenerator<
    ChaosEvent,
    void,
    void
  > {
    await this.#link.needOwn('/events')
    const query = new URLSearchParams([
      ...listOf(proxy).map((each): [string, string] => ['proxy', each]),
      ...listOf(type).map((each): [string, string] => ['type', each]),
      ...(past ? [] : [['past', 'false'] as [string, string]]),
    ])
    const left = new AbortController()
    const leave = () => left.abort()
    signal?.addEventListener('abort', leave, { once: true })
    if (signal?.aborted === true) leave()
    try {
      yield* eventsOf(this.#link.stream(['events'], query.toString(), left.signal))
    } catch (error) {
      if (signal?.aborted !== true) throw error
    } finally {
      signal?.removeEventListener('abort', leave)
      leave()
    }
  }

  /** Its schedule begins: the load does. @throws {ControlFailure} CHAOS_NOT_FOUND: it has none that waits for a load */
  async startSchedule(): Promise<void> {
    await this.#link.call('POST', ['schedule'], { start: true })
  }

  /** The load comes to a phase. */
  async schedulePhase(name: string): Promise<void> {
    await this.#link.call('POST', ['schedule'], { phase: name })
  }

  /** Takes back what the schedule did. */
  async stopSchedule(): Promise<ScheduleRemains> {
    return (await this.#link.call('DELETE', ['schedule'])) as ScheduleRemains
  }

  async #needOwn(options: RemoteProxyOptions): Promise<void> {
    const keys = ownKeysOf(options)
    if (keys !== null) await this.#link.needOwn(keys)
  }
}

export interface EventSelection {
  /** Names; by default all. */
  proxy?: string | readonly string[]
  /** By default all. */
  type?: ChaosEvent['type'] | readonly ChaosEvent['type'][]
  /** Also those of before, by default. */
  past?: boolean
  /** Ends it without an error. */
  signal?: AbortSignal
}

function listOf<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === 'string' ? [value] : value
}
