import assert from 'node:assert/strict'
import type { CloseEvent } from '../../src/events/event.ts'
import { knownFaults } from '../../src/faults/registry.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import { Peer } from '../support/peer.ts'
import { TcpBackend } from '../support/tcp-backend.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

interface Case {
  attributes?: Readonly<Record<string, unknown>>
  protocol?: string
  /** The fault ends the connection. */
  closes?: true
  unit?: 'request'
}

const request = 'GET /it HTTP/1.1\r\nHost: x\r\n\r\n'
const reply = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const http = { protocol: 'http', unit: 'request' } as const

/** Each with what makes it felt by one request. */
const cases: Readonly<Record<string, Case>> = {
  latency: { attributes: { latency: 5 } },
  bandwidth: { attributes: { rate: 100 } },
  slow_close: { attributes: { delay: 5 } },
  timeout: { attributes: { timeout: 20 }, closes: true },
  reset_peer: { closes: true },
  sever: { closes: true },
  slicer: { attributes: { average_size: 5 } },
  limit_data: { attributes: { bytes: 10 }, closes: true },
  limit_time: { attributes: { time: 20 }, closes: true },
  corrupt: { attributes: { offset: 0 } },
  loss: { attributes: { rate: 1, rto: 1 } },
  blackhole: {},
  connect_delay: { attributes: { delay: 5 } },
  refuse: { closes: true },
  ignore: {},
  noop: {},
  delay: { ...http, attributes: { sleep: 0.005 } },
  hang: http,
  blackout: { ...http, closes: true },
  transient: http,
  abort: { ...http, closes: true },
  http_error: http,
}
/** They need another protocol, or do nothing. */
const elsewhere = /^(tls|redis|memcache|mysql|postgres|smtp|tcp)_|^dummy$/

describe('the events of a fault', () => {
  const known = knownFaults().map(({ type }) => type)

  it('are asked for here of every type', () => {
    assert.deepEqual(known.filter((type) => !elsewhere.test(type)).sort(), Object.keys(cases).sort())
  })

  for (const [type, { attributes = {}, protocol = 'tcp', closes, unit = 'connection' }] of Object.entries(
    cases,
  ))
    it(`#34 ${type} has exactly one, with its rule, and what it closes says so`, async () => {
      await using backend = await TcpBackend.start((peer) => {
        peer.socket.once('data', () => peer.write(reply))
        peer.socket.once('end', () => peer.end())
      })
      const fault = { type, name: 'mine', attributes }
      const options: ProxyOptions = { backend: backend.address, protocol, faults: [fault] }
      await using watched = await WatchedProxy.start(options)
      const until = async (isSo: () => boolean): Promise<void> => {
        while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const closed = (): CloseEvent | undefined => watched.events.find((event) => event.type === 'close')
      const client = await Peer.connect(watched.proxy.address)
      client.socket.once('end', () => client.end())
      client.write(request)
      if (closes !== true) {
        // It is told when it works, not when it is over; only this one works at the end.
        if (type === 'slow_close') client.end()
        await until(() => watched.faults.length > 0)
        client.socket.resetAndDestroy()
      }
      await until(() => closed() !== undefined)
      assert.deepEqual(
        watched.faults.map(({ rule, fault, connection, ordinal, unit: told }) => [
          rule,
          fault,
          connection,
          ordinal,
          told,
        ]),
        [['mine', type, 1, 1, unit]],
      )
      const { cause, detail } = closed()!
      if (closes === true) assert.deepEqual([cause, detail], ['fault', 'mine'])
      assert.ok(watched.events.indexOf(watched.faults[0]!) < watched.events.indexOf(closed()!))
      assert.deepEqual(watched.proxy.counters().faults, { [watched.faults[0]!.fault]: 1 })
    })
})
