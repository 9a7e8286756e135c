import assert from 'node:assert/strict'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { freePort } from '../support/free-port.ts'
import { bodyOf, rawCall, rawRequest, statusOf } from '../support/raw-http.ts'
import { dialError, TcpTalk } from '../support/talk.ts'

type Ask = (method: string, path: string, body?: unknown) => Promise<{ status: number; json: any }>

/** Asks as a client does: with its headers, on a connection for each call. */
function asking(control: Control, headers: Record<string, string>): Ask {
  return async (method, path, body) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    // Net::HTTP and net/http send the type also where there is no body.
    const answer = await rawCall(control.server.address, rawRequest(method, path, headers, text))
    const said = bodyOf(answer)
    return { status: statusOf(answer), json: said === '' ? undefined : JSON.parse(said) }
  }
}

const ruby = {
  Accept: '*/*',
  'Accept-Encoding': 'gzip;q=1.0,deflate;q=0.6,identity;q=0.3',
  'User-Agent': 'Ruby',
  'Content-Type': 'application/json',
}

describe('requests in the shape of the Ruby client', () => {
  let control: Control
  let echo: EchoServer
  let ask: Ask

  beforeEach(async () => {
    control = await Control.start()
    echo = await EchoServer.start()
    ask = asking(control, ruby)
  })

  afterEach(async () => {
    await control[Symbol.asyncDispose]()
    await echo[Symbol.asyncDispose]()
  })

  const populate = async (...names: string[]): Promise<string[]> => {
    const entries = names.map((name) => ({ name, upstream: echo.address, listen: '127.0.0.1:0' }))
    const { status, json } = await ask('POST', '/populate', entries)
    assert.equal(status, 201)
    return json.proxies.map(({ listen }: { listen: string }) => listen)
  }

  it('#21 its version lets the client choose PATCH', async () => {
    const { json } = await ask('GET', '/version')
    const [major, minor] = json.version.split('.').map(Number)
    assert.ok(major === 2 && minor >= 6)
  })

  it('#21 null is absent, and a proxy may be made disabled', async () => {
    const made = await ask('POST', '/proxies', {
      upstream: echo.address,
      name: 'p',
      listen: '127.0.0.1:0',
      enabled: null,
    })
    assert.deepEqual([made.status, made.json.enabled], [201, true])
    const down = await ask('POST', '/proxies', {
      upstream: echo.address,
      name: 'q',
      listen: '127.0.0.1:0',
      enabled: false,
    })
    assert.deepEqual([down.status, down.json.enabled], [201, false])
  })

  it('#21 toggling keeps toxics and the address', async () => {
    const [listen] = await populate('p')
    await ask('POST', '/proxies/p/toxics', {
      name: 'latency_downstream',
      type: 'latency',
      stream: 'downstream',
      toxicity: 1,
      attributes: { latency: 10 },
    })
    assert.equal((await ask('PATCH', '/proxies/p', { enabled: false })).json.enabled, false)
    const { json } = await ask('PATCH', '/proxies/p', { enabled: true })
    assert.deepEqual([json.listen, json.toxics.length, json.enabled], [listen, 1, true])
  })

  it('#21 down refuses, and recovers; over two proxies, by PATCH and by POST', async () => {
    const addresses = await populate('a', 'b')
    for (const method of ['PATCH', 'POST']) {
      for (const name of ['a', 'b'])
        assert.equal((await ask(method, `/proxies/${name}`, { enabled: false })).status, 200)
      for (const address of addresses) assert.equal(await dialError(address), 'ECONNREFUSED')
      for (const name of ['a', 'b'])
        assert.equal((await ask(method, `/proxies/${name}`, { enabled: true })).status, 200)
      for (const address of addresses) {
        await using talk = await TcpTalk.to(address)
        await talk.echo('back')
      }
    }
  })

  it('#21 100 ms upstream, downstream, both, and another of the same type with its own name add up, over a group', async () => {
    const addresses = await populate('a', 'b')
    const toxic = (name: string, stream: string) => ({
      name,
      type: 'latency',
      stream,
      toxicity: 1,
      attributes: { latency: 100 },
    })
    const steps: [string, string, number][] = [
      ['latency_upstream', 'upstream', 100],
      ['latency_downstream', 'downstream', 200],
      ['second', 'downstream', 300],
    ]
    for (const [name, stream, least] of steps) {
      for (const proxy of ['a', 'b'])
        assert.equal((await ask('POST', `/proxies/${proxy}/toxics`, toxic(name, stream))).status, 200)
      const times = await Promise.all(
        addresses.map(async (address) => {
          await using talk = await TcpTalk.to(address)
          return await talk.echo('ping')
        }),
      )
      for (const time of times) assert.ok(time >= least, `${time} ms for ${least}`)
    }
    for (const [name] of steps)
      for (const proxy of ['a', 'b'])
        assert.equal((await ask('DELETE', `/proxies/${proxy}/toxics/${name}`)).status, 204)
    assert.deepEqual((await ask('GET', '/proxies/a/toxics')).json, [])
  })

  it('#21 populate changes an upstream, and where it listens', async () => {
    await using other = await EchoServer.start()
    const [listen] = await populate('p')
    const moved = await ask('POST', '/populate', [{ name: 'p', upstream: other.address, listen }])
    assert.deepEqual([moved.json.proxies[0].upstream, moved.json.proxies[0].listen], [other.address, listen])
    const elsewhere = await ask('POST', '/populate', [
      { name: 'p', upstream: other.address, listen: `127.0.0.1:${await freePort()}` },
    ])
    assert.notEqual(elsewhere.json.proxies[0].listen, listen)
    assert.equal(await dialError(listen!), 'ECONNREFUSED')
    await using talk = await TcpTalk.to(elsewhere.json.proxies[0].listen)
    await talk.echo('hello')
  })

  it('#21 an invalid direction is 400; a reset and a delete have no body', async () => {
    await populate('p')
    const { status, json } = await ask('POST', '/proxies/p/toxics', {
      type: 'latency',
      stream: 'dontexist',
      name: 'x',
      toxicity: 1,
      attributes: {},
    })
    assert.deepEqual([status, json.error], [400, 'stream was invalid, can be either upstream or downstream'])
    assert.equal((await ask('POST', '/reset')).status, 204)
    assert.equal((await ask('DELETE', '/proxies/p')).status, 204)
    assert.deepEqual([(await ask('DELETE', '/proxies/p')).status], [404])
  })
})

