import { Counter, Gauge, Registry } from 'prom-client'
import { directions } from '../direction.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'

type Add = (labels: Record<string, string>, value: number) => void

/**
 * Figures of proxies as they stand, for Prometheus: also of connections that go on. The first two are Toxiproxy's. Labels are
 * names of proxies, their addresses and types of faults: nothing that traffic makes up.
 */
export function metricsOf(proxies: Proxies): Registry {
  const registry = new Registry()
  const figure = (
    kind: typeof Counter | typeof Gauge,
    name: string,
    help: string,
    labelNames: readonly string[],
    of: (proxy: Proxy, add: Add) => void,
  ) => {
    new kind({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        // The proxies count; here is only shown what they have counted, those alone that are there.
        this.reset()
        for (const proxy of proxies.all()) of(proxy, (labels, value) => this.inc(labels, value))
      },
    })
  }
  const bytes = (name: string, help: string, which: 'received' | 'sent') =>
    figure(Counter, name, help, ['direction', 'proxy', 'listener', 'upstream'], (proxy, add) => {
      const counted = proxy.counters()[which]
      for (const direction of directions)
        add(
          { direction, proxy: proxy.name, listener: proxy.listen, upstream: proxy.backend },
          counted[direction],
        )
    })
  bytes(
    'toxiproxy_proxy_received_bytes_total',
    'Bytes read, from clients upstream, from the backend downstream',
    'received',
  )
  bytes(
    'toxiproxy_proxy_sent_bytes_total',
    'Bytes sent, to the backend upstream, to clients downstream',
    'sent',
  )
  figure(Gauge, 'loads_proxy_connections_open', 'Connections that are open', ['proxy'], (proxy, add) =>
    add({ proxy: proxy.name }, proxy.counters().open),
  )
  figure(Counter, 'loads_proxy_accepted_total', 'Connections that were accepted', ['proxy'], (proxy, add) =>
    add({ proxy: proxy.name }, proxy.counters().accepted),
  )
  figure(
    Counter,
    'loads_proxy_dial_errors_total',
    'Connections whose backend could not be reached',
    ['proxy'],
    (proxy, add) => add({ proxy: proxy.name }, proxy.counters().dialErrors),
  )
  figure(
    Counter,
    'loads_proxy_faults_total',
    'Faults that were injected, by type',
    ['proxy', 'fault'],
    (proxy, add) => {
      for (const [fault, count] of Object.entries(proxy.counters().faults))
        add({ proxy: proxy.name, fault }, count)
    },
  )
  figure(Gauge, 'loads_proxy_held_bytes', 'Bytes that are held back now', ['proxy'], (proxy, add) =>
    add({ proxy: proxy.name }, proxy.counters().held),
  )
  return registry
}
