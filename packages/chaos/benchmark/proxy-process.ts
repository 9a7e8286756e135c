/**
 * One of the proxies that are compared, as a process of its own. Prints its port.
 *
 *     node --import tsx packages/chaos/benchmark/proxy-process.ts WAY HOST:PORT
 */
import { connect, createServer, type AddressInfo } from 'node:net'
import { startProxy, type ProxyOptions } from '../src/index.ts'

const [, , way = 'ours', backend = ''] = process.argv

const ours: Readonly<Record<string, Partial<ProxyOptions>>> = {
  ours: {},
  'ours-latency-0': { faults: [{ type: 'latency', attributes: { latency: 0 } }] },
  'ours-http': { protocol: 'http' },
}

if (way === 'pipe') {
  const [host, port] = backend.split(':')
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const socket = connect({ host: host!, port: Number(port), noDelay: true, allowHalfOpen: true })
    client.pipe(socket).pipe(client)
    client.on('error', () => socket.destroy())
    socket.on('error', () => client.destroy())
  })
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
    console.log((server.address() as AddressInfo).port),
  )
} else {
  void startProxy({ backend, ...ours[way] }).then((proxy) => console.log(proxy.address.port))
}
