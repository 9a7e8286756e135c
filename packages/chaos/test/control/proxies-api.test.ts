import assert from 'node:assert/strict'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { freePort } from '../support/free-port.ts'
import { dialError, TcpTalk } from '../support/talk.ts'

const redis = { name: 'mysql_master', listen: 'localhost:0', upstream: 'localhost:20001' }

describe('proxies over HTTP', () => {
  it('#6 none, create, get, list, conflicts and delete, with the words that clients know', async () => {
    await using control = await Control.start()
    assert.deepEqual((await control.call('GET', '/proxies')).json, {})
    const made = await control.call('POST', '/proxies', redis)
    assert.equal(made.status, 201)
    assert.match(made.headers.get('content-type')!, /^application\/json/)
    assert.match(made.json.listen, /^127\.0\.0\.1:[1-9]\d*$/)
    const { listen } = made.json as { listen: string }
    const shown = { name: 'mysql_master', listen, upstream: 'localhost:20001', enabled: true, toxics: [] }
    const { protocol, seed, behavior, ...stock } = made.json
    assert.deepEqual(stock, shown)
    assert.deepEqual([protocol, behavior], ['tcp', 'dummy'])
    assert.ok(Number.isSafeInteger(seed))
    assert.deepEqual((await control.call('GET', '/proxies/mysql_master')).json, made.json)
    assert.deepEqual((await control.call('GET', '/proxies')).json, { mysql_master: made.json })

    const refused = async (body: unknown) => {
      const { status, json } = await control.call('POST', '/proxies', body)
      assert.equal(json.status, status)
      return [status, json.error]
    }
    assert.deepEqual(await refused({ ...redis, name: '' }), [400, 'missing required field: name'])
    assert.deepEqual(await refused({ upstream: 'x:1' }), [400, 'missing required field: name'])
    assert.deepEqual(await refused({ ...redis, upstream: '' }), [400, 'missing required field: upstream'])
    assert.deepEqual(await refused(redis), [409, 'proxy already exists'])
    assert.deepEqual(await refused({ ...redis, name: 'other', listen }), [
      500,
      `listen tcp ${listen}: bind: address already in use`,
    ])
    for (const body of [
      '',
      '{',
      '[]',
      '"x"',
      'null',
      '{"name":5,"upstream":"x:1"}',
      '{"name":"x","upstream":{}}',
    ]) {
      const [status, error] = await refused(body)
      assert.equal(status, 400, body)
      assert.match(error, /^bad request body: /, body)
    }

    const gone = await control.call('DELETE', '/proxies/mysql_master')
    assert.deepEqual([gone.status, gone.text], [204, ''])
    for (const [method, path] of [
      ['DELETE', '/proxies/mysql_master'],
      ['GET', '/proxies/mysql_master'],
      ['POST', '/proxies/mysql_master'],
      ['GET', '/proxies/mysql_master/toxics'],
    ]) {
      const { status, json } = await control.call(method!, path!, method === 'POST' ? {} : undefined)
      assert.deepEqual([status, json.error, json.status], [404, 'proxy not found', 404], path)
    }
    // Its name and its port are free again.
    assert.equal((await control.call('POST', '/proxies', { ...redis, listen })).status, 201)
  })

  it('#7 a proxy that is made disabled is not reachable until it is enabled', async () => {
    await using control = await Control.start()
    await using echo = await EchoServer.start()
    const made = await control.call('POST', '/proxies', {
      name: 'p',
      listen: `localhost:${await freePort()}`,
      upstream: echo.address,
      enabled: false,
    })
    assert.equal(made.status, 201)
    assert.match(made.json.listen, /^localhost:/, 'as it was given, since it is not bound')
    const address = made.json.listen.replace('localhost', '127.0.0.1')
    assert.equal(await dialError(address), 'ECONNREFUSED')
    const up = await control.call('POST', '/proxies/p', { enabled: true })
    assert.deepEqual([up.status, up.json.enabled, up.json.listen], [200, true, address])
    await using talk = await TcpTalk.to(address)
    await talk.echo('hello')
    const down = await control.call('PATCH', '/proxies/p', { enabled: false })
    assert.deepEqual([down.status, down.json.enabled], [200, false])
    await talk.ended()
    assert.equal(await dialError(address), 'ECONNREFUSED')
  })

  it('updates are partial; what cannot change is told, and its name is ignored', async () => {
    await using control = await Control.start()
    await using echo = await EchoServer.start()
    const { json: made } = await control.call('POST', '/proxies', { ...redis, seed: 5 })
    const moved = await control.call('POST', '/proxies/mysql_master', { name: 'x', upstream: echo.address })
    assert.deepEqual(moved.json, { ...made, upstream: echo.address })
    await using talk = await TcpTalk.to(made.listen)
    await talk.echo('a')
    // The same again, as a client sends all that it was shown.
    const again = await control.call('PATCH', '/proxies/mysql_master', moved.json)
    assert.deepEqual(again.json, moved.json)
    await talk.echo('b')
    for (const change of [{ protocol: 'http' }, { seed: 6 }, { tls: {} }]) {
      const { status, json } = await control.call('POST', '/proxies/mysql_master', change)
      assert.equal(status, 400)
      assert.match(json.error, /stays as it was made/)
    }
    const empty = await control.call('POST', '/proxies/mysql_master', { listen: '', upstream: null })
    assert.deepEqual(empty.json, moved.json)
  })

  it('#8 populate makes all, keeps what is there like that, and replaces what is not', async () => {
    await using control = await Control.start()
    const entries = [
      { name: 'one', listen: '127.0.0.1:0', upstream: 'localhost:20001' },
      { name: 'two', listen: 'localhost:0', upstream: 'localhost:20002', enabled: false },
    ]
    const made = await control.call('POST', '/populate', entries)
    assert.equal(made.status, 201)
    const [one, two] = made.json.proxies
    assert.deepEqual([one.enabled, two.enabled], [true, false])
    assert.deepEqual(Object.keys((await control.call('GET', '/proxies')).json), ['one', 'two'])
    const toxic = { type: 'latency', attributes: { latency: 10 } }
    assert.equal((await control.call('POST', '/proxies/one/toxics', toxic)).status, 200)

    await using talk = await TcpTalk.to(one.listen)
    const again = await control.call('POST', '/populate', [
      { ...entries[0], listen: one.listen.replace('127.0.0.1', 'localhost') },
      { ...entries[1], upstream: 'localhost:20003', enabled: true },
    ])
    assert.equal(again.status, 201)
    const [kept, replaced] = again.json.proxies
    assert.deepEqual(
      kept.toxics.map(({ name }: { name: string }) => name),
      ['latency_downstream'],
    )
    assert.equal(kept.listen, one.listen)
    assert.equal(talk.isOver, false)
    assert.deepEqual([replaced.upstream, replaced.enabled], ['localhost:20003', true])
  })

  it('#8 populate refuses a list that is wrong as a whole, and reports what fails on the way', async () => {
    await using control = await Control.start()
    const good = { name: 'one', listen: '127.0.0.1:0', upstream: 'localhost:20001' }
    const wrong: [unknown, string][] = [
      [[good, { listen: 'localhost:0', upstream: 'x:1' }], 'missing required field: name at proxy 2'],
      [[good, { name: 'two' }], 'missing required field: upstream at proxy 2'],
      [[good, { name: 'two', upstream: 'x:1', toxics: [{ type: 'nonsense' }] }], 'invalid toxic type'],
      [
        [good, { name: 'two', upstream: 'x:1', toxics: [{ type: 'latency', stream: 'in' }] }],
        'stream was invalid, can be either upstream or downstream',
      ],
    ]
    for (const [list, error] of wrong) {
      const { status, json } = await control.call('POST', '/populate', list)
      assert.deepEqual([status, json.error, json.status, json.proxies], [400, error, 400, []])
    }
    assert.equal((await control.call('POST', '/populate', good)).status, 400)
    assert.deepEqual((await control.call('GET', '/proxies')).json, {})

    const { status, json } = await control.call('POST', '/populate', [
      good,
      { name: 'two', listen: 'localhost:123456', upstream: 'localhost:20002' },
      { name: 'three', listen: '127.0.0.1:0', upstream: 'localhost:20003' },
    ])
    assert.deepEqual([status, json.status], [500, 500])
    assert.deepEqual(
      json.proxies.map(({ name }: { name: string }) => name),
      ['one'],
    )
    assert.deepEqual(Object.keys((await control.call('GET', '/proxies')).json), ['one'])
  })

  it('toxics are honoured where proxies are made, and what is shown makes the same again', async () => {
    await using control = await Control.start()
    const wanted = {
      name: 'p',
      upstream: 'localhost:20001',
      seed: 7,
      behavior: '20:dummy,30:delay,5:error',
      toxics: [
        { type: 'latency', attributes: { latency: 5 }, toxicity: 0.5 },
        { type: 'bandwidth', stream: 'upstream', attributes: { rate: 9 } },
      ],
    }
    const { json: made, status } = await control.call('POST', '/proxies', wanted)
    assert.equal(status, 201)
    assert.equal(made.behavior, '20:dummy,30:delay,5:error')
    assert.deepEqual(
      made.toxics.map(({ name }: { name: string }) => name),
      ['bandwidth_upstream', 'delay', 'error', 'latency_downstream'],
    )
    assert.deepEqual(made.toxics[1].share, { draw: 'behaviors', from: 0.2, to: 0.5 })
    await control.call('POST', '/proxies/p/toxics/delay', { attributes: { sleep: 3 } })
    const { json: shown } = await control.call('GET', '/proxies/p')
    await control.call('DELETE', '/proxies/p')
    const { json: restored } = await control.call('POST', '/populate', [shown])
    assert.deepEqual(restored.proxies, [shown])
    // One that is there takes the faults that are named, and keeps those it has where none are.
    const bare = { name: 'p', upstream: 'localhost:20001', listen: shown.listen }
    assert.deepEqual((await control.call('POST', '/populate', [bare])).json.proxies, [shown])
    const { json: cleared } = await control.call('POST', '/populate', [{ ...bare, toxics: [] }])
    assert.deepEqual(cleared.proxies, [{ ...shown, behavior: 'dummy', toxics: [] }])
    const twice = { ...bare, name: 'q', toxics: [{ type: 'latency' }, { type: 'latency' }] }
    const refused = await control.call('POST', '/proxies', { ...twice, listen: '' })
    assert.deepEqual([refused.status, refused.json.error], [409, 'toxic already exists'])
    assert.equal((await control.call('GET', '/proxies/q')).status, 404)
  })

  it('#10 reset enables all and removes toxics; version; ids of requests', async () => {
    await using control = await Control.start()
    await control.call('POST', '/proxies', { ...redis, enabled: false })
    await control.call('POST', '/proxies/mysql_master/toxics', { type: 'noop' })
    const reset = await control.call('POST', '/reset', undefined, { 'content-type': 'application/json' })
    assert.deepEqual([reset.status, reset.text], [204, ''])
    const { json } = await control.call('GET', '/proxies/mysql_master')
    assert.deepEqual([json.enabled, json.toxics], [true, []])
    assert.deepEqual((await control.call('GET', '/version')).json, { version: '2.12.0-loads.0.1.0' })
    const ids = await Promise.all(
      ['/version', '/proxies', '/nothing'].map(async (path) =>
        (await control.call('GET', path)).headers.get('x-toxiproxy-request-id')!,
      ),
    )
    assert.equal(new Set(ids).size, 3)
    for (const id of ids) assert.match(id, /^[\w-]{20,}$/)
  })

  it('TLS: its authority is shown, what it cannot be is told, and it is made again as it was shown', async () => {
    await using control = await Control.start()
    const wanted = { name: 'web', listen: 'tls://127.0.0.1:0', upstream: 'localhost:1', protocol: 'http' }
    const { status, json: made } = await control.call('POST', '/proxies', {
      ...wanted,
      tls: { verify: false },
    })
    assert.equal(status, 201)
    assert.match(made.listen, /^127\.0\.0\.1:\d+$/)
    assert.match(made.tls.authority, /^-----BEGIN CERTIFICATE-----/)
    const kept = await control.call('POST', '/proxies/web', { ...made, upstream: 'localhost:2' })
    assert.deepEqual(kept.json, { ...made, upstream: 'localhost:2' })
    assert.equal((await control.call('POST', '/proxies/web', { tls: { verify: true } })).status, 400)
    await control.call('DELETE', '/proxies/web')
    const { json: again } = await control.call('POST', '/populate', [made])
    assert.match(again.proxies[0].tls.authority, /^-----BEGIN CERTIFICATE-----/)
    assert.equal(again.proxies[0].listen, made.listen)
    for (const tls of [
      { cert: 5 },
      { certs: 'x' },
      { verify: 'maybe' },
      { certificate: 'odd' },
      { mode: 1 },
    ]) {
      const refused = await control.call('POST', '/proxies', { ...wanted, name: 'bad', tls })
      assert.equal(refused.status, 400, JSON.stringify(tls))
      assert.match(refused.json.error, /tls/)
    }
    const missing = await control.call('POST', '/proxies', {
      ...wanted,
      name: 'bad',
      tls: { cert: '/nowhere.pem' },
    })
    assert.equal(missing.status, 400)
    assert.equal((await control.call('GET', '/proxies/bad')).status, 404)
  })

  it('names may be any text: trap 9', async () => {
    await using control = await Control.start()
    for (const name of ['a:b@c', 'ü ö', '100%', 'a/b', '__proto__', 'constructor', '{"x":1}']) {
      const path = `/proxies/${encodeURIComponent(name)}`
      assert.equal((await control.call('POST', '/proxies', { name, upstream: 'x:1' })).status, 201, name)
      assert.equal((await control.call('GET', path)).json.name, name)
      assert.ok((await control.call('GET', '/proxies')).text.includes(JSON.stringify(name)))
      assert.equal((await control.call('DELETE', path)).status, 204)
    }
    const long = await control.call('POST', '/proxies', { name: 'x'.repeat(201), upstream: 'x:1' })
    assert.equal(long.status, 400)
  })
})
