import assert from 'node:assert/strict'
import { EventHub } from '../../src/events/event-hub.ts'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { freePort } from '../support/free-port.ts'
import { TcpTalk } from '../support/talk.ts'

/** Samples of a page: name with labels, and value. */
function samplesOf(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

describe('metrics of proxies', () => {
  it('#18 #34 exact bytes with their four labels, while the connection goes on', async () => {
    await using echo = await EchoServer.start()
    await using control = await Control.start()
    const proxy = await control.proxies.create({ name: 'a"b', backend: echo.address })
    await using talk = await TcpTalk.to(proxy.listen)
    await talk.echo('hello')
    const page = await control.call('GET', '/metrics')
    assert.equal(page.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    const samples = samplesOf(page.text)
    for (const direction of ['upstream', 'downstream']) {
      const labels = `{direction="${direction}",proxy="a\\"b",listener="${proxy.listen}",upstream="${echo.address}"}`
      assert.equal(samples.get(`toxiproxy_proxy_received_bytes_total${labels}`), 5)
      assert.equal(samples.get(`toxiproxy_proxy_sent_bytes_total${labels}`), 5)
    }
    const of = 'proxy="a\\"b"'
    assert.equal(samples.get(`loads_proxy_connections_open{${of}}`), 1)
    assert.equal(samples.get(`loads_proxy_accepted_total{${of}}`), 1)
    assert.equal(samples.get(`loads_proxy_dial_errors_total{${of}}`), 0)
    assert.equal(samples.get(`loads_proxy_held_bytes{${of}}`), 0)

    proxy.addFault({ type: 'latency', attributes: { latency: 1 } })
    await talk.echo('again')
    const later = samplesOf((await control.call('GET', '/metrics')).text)
    assert.equal(later.get(`loads_proxy_faults_total{${of},fault="latency"}`), 1)
    // What is gone is shown no longer.
    await control.proxies.delete(proxy.name)
    assert.equal(samplesOf((await control.call('GET', '/metrics')).text).size, 0)
  })

  it('counts backends that cannot be reached', async () => {
    await using control = await Control.start()
    const proxy = await control.proxies.create({ name: 'p', backend: `127.0.0.1:${await freePort()}` })
    await using talk = await TcpTalk.to(proxy.listen)
    await talk.ended()
    const samples = samplesOf((await control.call('GET', '/metrics')).text)
    assert.equal(samples.get('loads_proxy_dial_errors_total{proxy="p"}'), 1)
  })

  it('a listener that throws is told no more', () => {
    const hub = new EventHub()
    let told = 0
    hub.listen(() => {
      told++
      throw new Error('mine')
    })
    for (let at = 0; at < 2; at++) hub.tell({ type: 'opaque', at, proxy: 'p', connection: 1, reason: 'none' })
    assert.equal(told, 1)
  })
})
