import type { ConnectionOptions } from 'node:tls'
import type { ChaosEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'
import type { FaultRequest } from '../../src/rules/rule.ts'
import { TcpBackend } from './tcp-backend.ts'

/** A proxy that terminates TLS in front of a plain backend, and what it told. */
export class Secured implements AsyncDisposable {
  readonly proxy: Proxy
  readonly backend: TcpBackend
  readonly events: ChaosEvent[]

  private constructor(proxy: Proxy, backend: TcpBackend, events: ChaosEvent[]) {
    this.proxy = proxy
    this.backend = backend
    this.events = events
  }

  static async start(
    backend: TcpBackend,
    faults: readonly FaultRequest[] = [],
    options: Partial<ProxyOptions> = {},
  ): Promise<Secured> {
    const events = new EventHub()
    const told: ChaosEvent[] = []
    events.listen((event) => told.push(event))
    const proxy = await startProxy(
      { listen: 'tls://127.0.0.1:0', backend: backend.address, seed: 1, faults, ...options },
      events,
    )
    return new Secured(proxy, backend, told)
  }

  static async echo(
    faults: readonly FaultRequest[] = [],
    options: Partial<ProxyOptions> = {},
  ): Promise<Secured> {
    return Secured.start(await TcpBackend.echo(), faults, options)
  }

  /** What a client needs to trust the proxy. */
  get trust(): ConnectionOptions {
    const ca = this.proxy.authority
    return { ...this.proxy.address, ...(ca === null ? {} : { ca }) }
  }

  of<T extends ChaosEvent['type']>(type: T): Extract<ChaosEvent, { type: T }>[] {
    return this.events.filter((event) => event.type === type) as Extract<ChaosEvent, { type: T }>[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close()
    await this.backend[Symbol.asyncDispose]()
  }
}
