import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import { ChaosError } from '../errors.ts'
import type { ChangeEvent } from '../events/event.ts'
import { EventHub } from '../events/event-hub.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { findProtocol } from '../protocols/registry.ts'
import { faultsOf, parseBehaviors, type BehaviorAttributes } from '../rules/behaviors.ts'
import { Decider } from '../rules/decider.ts'
import { RuleSet, type RuleChange } from '../rules/rule-set.ts'
import type { FaultRequest, Rule } from '../rules/rule.ts'
import { findFault } from '../faults/registry.ts'
import { openTransport } from '../tls/open-transport.ts'
import { isBoundTo, parseAddress, showAddress, type Address } from './address.ts'
import { Connections } from './connections.ts'
import { DownScopes } from './down-scopes.ts'
import { faultScope, type FaultScope } from './fault-scope.ts'
import { FaultScopes } from './fault-scopes.ts'
import { Listener } from './listener.ts'
import { Mirror } from './mirror.ts'
import type { ProxyCounters, ProxyOptions } from './options.ts'

/** What a proxy is made of, checked. */
interface Made {
  protocol: Protocol
  seed: number
  listen: Address
}

/**
 * Starts a proxy: it listens when this resolves, unless `enabled` is false.
 *
 * @throws {ChaosError} CHAOS_ADDRESS, CHAOS_BIND, CHAOS_PROTOCOL, CHAOS_CERTIFICATE, CHAOS_ATTRIBUTE, and what rules throw
 */
export async function startProxy(options: ProxyOptions, events: EventHub = new EventHub()): Promise<Proxy> {
  const { seed = randomInt(2 ** 31), dialTimeoutMs = 30_000, halfClosedTimeoutMs = 1, maxHeldBytes } = options
  checkNumber('seed', seed, 0)
  checkNumber('dialTimeoutMs', dialTimeoutMs, 1)
  checkNumber('halfClosedTimeoutMs', halfClosedTimeoutMs, 1)
  if (maxHeldBytes !== undefined) checkNumber('maxHeldBytes', maxHeldBytes, 1)
  const protocol = findProtocol(options.protocol ?? 'tcp')
  const listen = parseAddress(options.listen || '127.0.0.1:0', 'listen')
  const proxy = new Proxy(options, { protocol, seed, listen }, events)
  await proxy.connections.aim(options.backend)
  if (options.enabled !== false) await proxy.enable()
  return proxy
}

