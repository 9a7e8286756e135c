import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { TcpTalk } from '../support/talk.ts'

const all = ['abort', 'blackout', 'delay', 'dummy', 'error', 'hang', 'transient']

describe("Vaurien's routes", () => {
  it('#22 names, the default, setting and getting, with options, an unknown one, the backend', async () => {
    await using control = await Control.start()
    await control.proxies.create({ name: 'web', backend: 'localhost:20001' })
    for (const root of ['', '/vaurien/web']) {
      const get = async (path: string) => (await control.call('GET', `${root}${path}`)).json
      const put = (path: string, body: unknown) => control.call('PUT', `${root}${path}`, body)
      const ok = { status: 'ok' }
      assert.deepEqual(await get('/behaviors'), { behaviors: all })
      assert.equal((await get('/behavior')).behavior, 'dummy')
      for (const name of all) {
        const { status, json } = await put('/behavior', { name })
        assert.deepEqual([status, json], [200, ok], name)
        assert.equal((await get('/behavior')).behavior, name)
      }
      assert.deepEqual((await put('/behavior', { name: 'delay', sleep: 0.25, before: false })).json, ok)
      const { behavior, options } = await get('/behavior')
      assert.equal(behavior, 'delay')
      assert.deepEqual([options.delay.sleep, options.delay.before], [0.25, false])
      for (const body of [{ name: 'delayed' }, { sleep: 1 }, { name: 5 }, { name: '' }]) {
        const { status, json } = await put('/behavior', body)
        assert.equal(status, 400)
        assert.deepEqual(
          [json.status, json.errors[0].location, json.errors[0].name],
          ['error', 'body', 'name'],
        )
        assert.ok(json.errors[0].description.length > 5)
      }
      for (const body of ['', '{', '[]', { name: 'delay', sleep: -1 }, { name: 'delay', slep: 1 }]) {
        const { status, json } = await put('/behavior', body)
        assert.deepEqual([status, json.errors[0].location, json.errors[0].name], [400, 'body', ''])
      }
      // What was refused has changed nothing.
      assert.deepEqual(await get('/behavior'), { behavior, options })
      assert.deepEqual((await put('/behavior', { name: '20:delay,5:error' })).json, ok)
      assert.equal((await get('/behavior')).behavior, '20:delay,5:error')
      assert.deepEqual(await get('/backend'), { backend: 'localhost:20001' })
      assert.deepEqual((await put('/backend', { backend: 'localhost:20002' })).json, ok)
      assert.deepEqual(await get('/backend'), { backend: 'localhost:20002' })
      for (const backend of ['', 'x', 5, null])
        assert.deepEqual((await put('/backend', { backend })).json.errors[0].name, 'backend')
      await put('/backend', { backend: 'localhost:20001' })
      await put('/behavior', { name: 'dummy' })
    }
  })

  it('the root means a proxy only where there is just one', async () => {
    await using control = await Control.start()
    const none = await control.call('GET', '/behavior')
    assert.deepEqual([none.status, none.json.errors[0].location], [404, 'path'])
    await control.proxies.create({ name: 'a', backend: 'x:1' })
    assert.equal((await control.call('GET', '/behavior')).status, 200)
    await control.proxies.create({ name: 'b', backend: 'x:1' })
    assert.match((await control.call('GET', '/behavior')).json.errors[0].description, /vaurien/)
    assert.equal((await control.call('GET', '/vaurien/b/behavior')).status, 200)
    assert.equal((await control.call('GET', '/vaurien/c/behavior')).status, 404)
  })

  it('a behavior takes the place of the one before it and of the configured ones; toxics stay', async () => {
    await using control = await Control.start()
    const proxy = await control.proxies.create({
      name: 'p',
      backend: 'x:1',
      behavior: '20:delay,5:error',
      behaviors: { delay: { sleep: '2s' } },
      faults: [{ type: 'latency', attributes: { latency: 1 } }],
    })
    assert.equal((await control.call('GET', '/behavior')).json.behavior, '20:delay,5:error')
    await control.call('PUT', '/behavior', { name: 'hang' })
    assert.deepEqual(
      proxy.rules
        .all()
        .map(({ type }) => type)
        .toSorted(),
      ['hang', 'latency'],
    )
    // Options that the proxy was started with hold where the call names none.
    await control.call('PUT', '/behavior', { name: 'delay' })
    assert.equal((await control.call('GET', '/behavior')).json.options.delay.sleep, 2)
    await control.call('PUT', '/behavior', { name: 'dummy' })
    assert.deepEqual(
      proxy.rules.all().map(({ type }) => type),
      ['latency'],
    )
  })

  it('#23 ten times 200 through dummy, an error inside blackout and abort, a delay that is one, and 200 after it', async () => {
    const server = createServer((_request, response) => response.end('fine'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const backend = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await using control = await Control.start()
    const proxy = await control.proxies.create({ name: 'web', backend, protocol: 'http' })
    const get = async () => {
      const response = await fetch(`http://${proxy.listen}/`, { headers: { connection: 'close' } })
      await response.text()
      return response.status
    }
    try {
      for (let at = 0; at < 10; at++) assert.equal(await get(), 200)
      for (const name of ['blackout', 'abort']) {
        await control.call('PUT', '/behavior', { name })
        await assert.rejects(get())
        assert.equal((await control.call('GET', '/behavior')).json.behavior, name)
      }
      await control.call('PUT', '/behavior', { name: 'delay', sleep: 1 })
      const from = performance.now()
      assert.equal(await get(), 200)
      assert.ok(performance.now() - from >= 1000)
      await control.call('PUT', '/behavior', { name: 'dummy' })
      assert.equal(await get(), 200)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('#24 options take effect on a connection that is there already', async () => {
    await using echo = await EchoServer.start()
    await using control = await Control.start()
    const proxy = await control.proxies.create({ name: 'p', backend: echo.address })
    await using talk = await TcpTalk.to(proxy.listen)
    await talk.echo('before')
    await control.call('PUT', '/behavior', { name: 'delay', sleep: 0.2, unit: 'chunk' })
    assert.ok((await talk.echo('a')) >= 200)
    await control.call('PUT', '/behavior', { name: 'delay', sleep: 0.4, unit: 'chunk' })
    assert.ok((await talk.echo('b')) >= 400)
  })
})
