import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { knownFaults } from '../../src/faults/registry.ts'
import { knownProtocols } from '../../src/protocols/registry.ts'
import { Control } from '../support/control.ts'
import { bodyOf, rawCall, rawRequest, statusOf } from '../support/raw-http.ts'

describe('garbage on the control port', () => {
  it('#31 bytes that are no HTTP are refused, and the server goes on', async () => {
    await using control = await Control.start()
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.string({ minLength: 1 }).map((text) => Buffer.from(`GET /proxies HTTP/1.1\r\n${text}`)),
      fc.string({ minLength: 1 }).map((text) => Buffer.from(`POST ${text} HTTP/1.1\r\nHost: x\r\n\r\n`)),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (garbage) => {
        await new Promise<void>((resolve) => {
          const socket = connect(control.server.address)
          socket.on('error', () => {})
          socket.on('close', () => resolve())
          socket.resume()
          socket.end(garbage)
        })
      }),
      { numRuns: 100 },
    )
    const told = await rawCall(control.server.address, 'nonsense\r\n\r\n')
    assert.equal(statusOf(told), 400)
    assert.deepEqual(JSON.parse(bodyOf(told)), { error: 'that is no HTTP request', status: 400 })
    assert.equal((await control.call('GET', '/proxies')).status, 200)
  })

  it('#31 any JSON in any place gives an answer', async () => {
    await using control = await Control.start()
    const calls: [string, string][] = [
      ['POST', '/proxies'],
      ['POST', '/populate'],
      ['POST', '/proxies/there'],
      ['PATCH', '/proxies/there'],
      ['POST', '/proxies/there/toxics'],
      ['POST', '/proxies/there/toxics/slow'],
      ['POST', '/proxies/there/scopes'],
      ['PUT', '/vaurien/there/behavior'],
      ['PUT', '/vaurien/there/backend'],
    ]
    const { proxies } = control
    await proxies.create({ name: 'there', backend: '127.0.0.1:1' })
    proxies.get('there').addFault({ type: 'latency', name: 'slow' })
    const known = [
      'name',
      'listen',
      'upstream',
      'enabled',
      'toxics',
      'type',
      'stream',
      'toxicity',
      'attributes',
    ]
    const keys = fc.constantFrom(
      ...known,
      'protocol',
      'seed',
      'tls',
      'behavior',
      'backend',
      'share',
      '__proto__',
    )
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(
        'latency',
        'hang',
        'there',
        '127.0.0.1:0',
        '127.0.0.1:99999',
        'tls://x:1',
        '20:delay,5:error',
      ),
    )
    const bodies = fc.oneof(
      fc.json(),
      fc.string(),
      fc.dictionary(keys, values).map((body) => JSON.stringify(body)),
      fc.array(fc.dictionary(keys, values), { maxLength: 3 }).map((body) => JSON.stringify(body)),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...calls), bodies, async ([method, path], body) => {
        const { status, json } = await control.call(method, path, body)
        assert.ok([200, 201, 400, 404, 409, 500].includes(status), `${status}`)
        if (status >= 400) assert.ok(json.error !== '' || json.errors.length > 0)
        // Only what is wrong with an address is the server's trouble.
        if (status === 500) assert.match(json.error, /listen|address|HOST:PORT/)
        if (!proxies.all().some(({ name }) => name === 'there'))
          await proxies.create({ name: 'there', backend: '127.0.0.1:1' })
      }),
      { numRuns: 300 },
    )
    assert.equal((await control.call('GET', '/proxies/there')).status, 200)
  })

  it('#31 any value of any attribute of any fault is refused, or means what it is shown as', async function () {
    this.timeout(240_000)
    await using control = await Control.start()
    const values = fc.oneof(
      fc.constantFrom<unknown>(
        0,
        -1,
        1e308,
        0.5,
        1.5,
        -0.5,
        2 ** 53,
        2 ** 31,
        '',
        'NaN',
        'x',
        '5',
        '2s',
        '-1',
        true,
        null,
      ),
      fc.jsonValue({ maxDepth: 2 }),
    )
    for (const { name: protocol } of knownProtocols())
      await control.proxies.create({ name: protocol, protocol, backend: '127.0.0.1:1', enabled: false })
    const faults = knownFaults().flatMap(({ type, attributes }) =>
      ['toxicity', 'unit', 'match', 'skip', 'count', 'every', 'scope', ...Object.keys(attributes)].map(
        (key) => [type, key] as const,
      ),
    )
    const protocols = fc.constantFrom(...knownProtocols().map(({ name }) => name))
    await fc.assert(
      fc.asyncProperty(
        protocols,
        fc.constantFrom(...faults),
        values,
        async (protocol, [type, key], value) => {
          const path = `/proxies/${protocol}/toxics`
          const toxic = key === 'toxicity' ? { toxicity: value } : { attributes: { [key]: value } }
          const { status, json } = await control.call('POST', path, { type, name: 'x', ...toxic })
          assert.ok(status === 200 || status === 400, `${status} ${json?.error}`)
          if (status === 400) return
          // What is shown is taken again, and shown as the same.
          assert.equal((await control.call('DELETE', `${path}/x`)).status, 204)
          assert.deepEqual((await control.call('POST', path, json)).json, json)
          assert.equal((await control.call('DELETE', `${path}/x`)).status, 204)
        },
      ),
      { numRuns: 600 },
    )
  })

  it('#31 half a request is not waited for for ever, and holds up nobody', async function () {
    this.timeout(120_000)
    await using control = await Control.start()
    const halves = [
      'POST /proxies HTT',
      'POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Le',
      'POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"name"',
    ].map((half) => {
      const socket = connect(control.server.address)
      socket.on('error', () => {})
      socket.write(half)
      return socket
    })
    await Promise.all(halves.map((socket) => once(socket, 'connect')))
    assert.equal((await control.call('GET', '/proxies')).status, 200)
    // Headers have 10 s; the checks come each second.
    const [first] = halves
    let told = ''
    first!.setEncoding('latin1').on('data', (text: string) => (told += text))
    await once(first!, 'close')
    assert.equal(statusOf(told), 408)
    for (const socket of halves) socket.destroy()
  })

  it('#31 clients that send many requests and never read hold up nobody', async () => {
    await using control = await Control.start()
    for (let at = 0; at < 50; at++)
      await control.proxies.create({ name: `p${at}`, backend: '127.0.0.1:1', enabled: false })
    const sockets = Array.from({ length: 20 }, () => {
      const socket = connect(control.server.address)
      socket.on('error', () => {})
      socket.pause()
      socket.write('GET /proxies HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(100))
      return socket
    })
    const before = process.memoryUsage().rss
    for (let at = 0; at < 20; at++) assert.equal((await control.call('GET', '/proxies')).status, 200)
    assert.ok(process.memoryUsage().rss - before < 300 * 1_048_576)
    for (const socket of sockets) socket.destroy()
  })

  it('a body over 1 MB is refused clearly, whether its length is told or not', async () => {
    await using control = await Control.start()
    const body = `{"name":"x","upstream":"${'y'.repeat(1_200_000)}"}`
    const told = await control.call('POST', '/proxies', body)
    assert.equal(told.status, 413)
    assert.equal(told.json.status, 413)
    assert.match(told.json.error, /larger than 1048576 bytes/)
    const chunk = `${(100_000).toString(16)}\r\n${'y'.repeat(100_000)}\r\n`
    const chunked =
      rawRequest('POST', '/populate', { 'Transfer-Encoding': 'chunked' }) + chunk.repeat(12) + '0\r\n\r\n'
    assert.equal(statusOf(await rawCall(control.server.address, chunked)), 413)
    assert.equal((await control.call('GET', '/proxies')).status, 200)
  })

  it('what is not there is 404, and what is there in another way 405, in JSON', async () => {
    await using control = await Control.start()
    for (const path of [
      '/',
      '/proxy',
      '/proxies/',
      '/proxies/x/y',
      '/%ff',
      '/proxies/x/toxics/y/z',
      '/*',
      '//',
    ])
      assert.deepEqual((await control.call('GET', path)).json.status, 404, path)
    const wrong = await control.call('DELETE', '/proxies')
    assert.equal(wrong.status, 405)
    assert.equal(wrong.headers.get('allow'), 'GET, POST')
    assert.equal(wrong.json.status, 405)
  })
})