/** One listener, one backend, and the faults between them. */
export class Proxy implements AsyncDisposable {
  readonly name: string
  readonly protocol: Protocol
  readonly seed: number
  readonly rules: RuleSet
  readonly events: EventHub
  /** Attributes by name of behavior, as it was started with: those of behaviors that are set later, too. */
  readonly behaviors: Readonly<Record<string, BehaviorAttributes>>
  /** What goes on behind the listener; not for users. */
  readonly connections: Connections
  readonly #scopes: FaultScopes
  readonly #downs = new DownScopes({
    isEnabled: () => this.#isEnabled,
    enable: () => this.#enable(),
    disable: async () => this.#disable('disabled'),
  })
  readonly #mirrors: boolean
  #listen: Address
  #listener: Listener | null = null
  #mirror: Mirror | null = null
  #isEnabled = false
  #isClosed = false
  /** Changes come one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  /** Use `startProxy`. */
  constructor(options: ProxyOptions, { protocol, seed, listen }: Made, events: EventHub) {
    this.name = options.name ?? 'proxy'
    this.protocol = protocol
    this.seed = seed
    this.events = events
    this.behaviors = options.behaviors ?? {}
    this.#listen = listen
    this.#mirrors = options.mirrorUpstream ?? false
    this.rules = new RuleSet(
      protocol,
      (changes) => this.#rulesChanged(changes),
      () => listen.tls,
    )
    this.#scopes = new FaultScopes(this.rules)
    this.connections = new Connections({
      name: this.name,
      protocol,
      decider: new Decider(seed, this.name, options.recorded ?? null),
      events,
      rules: this.rules,
      maxHeldBytes: options.maxHeldBytes ?? null,
      dialTimeoutMs: options.dialTimeoutMs ?? 30_000,
      halfClosedMs: options.halfClosedTimeoutMs ?? 300_000,
      openTransport: (backend) =>
        openTransport({
          terminates: listen.tls,
          originates: backend.tls,
          backendHost: backend.host,
          protocol,
          tls: options.tls,
          dialTimeoutMs: options.dialTimeoutMs ?? 30_000,
        }),
      dialled: (isReached) => this.#mirror?.learn(isReached),
    })
    this.rules.add(...faultsOf(options))
  }

  /** HOST:PORT as it is bound; as given before. */
  get listen(): string {
    return showAddress(this.#listen)
  }

  /** As given. */
  get backend(): string {
    return this.connections.backend
  }

  get enabled(): boolean {
    return this.#isEnabled
  }

  /** Where it listens. @throws {ChaosError} CHAOS_STATE when it does not */
  get address(): { host: string; port: number } {
    if (!this.#isEnabled) throw new ChaosError('CHAOS_STATE', `${this.name} does not listen; enable it`)
    const { host, port } = this.#listen
    return { host, port }
  }

  /** PEM of the throw-away authority that clients are to trust; null: there is none, or the certificate is the user's own. */
  get authority(): string | null {
    return this.connections.authority
  }

  /** Twice is harmless. @throws {ChaosError} CHAOS_BIND; CHAOS_STATE after `close` */
  async enable(): Promise<void> {
    await this.#inTurn(() => this.#enable())
    await this.#mirror?.answered
  }

  /** Closes the listener and all connections. Twice is harmless. */
  disable(): Promise<void> {
    return this.#inTurn(async () => this.#disable('disabled'))
  }

  /**
   * Another address restarts it, which drops its connections; the same does not. What is wrong with any change is told before
   * one is made; where it cannot listen at the new address, it goes back to the old one.
   *
   * @throws {ChaosError} CHAOS_ADDRESS, CHAOS_BIND, CHAOS_CERTIFICATE
   */
  async update(changes: {
    listen?: string | undefined
    backend?: string | undefined
    enabled?: boolean | undefined
  }): Promise<void> {
    await this.#inTurn(() => this.#update(changes))
    await this.#mirror?.answered
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      this.#isClosed = true
      this.#disable('deleted')
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  counters(): ProxyCounters {
    return this.connections.counters()
  }

  /** @throws {ChaosError} what RuleSet.add throws */
  addFault(request: FaultRequest): Rule {
    return this.rules.add(request)[0]!
  }

  /** @throws {ChaosError} what RuleSet.update throws */
  updateFault(
    name: string,
    changes: { attributes?: Readonly<Record<string, unknown>>; toxicity?: number },
  ): Rule {
    return this.rules.update(name, changes)
  }

  /** @throws {ChaosError} CHAOS_NOT_FOUND */
  removeFault(name: string): void {
    this.rules.remove(name)
  }

  /** Faults more, until the scope ends. */
  async withFault(faults: FaultRequest | readonly FaultRequest[]): Promise<FaultScope> {
    return this.#scopes.add(
      Array.isArray(faults) ? (faults as readonly FaultRequest[]) : [faults as FaultRequest],
    )
  }

  /**
   * In place of the behaviors that the proxy has, until the scope ends: one name, or as in `20:delay,5:error`; `dummy` is none.
   * `rate`, where the fault has no such attribute, is the share of units that are hit.
   */
  async withBehavior(name: string, attributes: BehaviorAttributes = {}): Promise<FaultScope> {
    return this.#scopes.behave(this.#behaviorOf(name, attributes))
  }

  /** The same without an end: until the next one. @throws {ChaosError} what RuleSet.add throws; then nothing has changed */
  setBehavior(name: string, attributes: BehaviorAttributes = {}): void {
    this.#scopes.setBehavior(this.#behaviorOf(name, attributes))
  }

  /** Does not listen, and has no connections, until the scope ends. @throws {ChaosError} its end: CHAOS_BIND */
  async withDown(): Promise<FaultScope> {
    const scope = await this.#inTurn(() => this.#downs.begin())
    return faultScope(() => this.#inTurn(() => scope.end()))
  }

  #behaviorOf(name: string, attributes: BehaviorAttributes): FaultRequest[] {
    const { rate, ...others } = attributes
    const isShare = rate !== undefined && !name.includes(':') && this.#takesNoRate(name)
    const own = isShare ? others : attributes
    const percent = Number(rate) * 100
    if (isShare && !(percent >= 0 && percent <= 100))
      throw new ChaosError(
        'CHAOS_ATTRIBUTE',
        `rate of ${name} must be a share from 0 to 1, not ${JSON.stringify(rate)}`,
      )
    const text = isShare ? `${percent.toFixed(9)}:${name}` : name
    return parseBehaviors(text, (each) => ({ ...this.behaviors[each], ...own }))
  }

  #takesNoRate(name: string): boolean {
    return name === 'dummy' || !Object.hasOwn(findFault(name, this.protocol).attributes, 'rate')
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#last.then(change, change)
    this.#last = done.catch(() => {})
    return done
  }

  async #enable(): Promise<void> {
    if (this.#isClosed) throw new ChaosError('CHAOS_STATE', `${this.name} was closed; start another proxy`)
    if (this.#isEnabled) return
    await this.#bind(this.#listen)
    this.#isEnabled = true
    if (this.#mirrors) this.#watch()
    this.#tell('enabled')
  }

  async #bind(address: Address): Promise<void> {
    this.#listener = await Listener.open(address, (socket: Socket) => this.connections.accept(socket))
    this.#listen = { ...this.#listener.address, tls: address.tls }
    const { listen, backend, seed } = this
    const protocol = this.protocol.name
    this.events.tell({ type: 'listen', at: Date.now(), proxy: this.name, listen, backend, protocol, seed })
  }

  #disable(what: 'disabled' | 'deleted'): void {
    this.#mirror?.stop()
    this.#mirror = null
    this.#listener?.close()
    this.#listener = null
    this.connections.destroy()
    const wasEnabled = this.#isEnabled
    this.#isEnabled = false
    if (wasEnabled || what === 'deleted') this.#tell(what)
  }

  async #update({
    listen,
    backend,
    enabled = this.#isEnabled,
  }: {
    listen?: string | undefined
    backend?: string | undefined
    enabled?: boolean | undefined
  }): Promise<void> {
    const wanted = listen === undefined || listen === '' ? null : parseAddress(listen, 'listen')
    if (wanted?.tls === true && !this.#listen.tls)
      throw new ChaosError(
        'CHAOS_ADDRESS',
        `${this.name} was started without TLS for its clients: make another proxy that listens on ${listen}`,
      )
    const before = { listen: this.#listen, backend: this.backend, isEnabled: this.#isEnabled }
    const isElsewhere = wanted !== null && !(await isBoundTo(wanted, this.#listen))
    const isOther = backend !== undefined && backend !== this.backend
    if (isOther) await this.connections.aim(backend)
    if (isElsewhere || isOther) {
      // Also what stands in front of it: the port stays the same, unless another was asked for.
      this.#disable('disabled')
      if (isElsewhere) this.#listen = { ...wanted, tls: this.#listen.tls }
      if (before.isEnabled || enabled) this.#tell('moved')
    }
    if (!enabled) this.#disable('disabled')
    else if (isElsewhere || isOther) await this.#enableOr(before)
    else await this.#enable()
  }

  /** Where it cannot listen, it goes back to where it was. */
  async #enableOr(before: { listen: Address; backend: string; isEnabled: boolean }): Promise<void> {
    try {
      await this.#enable()
    } catch (error) {
      this.#listen = before.listen
      await this.connections.aim(before.backend)
      this.#tell('moved')
      if (before.isEnabled) await this.#enable()
      throw error
    }
  }

  /** While the backend cannot be reached nobody listens. */
  #watch(): void {
    const mirror = new Mirror(this.connections.target, (isUp) => {
      if (!isUp) {
        this.#listener?.close()
        this.#listener = null
        return
      }
      void this.#inTurn(async () => {
        if (this.#mirror !== mirror || this.#listener !== null) return
        // Who has taken the port in between has it; the next answer tries again.
        await this.#bind(this.#listen).catch(() => mirror.learn(false))
      })
    })
    this.#mirror = mirror
    mirror.start()
  }

  #rulesChanged(changes: readonly RuleChange[]): void {
    this.connections.rulesChanged(changes, this.events.isTelling)
    if (!this.events.isHeard) return
    for (const { what, rule } of changes) {
      const { name, type, stream, toxicity, shown: attributes } = rule
      this.#tell(what, { name, type, stream, toxicity, attributes })
    }
  }

  #tell(what: ChangeEvent['what'], rule?: ChangeEvent['rule']): void {
    this.events.tell({
      type: 'change',
      at: Date.now(),
      proxy: this.name,
      what,
      ...(rule === undefined ? {} : { rule }),
    })
  }
}

function checkNumber(name: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min)
    throw new ChaosError(
      'CHAOS_ATTRIBUTE',
      `${name} must be a whole number from ${min}, not ${String(value)}`,
    )
}
