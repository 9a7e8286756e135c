import assert from 'node:assert/strict'
import dns from 'node:dns'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultConnections, type ConnectionOptions } from '../../../src/context.ts'
import { spreadLookup } from '../../../src/sessions/addresses.ts'
import { traceIdOf } from '../../../src/sessions/trace.ts'
import { settleExecution } from '../../../src/user-link.ts'
import { eachHttpClient } from '../../helpers/http-clients.ts'
import {
  bodyOf,
  makeCertificate,
  serveHttp,
  serveHttps,
  serveTcp,
  stopServers,
} from '../../helpers/servers.ts'
import { makeUser, releaseUsers } from '../../helpers/user.ts'

const certificate = makeCertificate()

const connections = (options: Partial<ConnectionOptions>) => ({
  connections: { ...defaultConnections, ...options },
})

/** Answers with a number for each connection. */
async function countingServer() {
  const open = new Set<Socket>()
  let count = 0
  const numbers = new WeakMap<object, number>()
  const { server, url } = await serveHttp((request, response) => {
    setTimeout(() => response.end(String(numbers.get(request.socket))), request.url === '/slow' ? 50 : 0)
  })
  server.on('connection', (socket: Socket) => {
    numbers.set(socket, ++count)
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  const allClosed = async () => {
    while (open.size > 0) await sleep(5)
  }
  return { url, count: () => count, allClosed }
}

eachHttpClient('connections', () => {
  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('are counted', async () => {
    const { url, allClosed } = await countingServer()
    const user = makeUser({ serverUrl: url })
    await user.test.session.get('/')
    await user.test.session.get('/')
    assert.deepEqual(user.meter.connections, ['opened'])
    await releaseUsers()
    await allClosed()
    while (user.meter.connections.length < 2) await sleep(1)
    assert.deepEqual(user.meter.connections, ['opened', 'closed'])
  })

  it('resume TLS sessions of their user, and count that', async () => {
    const { port } = await serveHttps(certificate, (request, response) => {
      response.setHeader('connection', 'close')
      response.end(String((request.socket as TLSSocket).isSessionReused()))
    })
    const target = { insecure: true, serverUrl: `https://127.0.0.1:${port}` }
    const user = makeUser(target)
    const seen: string[] = []
    for (let round = 0; round < 3; round++) seen.push((await user.test.session.get('/')).text())
    assert.deepEqual(seen, ['false', 'true', 'true'])
    assert.deepEqual(
      user.meter.connections.filter((event) => event.startsWith('tls')),
      ['tls', 'tls-resumed', 'tls-resumed'],
    )
    assert.equal(
      (await makeUser(target).test.session.get('/')).text(),
      'false',
      "another user's is not taken",
    )
  })

  it('are shared by users, and go with the last', async () => {
    const { url, count, allClosed } = await countingServer()
    const one = makeUser({ serverUrl: url, ...connections({ policy: 'shared', most: 2 }) })
    const two = makeUser()
    Object.assign(two.context, { target: one.context.target })
    for (let round = 0; round < 3; round++) {
      await one.test.session.get('/')
      await two.test.session.get('/')
    }
    assert.equal(count(), 1)
    const all = [one, two].flatMap((user) => Array.from({ length: 10 }, () => user.test.session.get('/')))
    await Promise.all(all)
    assert.equal(count(), 2)
    assert.deepEqual([one.meter.hits.length, two.meter.hits.length], [13, 13])
    two.cut.abort()
    assert.equal((await one.test.session.get('/')).status, 200)
    await releaseUsers()
    await allClosed()
  })

  it('of a shared pool are cut for one user alone', async () => {
    const { url } = await countingServer()
    const one = makeUser({ serverUrl: url, ...connections({ policy: 'shared', most: 3 }) })
    const two = makeUser()
    Object.assign(two.context, { target: one.context.target })
    const stays = Promise.all([one.test.session.get('/slow'), one.test.session.get('/slow')])
    const goes = Promise.allSettled(Array.from({ length: 5 }, () => two.test.session.get('/slow')))
    two.cut.abort()
    assert.equal((await stays).length, 2)
    for (const each of await goes) {
      assert.equal((each as PromiseRejectedResult).reason.name, 'InterruptedError')
    }
  })

  it('are fresh for each execution when asked', async () => {
    const { url, count, allClosed } = await countingServer()
    const user = makeUser({ serverUrl: url, ...connections({ policy: 'fresh' }) })
    for (let execution = 1; execution <= 3; execution++) {
      await user.test.session.get('/')
      await user.test.session.get('/')
      assert.equal(count(), execution)
      const forgotten = execution === 3 ? user.test.session.get('/slow') : null
      settleExecution(user.test)
      if (forgotten !== null) assert.equal((await forgotten).status, 200)
      await allClosed()
    }
    const keeper = makeUser({ serverUrl: url })
    await keeper.test.session.get('/')
    settleExecution(keeper.test)
    await keeper.test.session.get('/')
    assert.equal(count(), 4)
  })

  it('carry so many requests, and idle so long, as is said', async () => {
    const { url, count, allClosed } = await countingServer()
    const counted = makeUser({ serverUrl: url, ...connections({ mostRequests: 2 }) })
    for (let round = 0; round < 4; round++) await counted.test.session.get('/')
    assert.equal(count(), 2)
    const idle = makeUser({ serverUrl: url, ...connections({ keepAliveMs: 2000 }) })
    await idle.test.session.get('/')
    await idle.test.session.get('/')
    assert.equal(count(), 3)
    await allClosed()
    assert.equal((await idle.test.session.get('/')).status, 200)
    assert.equal(idle.meter.hits.filter(({ failed }) => failed).length, 0)
  })

  it('are not used about the time at which the server closes them', async () => {
    let count = 0
    const { url } = await serveTcp((socket) => {
      count++
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 2\r\n\r\nok'),
      )
    })
    const { test } = makeUser({ serverUrl: url })
    await test.session.get('/')
    await test.session.get('/')
    assert.equal(count, 1)
    await sleep(2700)
    await test.session.get('/')
    assert.equal(count, 2)
  })

  it('start from the source addresses in turn', async () => {
    const seen: string[] = []
    const { url } = await serveHttp((request, response) => {
      seen.push(request.socket.remoteAddress!)
      response.setHeader('connection', 'close')
      response.end('ok')
    })
    const sourceAddresses = ['127.0.0.2', '127.0.0.3']
    const { test } = makeUser({ serverUrl: url, ...connections({ sourceAddresses }) })
    for (let round = 0; round < 4; round++) await test.session.get('/')
    assert.deepEqual(seen, ['127.0.0.2', '127.0.0.3', '127.0.0.2', '127.0.0.3'])
    // An address of the documentation, which no machine has.
    const wrong = makeUser({ serverUrl: url, ...connections({ sourceAddresses: ['192.0.2.1'] }) })
    await assert.rejects(wrong.test.session.get('/'), {
      name: 'RequestError',
      class: 'ports',
      message: /the source address is none of this machine, or all its ports are in use/,
    })
  })

  it('go to a name by its addresses when spread', async () => {
    const { url } = await serveHttp((_request, response) => response.end('ok'))
    const { test } = makeUser({ ...connections({ dns: 'spread' }) })
    assert.equal((await test.session.get(url.replace('127.0.0.1', 'localhost'))).status, 200)
    await assert.rejects(test.session.get('http://no-such-host.invalid/'), { class: 'dns' })
  })

  it('are timed by phases when asked, before the hit', async () => {
    const { url } = await serveHttp((request, response) => {
      void bodyOf(request).then(async () => {
        await sleep(30)
        response.write('begun')
        // The client, in this process too, has got that when the event loop has turned.
        for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve))
        await sleep(30)
        response.end('done')
      })
    })
    const user = makeUser({ phases: true, ...connections({ most: 1 }) })
    const named = url.replace('127.0.0.1', 'localhost')
    const both = [user.test.session.post(`${named}/`, { body: 'x', name: 'one' })]
    both.push(user.test.session.post(`${named}/`, { body: 'x', name: 'two' }))
    await Promise.all(both)
    const of = (name: string) =>
      Object.fromEntries(
        user.meter.phases.filter((each) => each.name === name).map(({ phase, micros }) => [phase, micros]),
      )
    assert.deepEqual(Object.keys(of('one')).toSorted(), [
      'blocked',
      'connect',
      'dns',
      'receive',
      'send',
      'wait',
    ])
    assert.deepEqual(Object.keys(of('two')).toSorted(), ['blocked', 'receive', 'send', 'wait'])
    for (const name of ['one', 'two']) {
      assert.ok(of(name)['wait']! >= 20_000 && of(name)['receive']! >= 20_000, JSON.stringify(of(name)))
    }
    assert.ok(of('two')['blocked']! >= 50_000)
    const silent = makeUser()
    await silent.test.session.get(url)
    assert.deepEqual(silent.meter.phases, [])
  })

  it('carry traceparent when asked, another for each request', async () => {
    const seen: (string | undefined)[] = []
    const { url } = await serveHttp((request, response) => {
      seen.push(request.headers['traceparent'] as string | undefined)
      if (request.url === '/moved') response.writeHead(302, { location: '/' })
      response.end('ok')
    })
    const user = makeUser({ serverUrl: url, trace: true })
    await user.test.session.get('/')
    await user.test.session.get('/moved')
    await user.test.session.get('/', { headers: { traceparent: 'own' } })
    const trace = traceIdOf('run-1', 'main/3/5')
    assert.match(trace, /^[0-9a-f]{32}$/)
    for (const each of seen.slice(0, 3)) assert.match(each!, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
    assert.equal(new Set(seen.slice(0, 3)).size, 3)
    assert.equal(seen[3], 'own')
    user.context.executionId = 'main/3/6'
    await user.test.session.get('/')
    assert.ok(seen[4]!.startsWith(`00-${traceIdOf('run-1', 'main/3/6')}-`))
    await makeUser({ serverUrl: url }).test.session.get('/')
    assert.equal(seen[5], undefined)
  })

  it('take nothing that nobody asked for: not before the request, not after the answer', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'
    let count = 0
    const { url } = await serveTcp((socket) => {
      count++
      let requests = 0
      socket.on('data', () => {
        // The second answer of a connection comes unasked, with the first one or after it.
        if (requests++ > 0) socket.write(`${answer}ok`)
        else if (count % 2 === 1) socket.write(`${answer}ok${answer}no`)
        else {
          socket.write(`${answer}ok`)
          setTimeout(() => socket.write(`${answer}no`), 20)
        }
      })
    })
    const { test, meter } = makeUser({ serverUrl: url })
    for (let round = 0; round < 4; round++) {
      assert.equal((await test.session.get('/')).text(), 'ok')
      while (meter.connections.filter((event) => event === 'closed').length <= round) await sleep(5)
    }
    assert.equal(meter.hits.filter(({ failed }) => failed).length, 0)
    assert.equal(count, 4)
  })

  it('bound an answer that comes one byte at a time, and name what it is', async () => {
    const { url } = await serveTcp((socket) => {
      socket.on('data', () => {
        const text = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(1000)}`)
        let at = 0
        const timer = setInterval(() => socket.write(text.subarray(at, ++at)), 5)
        socket.on('close', () => clearInterval(timer))
      })
    })
    const { test, meter } = makeUser({ serverUrl: url })
    await assert.rejects(test.session.get('/', { timeout: 400 }), { class: 'timeout' })
    assert.ok(meter.hits[0]!.bytesIn > 0 || meter.hits[0]!.micros >= 390_000)
  })
})

describe('spreadLookup', () => {
  it('takes all addresses in turn, and asks for them once in a while only', async () => {
    const { lookup } = dns
    let asked = 0
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => ({ address, family: 4 }))
    dns.lookup = ((_host: string, _options: object, callback: (...args: unknown[]) => void) => {
      asked++
      setImmediate(callback, null, addresses)
    }) as unknown as typeof lookup
    try {
      const ask = (all: boolean) =>
        new Promise((resolve) => {
          spreadLookup('spread.example', { all }, (_error, found) => resolve(found))
        })
      assert.deepEqual(await ask(false), '10.0.0.1')
      assert.deepEqual(await ask(false), '10.0.0.2')
      assert.deepEqual(await ask(true), [addresses[2], addresses[0], addresses[1]])
      assert.deepEqual(await ask(false), '10.0.0.1')
      assert.equal(asked, 1)
    } finally {
      dns.lookup = lookup
    }
  })
})
