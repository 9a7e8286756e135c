import type { ChaosEvent, FaultEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'
import type { FaultRequest } from '../../src/rules/rule.ts'

/** A proxy and all that it told. */
export class WatchedProxy implements AsyncDisposable {
  readonly proxy: Proxy
  readonly events: ChaosEvent[] = []

  private constructor(proxy: Proxy, hub: EventHub) {
    this.proxy = proxy
    hub.listen((event) => this.events.push(event))
  }

  static async start(options: ProxyOptions): Promise<WatchedProxy> {
    const hub = new EventHub()
    return new WatchedProxy(await startProxy({ seed: 1, ...options }, hub), hub)
  }

  get port(): number {
    return this.proxy.address.port
  }

  get faults(): FaultEvent[] {
    return this.events.filter((event) => event.type === 'fault')
  }

  /** These rules and no others, for the requests of from now on. */
  set(...faults: readonly FaultRequest[]): void {
    this.proxy.rules.replace(faults)
    this.events.length = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close()
  }
}