describe('requests in the shape of other clients', () => {
  it('#10 Go: names and lists that are empty or null', async () => {
    await using control = await Control.start()
    const ask = asking(control, {
      'User-Agent': 'toxiproxy-client/v2.9.0 (linux/amd64)',
      'Content-Type': 'application/json',
      'Accept-Encoding': 'gzip',
    })
    const proxy = { name: 'p', listen: '127.0.0.1:0', upstream: 'localhost:1', enabled: true, toxics: null }
    const { status, json } = await ask('POST', '/proxies', proxy)
    assert.equal(status, 201)
    const toxic = { attributes: null, name: '', type: 'latency', stream: '', toxicity: 1 }
    const added = await ask('POST', '/proxies/p/toxics', toxic)
    assert.deepEqual(
      [added.status, added.json.name, added.json.stream],
      [200, 'latency_downstream', 'downstream'],
    )
    const changed = await ask('PATCH', '/proxies/p/toxics/latency_downstream', {
      ...toxic,
      attributes: { latency: 5 },
      toxicity: 0.5,
    })
    assert.deepEqual([changed.json.attributes.latency, changed.json.toxicity], [5, 0.5])
    // The whole proxy, with the toxics that it had before; those are not touched.
    const saved = await ask('PATCH', '/proxies/p', { ...json, upstream: 'localhost:2', toxics: [] })
    assert.deepEqual([saved.json.upstream, saved.json.toxics.length], ['localhost:2', 1])
  })

  it('#10 Java: JSON that calls itself a form', async () => {
    await using control = await Control.start()
    const ask = asking(control, {
      'User-Agent': 'Java/17.0.9',
      Accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
      'Content-Type': 'application/x-www-form-urlencoded',
    })
    const made = await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream: 'localhost:1' })
    assert.equal(made.status, 201)
    assert.equal((await ask('POST', '/proxies/p', { enabled: false })).json.enabled, false)
    const toxic = {
      name: 't',
      stream: 'DOWNSTREAM',
      toxicity: 1,
      type: 'timeout',
      attributes: { timeout: 5 },
    }
    assert.equal((await ask('POST', '/proxies/p/toxics', toxic)).json.stream, 'downstream')
    const changed = await ask('POST', '/proxies/p/toxics/t', { attributes: { timeout: 9 } })
    assert.equal(changed.json.attributes.timeout, 9)
    assert.equal((await ask('POST', '/proxies/p/toxics/t', { toxicity: 0.25 })).json.toxicity, 0.25)
    assert.equal(
      (await ask('POST', '/proxies', { name: 'p', upstream: 'x:1' })).json.error,
      'proxy already exists',
    )
  })

  it('#10 command line: attributes as floats, and curl without a type', async () => {
    await using control = await Control.start()
    const ask = asking(control, { 'User-Agent': 'curl/8.5.0', Accept: '*/*' })
    await ask('POST', '/proxies', { name: 'p', upstream: 'localhost:1' })
    const answer = await rawCall(
      control.server.address,
      rawRequest(
        'POST',
        '/proxies/p/toxics',
        { 'Content-Type': 'application/x-www-form-urlencoded' },
        '{"type":"bandwidth","toxicity":1.0,"attributes":{"rate":100.0}}',
      ),
    )
    assert.equal(statusOf(answer), 200)
    assert.equal(JSON.parse(bodyOf(answer)).attributes.rate, 100)
  })
})
