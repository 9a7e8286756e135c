import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer, type RequestListener as Handler } from 'node:http'
import { ChaosError, ControlClient, ControlFailure } from '../../src/client/index.ts'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { TcpTalk } from '../support/talk.ts'

/** A server of another make. */
async function stockServer(handler: Handler): Promise<AsyncDisposable & { url: string }> {
  // However long the process stands still between two calls, their connection is kept.
  const server = createServer({ keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 }, handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function is(code: string, status: number | null, text?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ControlFailure && error instanceof ChaosError)
    assert.deepEqual([error.code, error.status], [code, status], error.message)
    if (text !== undefined) assert.match(error.message, text)
    return true
  }
}

describe('control client', () => {
  it('creates, lists, finds, populates, resets and deletes', async () => {
    await using control = await Control.start()
    const client = new ControlClient(control.url)
    assert.equal(await client.version(), '2.12.0-loads.0.1.0')
    assert.deepEqual(await client.list(), [])
    const proxy = await client.create({
      name: 'a:b/c',
      backend: 'localhost:1',
      protocol: 'redis',
      seed: 4,
      behavior: '20:delay',
      faults: [{ type: 'latency', attributes: { latency: 3 } }],
    })
    const state = await proxy.state()
    assert.deepEqual(
      { ...state, listen: '', faults: state.faults.map(({ name }) => name) },
      {
        name: 'a:b/c',
        listen: '',
        backend: 'localhost:1',
        enabled: true,
        protocol: 'redis',
        seed: 4,
        behavior: '20:delay',
        faults: ['delay', 'latency_downstream'],
      },
    )
    assert.deepEqual(await client.list(), [state])
    await assert.rejects(client.create({ name: 'a:b/c', backend: 'x:1' }), is('CHAOS_EXISTS', 409))
    const [kept, other] = await client.populate([
      { name: 'a:b/c', backend: 'localhost:1', listen: state.listen, protocol: 'redis' },
      { name: 'other', backend: 'localhost:2', enabled: false },
    ])
    assert.deepEqual(await kept!.state(), state)
    assert.equal((await other!.state()).enabled, false)
    await client.reset()
    assert.equal((await other!.state()).enabled, true)
    assert.deepEqual(await kept!.faults(), [])
    await kept!.delete()
    await assert.rejects(kept!.state(), is('CHAOS_NOT_FOUND', 404, /a:b\/c|proxy not found/))
    assert.deepEqual(
      (await client.list()).map(({ name }) => name),
      ['other'],
    )
  })

  it('errors have the codes that the proxy itself would give', async () => {
    await using control = await Control.start()
    const client = new ControlClient(control.url)
    const proxy = await client.create({ name: 'p', backend: 'x:1' })
    const { listen } = await proxy.state()
    await assert.rejects(
      client.create({ name: 'q', backend: 'x:1', listen }),
      is('CHAOS_BIND', 500, /already in use/),
    )
    await assert.rejects(
      client.create({ name: 'q', backend: 'x:1', protocol: 'gopher' }),
      is('CHAOS_PROTOCOL', 400),
    )
    await assert.rejects(
      client.create({ name: '', backend: 'x:1' }),
      is('CHAOS_CONTROL', 400, /missing required field/),
    )
    await assert.rejects(proxy.addFault({ type: 'nonsense' }), is('CHAOS_UNKNOWN_FAULT', 400, /latency/))
    await assert.rejects(proxy.addFault({ type: 'latency', toxicity: 2 }), is('CHAOS_ATTRIBUTE', 400))
    await assert.rejects(proxy.removeFault('x'), is('CHAOS_NOT_FOUND', 404))
    await assert.rejects(proxy.withBehavior('nonsense'), is('CHAOS_UNKNOWN_FAULT', 400))
    assert.throws(() => new ControlClient('http://'), is('CHAOS_ADDRESS', null))
  })

  it('a token is given, and a wrong one is told', async () => {
    await using control = await Control.start({ token: 'secret' })
    const client = new ControlClient(control.url, { token: 'secret' })
    await client.create({ name: 'p', backend: 'x:1', seed: 1 })
    assert.equal((await client.list()).length, 1)
    await assert.rejects(new ControlClient(control.url).list(), is('CHAOS_CONTROL', 401, /token/))
    await assert.rejects(new ControlClient(control.url, { token: 'x' }).list(), is('CHAOS_CONTROL', 401))
  })

  it('nobody there, no answer, an answer that is none', async () => {
    let url: string
    {
      await using server = await stockServer(() => {})
      url = server.url
      const client = new ControlClient(url, { timeoutMs: 100 })
      await assert.rejects(client.list(), is('CHAOS_CONTROL', null, /no answer within 100 ms/))
    }
    await assert.rejects(
      new ControlClient(url).list(),
      is('CHAOS_CONTROL', null, /ECONNREFUSED.*loads-proxy/),
    )
    await using server = await stockServer((_request, response) => response.end('<html>'))
    await assert.rejects(new ControlClient(server.url).list(), is('CHAOS_CONTROL', 200, /without JSON/))
    await using failing = await stockServer((_request, response) => response.writeHead(502).end('<html>bad'))
    await assert.rejects(new ControlClient(failing.url).list(), is('CHAOS_CONTROL', 502, /<html>bad/))
  })

  it('a stock server is driven as far as it goes; what it would ignore is refused before anything is sent', async () => {
    const calls: string[] = []
    await using server = await stockServer((request, response) => {
      calls.push(`${request.method} ${request.url}`)
      request.resume()
      if (request.url === '/version') response.end('{"version":"2.9.0"}')
      else if (request.method === 'DELETE')
        response.writeHead(404).end('{"error":"toxic not found","status":404}')
      else if (request.url === '/proxies/p/toxics')
        response.end(
          '{"attributes":{"latency":5},"name":"x","type":"latency","stream":"upstream","toxicity":1}',
        )
      else
        response
          .writeHead(request.method === 'POST' ? 201 : 200)
          .end('{"name":"p","listen":"127.0.0.1:1","upstream":"x:1","enabled":true,"toxics":[]}')
    })
    const client = new ControlClient(server.url)
    const proxy = await client.create({ name: 'p', backend: 'x:1' })
    const state = await proxy.state()
    assert.deepEqual([state.protocol, state.seed, state.behavior, state.backend], [null, null, null, 'x:1'])
    assert.equal(
      (await proxy.addFault({ type: 'latency', attributes: { latency: 5 } })).attributes['latency'],
      5,
    )
    await assert.rejects(proxy.removeFault('x'), is('CHAOS_NOT_FOUND', 404))
    const sent = calls.length
    const refused = is('CHAOS_CONTROL', null, /no loads-proxy/)
    await assert.rejects(client.create({ name: 'p', backend: 'x:1', protocol: 'http' }), refused)
    await assert.rejects(client.create({ name: 'p', backend: 'x:1', faults: [] }), refused)
    await assert.rejects(client.populate([{ name: 'p', backend: 'x:1', seed: 1 }]), refused)
    await assert.rejects(proxy.addFault({ type: 'latency', attributes: { count: 1 } }), refused)
    await assert.rejects(proxy.withFault({ type: 'latency' }), refused)
    await assert.rejects(proxy.withBehavior('delay'), refused)
    await assert.rejects(client.events().next(), refused)
    assert.deepEqual(calls.slice(sent), ['GET /version'], 'asked once')
  })

  it('#34 events as they come, and until the loop is left', async () => {
    await using echo = await EchoServer.start()
    await using control = await Control.start()
    const client = new ControlClient(control.url)
    const proxy = await client.create({ name: 'p', backend: echo.address, seed: 1 })
    await client.create({ name: 'other', backend: echo.address })
    await using talk = await TcpTalk.to((await proxy.state()).listen)
    await proxy.addFault({ type: 'latency', attributes: { latency: 1 } })
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of client.events({ proxy: 'p', type: ['accept', 'fault'] })) {
        seen.push(event.type)
        if (event.type === 'fault') break
      }
    })()
    await talk.echo('hello')
    await reading
    assert.deepEqual(seen, ['accept', 'fault'])
    const stop = new AbortController()
    const all = client.events({ signal: stop.signal })
    assert.equal((await all.next()).done, false)
    stop.abort()
    let next = await all.next()
    while (next.done !== true) next = await all.next()
  })

  it('events that break off are an error', async () => {
    let breakOff = (): void => {}
    await using server = await stockServer((request, response) => {
      if (request.url === '/version') response.end('{"version":"2.12.0-loads.1.0.0"}')
      else {
        response.write('data: {"type":"opaque"}\n\n')
        breakOff = () => response.destroy()
      }
    })
    const events = new ControlClient(server.url).events()
    assert.equal((await events.next()).done, false)
    breakOff()
    await assert.rejects(events.next(), is('CHAOS_CONTROL', null, /\/events/))
  })

  it('events that were missed, or that are none, are an error', async () => {
    const lines = ['data: {"type":"missed","count":7}\n\n', ':\n\nevent: fault\ndata: nonsense\n\n']
    for (const line of lines) {
      await using server = await stockServer((request, response) =>
        response.end(request.url === '/version' ? '{"version":"2.12.0-loads.1.0.0"}' : line),
      )
      await assert.rejects(
        new ControlClient(server.url).events().next(),
        is('CHAOS_CONTROL', null, /7 events|none/),
      )
    }
  })
})
