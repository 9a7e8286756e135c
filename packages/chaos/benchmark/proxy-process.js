/**
 * One of the proxies that are compared, or a backend of one, as a process of its own. Prints its port, and that of its control.
 *
 * Runs what was built, as users do.
 *
 *     node packages/chaos/benchmark/proxy-process.js WAY HOST:PORT
 */
import { connect, createServer } from 'node:net'
import { ControlServer, Proxies, startProxy } from '../dist/index.js'

const [, , way = 'ours', backend = ''] = process.argv

const ours = {
  ours: {},
  'ours-latency-0': { faults: [{ type: 'latency', attributes: { latency: 0 } }] },
  'ours-http': { protocol: 'http' },
}

const loopback = { host: '127.0.0.1', port: 0, backlog: 4096 }

if (way === 'pipe') {
  const [host, port] = backend.split(':')
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const socket = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true })
    client.pipe(socket).pipe(client)
    client.on('error', () => socket.destroy())
    socket.on('error', () => client.destroy())
  })
  server.listen(loopback, () => console.log(server.address().port))
} else if (way === 'silent' || way === 'flood') {
  const much = Buffer.alloc(64 * 1024 * 1024)
  const server = createServer((client) => {
    client.on('error', () => {}).resume()
    if (way === 'flood') client.write(much)
  })
  server.listen(loopback, () => console.log(server.address().port))
} else if (way === 'ours-controlled') void control()
else void startProxy({ backend, ...ours[way] }).then((proxy) => console.log(proxy.address.port))

async function control() {
  const proxies = new Proxies()
  const server = await ControlServer.start({ proxies, host: '127.0.0.1', port: 0, version: '0' })
  const proxy = await proxies.create({ name: 'one', backend })
  console.log(`${proxy.address.port} ${server.address.port}`)
}
