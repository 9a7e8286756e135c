import assert from 'node:assert/strict'
import { Agent, request } from 'undici'
import type { ChaosEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { Certificates } from '../support/certificates.ts'
import { Nginx } from '../support/nginx.ts'

const page = (listen: string): string =>
  `listen 127.0.0.1:$PORT ${listen}; location / { return 200 "$ssl_server_name|$ssl_client_s_dn|$http_host"; }`

describe('HTTP through a proxy that speaks TLS', () => {
  it('#36 a proxy that terminates TLS answers 503 for some, and the rest comes from the backend', async function () {
    await using nginx = await Nginx.start(this, page(''))
    const told: ChaosEvent[] = []
    const events = new EventHub()
    events.listen((event) => told.push(event))
    await using proxy = await startProxy(
      { listen: 'tls://127.0.0.1:0', backend: nginx.address, protocol: 'http', seed: 7 },
      events,
    )
    proxy.addFault({ type: 'error', name: 'busy', toxicity: 0.4, attributes: { statuses: '503' } })
    const agent = new Agent({ connect: { ca: proxy.authority! } })
    const seen: number[] = []
    for (let i = 0; i < 60; i++) {
      const answer = await request(`https://127.0.0.1:${proxy.address.port}/`, { dispatcher: agent })
      const text = await answer.body.text()
      seen.push(answer.statusCode)
      if (answer.statusCode === 200) assert.equal(text, `||127.0.0.1:${proxy.address.port}`)
    }
    await agent.close()
    assert.deepEqual(new Set(seen), new Set([200, 503]))
    const faults = told.filter(({ type }) => type === 'fault')
    assert.equal(faults.length, seen.filter((status) => status === 503).length)
    assert.ok(told.every(({ type }) => type !== 'opaque'))
    assert.equal(proxy.counters().requests, 60)
  })

  it('speaks TLS on both sides: the name of the client and the certificate for the backend get there', async function () {
    await using certificates = await Certificates.make()
    const server = await certificates.sign('web', 'DNS:shop.test')
    const client = await certificates.sign('the-proxy', 'DNS:client')
    await using nginx = await Nginx.start(
      this,
      `${page('ssl')} ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};
       ssl_client_certificate ${certificates.ca}; ssl_verify_client on;`,
    )
    await using proxy = await startProxy({
      listen: 'tls://127.0.0.1:0',
      backend: `tls://${nginx.address}`,
      protocol: 'http',
      tls: { ca: certificates.ca, clientCert: client.cert, clientKey: client.key },
    })
    const agent = new Agent({ connect: { ca: proxy.authority!, servername: 'shop.test' } })
    const ask = async () => {
      const answer = await request(`https://127.0.0.1:${proxy.address.port}/`, { dispatcher: agent })
      return { status: answer.statusCode, text: await answer.body.text() }
    }
    const good = await ask()
    assert.equal(good.status, 200)
    assert.equal(good.text, `shop.test|CN=the-proxy|127.0.0.1:${proxy.address.port}`)
    await using _ = await proxy.withBehavior('error', { statuses: '503' })
    assert.equal((await ask()).status, 503)
    await agent.close()
  })

  it('agrees on http/1.1 with a client that would rather speak HTTP/2', async function () {
    await using nginx = await Nginx.start(this, page(''))
    await using proxy = await startProxy({
      listen: 'tls://127.0.0.1:0',
      backend: nginx.address,
      protocol: 'http',
    })
    const agent = new Agent({ allowH2: true, connect: { ca: proxy.authority! } })
    const answer = await request(`https://localhost:${proxy.address.port}/`, { dispatcher: agent })
    assert.equal(answer.statusCode, 200)
    await answer.body.dump()
    await agent.close()
  })

  it('refuses to know requests within TLS that goes through as it is', async () => {
    const options = { backend: '127.0.0.1:443', protocol: 'http', tls: { mode: 'opaque' as const } }
    await assert.rejects(startProxy(options), {
      code: 'CHAOS_PROTOCOL',
      message: /tls:\/\/ in front of listen and backend/,
    })
    const both = { backend: 'tls://127.0.0.1:443', tls: { mode: 'opaque' as const } }
    await assert.rejects(startProxy(both), { code: 'CHAOS_PROTOCOL' })
    const error = {
      backend: '127.0.0.1:443',
      tls: { mode: 'opaque' as const },
      faults: [{ type: 'http_error' }],
    }
    await assert.rejects(startProxy(error), { code: /CHAOS_PROTOCOL|CHAOS_ATTRIBUTE/ })
  })

  it('tells TLS on a listener that expects plain HTTP, and lets it through', async function () {
    await using certificates = await Certificates.make()
    const server = await certificates.sign('web', 'DNS:shop.test')
    await using nginx = await Nginx.start(
      this,
      `${page('ssl')} ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};`,
    )
    const told: ChaosEvent[] = []
    const events = new EventHub()
    events.listen((event) => told.push(event))
    await using proxy = await startProxy({ backend: nginx.address, protocol: 'http' }, events)
    const agent = new Agent({
      connect: { ca: await certificates.read(certificates.ca), servername: 'shop.test' },
    })
    const answer = await request(`https://127.0.0.1:${proxy.address.port}/`, { dispatcher: agent })
    assert.equal(answer.statusCode, 200)
    await answer.body.dump()
    await agent.close()
    const opaque = told.find(({ type }) => type === 'opaque')
    assert.ok(opaque?.type === 'opaque')
    assert.match(opaque.reason, /TLS/)
  })
})
