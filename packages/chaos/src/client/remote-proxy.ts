import { faultScope, type FaultScope } from '../proxy/fault-scope.ts'
import type { ProxyCounters } from '../proxy/options.ts'
import type { FaultRequest } from '../rules/rule.ts'
import { ControlFailure } from './control-failure.ts'
import type { ControlLink } from './control-link.ts'
import {
  faultStateOf,
  ownAttributesOf,
  proxyStateOf,
  type FaultState,
  type ProxyState,
} from './proxy-state.ts'

/** A proxy that is elsewhere; it is driven as one of this process. Every call may throw {@link ControlFailure}. */
export class RemoteProxy {
  readonly name: string
  readonly #link: ControlLink

  constructor(link: ControlLink, name: string) {
    this.name = name
    this.#link = link
  }

  /** @throws {ControlFailure} CHAOS_NOT_FOUND */
  async state(): Promise<ProxyState> {
    return proxyStateOf(await this.#call('GET', []))
  }

  async counters(): Promise<ProxyCounters> {
    await this.#needOwn('counters')
    return (await this.#call('GET', ['counters'])) as ProxyCounters
  }

  async enable(): Promise<void> {
    await this.update({ enabled: true })
  }

  /** Closes its listener and its connections. */
  async disable(): Promise<void> {
    await this.update({ enabled: false })
  }

  /** Another address restarts it, which drops its connections. A behavior takes the place of those that it has. */
  async update(changes: {
    listen?: string
    backend?: string
    enabled?: boolean
    behavior?: string
  }): Promise<ProxyState> {
    if (changes.behavior !== undefined) await this.#needOwn('behavior')
    const { backend, ...same } = changes
    const body = { ...same, ...(backend === undefined ? {} : { upstream: backend }) }
    // All servers understand POST.
    return proxyStateOf(await this.#call('POST', [], body))
  }

  async delete(): Promise<void> {
    await this.#call('DELETE', [])
  }

  async faults(): Promise<readonly FaultState[]> {
    return ((await this.#call('GET', ['toxics'])) as unknown[]).map(faultStateOf)
  }

  /** @throws {ControlFailure} CHAOS_EXISTS, CHAOS_ATTRIBUTE, CHAOS_UNKNOWN_FAULT */
  async addFault(request: FaultRequest): Promise<FaultState> {
    await this.#needOwn(ownAttributesOf(request))
    return faultStateOf(await this.#call('POST', ['toxics'], request))
  }

  /** Attributes are merged. @throws {ControlFailure} CHAOS_NOT_FOUND, CHAOS_ATTRIBUTE */
  async updateFault(
    name: string,
    changes: { attributes?: Readonly<Record<string, unknown>>; toxicity?: number },
  ): Promise<FaultState> {
    await this.#needOwn(ownAttributesOf(changes))
    return faultStateOf(await this.#call('POST', ['toxics', name], changes))
  }

  /** @throws {ControlFailure} CHAOS_NOT_FOUND */
  async removeFault(name: string): Promise<void> {
    await this.#call('DELETE', ['toxics', name])
  }

  /** Faults more, until the scope ends. */
  async withFault(faults: FaultRequest | readonly FaultRequest[]): Promise<FaultScope> {
    return this.#scope('withFault', { toxics: Array.isArray(faults) ? faults : [faults] })
  }

  /** This fault alone, until the scope ends; `dummy` is none. */
  async withBehavior(name: string, attributes: Readonly<Record<string, unknown>> = {}): Promise<FaultScope> {
    return this.#scope('withBehavior', { behavior: name, attributes })
  }

  /** Closes its listener and its connections, until the scope ends. */
  async withDown(): Promise<FaultScope> {
    return this.#scope('withDown', { down: true })
  }

  /**
   * The server keeps the scope: there it is one step, and restores what was there, however scopes are nested. It ends with this
   * process at the latest.
   */
  async #scope(what: string, body: object): Promise<FaultScope> {
    await this.#needOwn(what)
    const lease = await this.#link.lease()
    const { id } = (await this.#call('POST', ['scopes'], { ...body, lease: lease.id })) as { id: string }
    return faultScope(() => this.#endScope(id))
  }

  /** @throws {ControlFailure} also when the connection to the server was cut meanwhile: then the faults were not there all the time */
  async #endScope(id: string): Promise<void> {
    try {
      await this.#call('DELETE', ['scopes', id])
    } catch (error) {
      // Gone with its proxy: there is nothing to restore.
      if (!(error instanceof ControlFailure && error.code === 'CHAOS_NOT_FOUND')) throw error
    }
  }

  #call(method: string, rest: readonly string[], body?: unknown): Promise<unknown> {
    return this.#link.call(method, ['proxies', this.name, ...rest], body)
  }

  async #needOwn(what: string | null): Promise<void> {
    if (what !== null) await this.#link.needOwn(what)
  }
}
