import type { FaultEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import { startProxy, type Proxy } from '../../src/proxy/proxy.ts'
import type { FaultRequest } from '../../src/rules/rule.ts'
import { Peer } from './peer.ts'
import { TcpBackend } from './tcp-backend.ts'

/** A proxy of protocol tcp, its backend, and the faults that it told. */
export class Proxied implements AsyncDisposable {
  readonly proxy: Proxy
  readonly backend: TcpBackend
  readonly faults: FaultEvent[] = []
  readonly #clients: Peer[] = []

  private constructor(proxy: Proxy, backend: TcpBackend) {
    this.proxy = proxy
    this.backend = backend
  }

  static async start(
    backend: TcpBackend,
    faults: readonly FaultRequest[] = [],
    options: { seed?: number; maxHeldBytes?: number } = {},
  ): Promise<Proxied> {
    const events = new EventHub()
    const proxy = await startProxy({ seed: 1, ...options, backend: backend.address, faults }, events)
    const proxied = new Proxied(proxy, backend)
    events.listen((event) => {
      if (event.type === 'fault') proxied.faults.push(event)
    })
    return proxied
  }

  static async echo(faults: readonly FaultRequest[] = []): Promise<Proxied> {
    return Proxied.start(await TcpBackend.echo(), faults)
  }

  async connect(): Promise<Peer> {
    const client = await Peer.connect(this.proxy.address)
    this.#clients.push(client)
    return client
  }

  /** Both ends of a new connection. */
  async pair(): Promise<{ client: Peer; server: Peer }> {
    const client = await this.connect()
    return { client, server: await this.backend.next() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.socket.destroy()
    await this.proxy.close()
    await this.backend[Symbol.asyncDispose]()
  }
}
