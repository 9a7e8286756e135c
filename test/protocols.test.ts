import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { traceIdOf } from '@loads-runner/testcase'
import type { Summary } from '@loads-runner/metrics'
import { serveGreeter, stopGreeters } from '../packages/testcase/test/helpers/greeter.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import type { CliOptions, CliResult } from './helpers/run-cli.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'
import { startGreeting, startTcpEcho, startTls, startUdpEcho } from './helpers/wire-servers.ts'

/** A run that passes, and its summary. */
async function pass(
  args: readonly string[],
  options: CliOptions,
): Promise<{ run: CliResult; summary: Summary }> {
  const run = await runCli(args, options)
  assert.equal(run.exitCode, 0, run.stdout + run.stderr)
  return { run, summary: run.summary! }
}

/** One test whose method does this. */
const testThat = (body: string, statics = '') => ({
  'wire.ts': `
    import { TestCase } from 'loads-runner'
    export class TestWire extends TestCase {
      ${statics}
      async test_wire() { ${body} }
    }`,
})

/** What was measured, one line for each series, in order. */
const linesOf = ({ series }: Summary) =>
  series
    .map(({ kind, method, name, status, count }) =>
      [kind, method, name, status, count].filter(Boolean).join(' '),
    )
    .toSorted()

const byName = <T extends { name: string }>(list: readonly T[]) =>
  list.toSorted((one, other) => one.name.localeCompare(other.name))

const paths = (server: OwnServer) => server.seen.map(({ url }) => url.pathname)
const times = (list: readonly string[], path: string) => list.filter((each) => each === path).length

describe('what a test records', function () {
  this.timeout(180_000)

  it('checks are counted and fail nothing; steps, tags and calls have figures of their own', async () => {
    const server = await startServer((request, response) => {
      setTimeout(() => response.end('{}'), request.url === '/look' ? 40 : 0)
    })
    const body = `
      await this.step('visit', async () => {
        const front = await this.session.get('${server.url}/front', { name: 'front' })
        this.check('front is there', front.status === 200)
        const both = this.checks({
          'the iteration is even': this.iteration % 2 === 0,
          'nothing is wrong': () => { throw new Error('all is wrong') },
        })
        this.assertFalse(both)
        await this.step('look around', () =>
          this.tagged({ part: 'inside' }, () => this.session.get('${server.url}/look', { name: 'look' })))
      })
      this.assertEqual(await this.measure('sum', () => Promise.resolve(42)), 42)
      const broken = await this.measure('breaks', () => {
        throw Object.assign(new Error('broken'), { code: 'E_BROKEN' })
      }).catch((error) => error.message)
      this.assertEqual(broken, 'broken')`
    const { run, summary } = await pass(['wire', '--users', '4', '--iterations', '3', '--agents', '2'], {
      files: testThat(body, `static tags = { team: 'shop' }`),
    })
    assert.deepEqual(
      byName(summary.checks).map(({ name, test, ok, failed, tags }) => [name, test, ok, failed, tags]),
      [
        ['front is there', 'TestWire.test_wire', 12, 0, { team: 'shop' }],
        ['nothing is wrong', 'TestWire.test_wire', 0, 12, { team: 'shop' }],
        ['the iteration is even', 'TestWire.test_wire', 8, 4, { team: 'shop' }],
      ],
    )
    assert.match(run.stdout, /the iteration is even/)
    const steps = new Map(summary.steps.map(({ name, duration }) => [name, duration]))
    assert.deepEqual([...steps.keys()].toSorted(), ['visit', 'visit / look around'])
    for (const [name, { count, min }] of steps) {
      assert.equal(count, 12, name)
      // The target takes 40 ms for what is inside of both.
      assert.ok(min! >= 38, `${name} ${min}`)
    }
    assert.equal(times(paths(server), '/front'), 12)
    assert.equal(times(paths(server), '/look'), 12)
    assert.deepEqual(linesOf(summary), [
      'call breaks E_BROKEN 12',
      'call sum ok 12',
      'http GET front 200 12',
      'http GET look 200 12',
    ])
    assert.deepEqual(
      byName(summary.series).map(({ name, tags }) => [name, tags]),
      [
        ['breaks', { team: 'shop' }],
        ['front', { team: 'shop' }],
        ['look', { part: 'inside', team: 'shop' }],
        ['sum', { team: 'shop' }],
      ],
    )
    assert.equal(summary.hits.failed, 12, 'those that broke')
    assert.equal(summary.tests.successes, 12)
  })

  it('fetch and a client on node:http are measured without a wrapper, and our own requests once', async () => {
    const server = await startServer()
    const files = {
      // As npm would have put it there.
      'node_modules/small-client/package.json':
        '{ "name": "small-client", "version": "1.0.0", "main": "index.js" }',
      'node_modules/small-client/index.js': `
        const { get } = require('node:http')
        exports.read = (url) => new Promise((resolve, reject) => {
          get(url, (answer) => answer.on('end', () => resolve(answer.statusCode)).resume()).on('error', reject)
        })`,
      'clients.ts': `
        import { TestCase } from 'loads-runner'
        import { read } from 'small-client'
        const url = '${server.url}'
        export class TestClients extends TestCase {
          static serverUrl = url
          static instrument = true
          async test_clients() {
            await (await fetch(url + '/by-fetch?at=1')).text()
            this.assertEqual(await read(url + '/by-client/17'), 200)
            await this.session.get('/by-session')
            await this.measure('wrapped', async () => (await fetch(url + '/by-measure')).text())
          }
        }
        export class TestNot extends TestCase {
          static serverUrl = url
          async test_not() { await (await fetch(url + '/unmeasured')).text() }
        }`,
    }
    const load = ['--users', '4', '--iterations', '4', '--agents', '2']
    const { summary } = await pass(['clients', ...load], { files })
    // Two classes take turns: half of the executions each.
    assert.deepEqual(linesOf(summary), [
      'call wrapped ok 8',
      'http GET /by-client/:id 200 8',
      'http GET /by-fetch 200 8',
      'http GET /by-session 200 8',
    ])
    const seen = paths(server)
    for (const path of ['/by-fetch', '/by-client/17', '/by-session', '/by-measure', '/unmeasured'])
      assert.equal(times(seen, path), 8, path)
    for (const { id, hits } of summary.agents) assert.ok(hits > 0, `${id} measured some of it`)
  })
})

describe('protocols besides HTTP/1.1', function () {
  this.timeout(180_000)

  it('server-sent events: the opening is a hit, events and the time to the first are counted', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      setTimeout(() => {
        for (let number = 0; number < 5; number++) response.write(`id: ${number}\ndata: price ${number}\n\n`)
        response.end('event: last\ndata: over\n\n')
      }, 60)
    })
    const { summary } = await pass(['wire', '--users', '3', '--iterations', '2', '--agents', '2'], {
      files: testThat(`
        const prices: string[] = []
        for await (const { event, data } of await this.openEvents('${server.url}/prices', { name: '/prices' })) {
          if (event === 'last') break
          prices.push(data)
        }
        this.assertEqual(prices.length, 5)
        this.assertEqual(prices[4], 'price 4')`),
    })
    assert.equal(server.seen.length, 6)
    assert.deepEqual(linesOf(summary), ['sse GET /prices 200 6'])
    assert.equal(summary.counters['sse.events'], 36)
    const first = summary.timings['sse.first-event']!
    assert.equal(first.count, 6)
    assert.ok(first.min! >= 58, `the first event came after ${first.min} ms`)
  })

  it('gRPC: calls and streams, each with its status, on agents too', async () => {
    const address = await serveGreeter()
    cleanUpAfterTest(stopGreeters)
    const proto = new URL('../packages/testcase/test/helpers/greeter.proto', import.meta.url)
    const files = {
      ...testThat(`
        const greeter = await this.grpc('api/greeter.proto', 'demo.Greeter', { address: '${address}' })
        this.assertEqual((await greeter.SayHello({ name: 'you' })).message, 'hello you')
        let many = 0
        for await (const { message } of greeter.SayMany({ name: 'you', times: 4 })) {
          this.assertEqual(message, 'you ' + many++)
        }
        this.assertEqual(many, 4)
        const chat = greeter.Chat()
        await chat.write({ name: 'a' })
        this.assertEqual((await chat.receive()).message, 'hello a')
        await chat.finish()
        const status = await greeter.SayHello({ name: '!NOT_FOUND' }).catch((error) => error.status)
        this.assertEqual(status, 'NOT_FOUND')`),
      'api/greeter.proto': await readFile(proto, 'utf8'),
    }
    const { summary } = await pass(['wire', '--users', '2', '--iterations', '3', '--agents', '2'], { files })
    assert.deepEqual(linesOf(summary), [
      'grpc demo.Greeter/Chat OK 6',
      'grpc demo.Greeter/SayHello NOT_FOUND 6',
      'grpc demo.Greeter/SayHello OK 6',
      'grpc demo.Greeter/SayMany OK 6',
    ])
    assert.equal(summary.hits.failed, 6, 'those that were not found')
    assert.equal(summary.counters['grpc.messages-received'], 30)
    assert.equal(summary.counters['grpc.messages-sent'], 6)
    assert.equal(summary.timings['grpc.first-message']!.count, 12)
  })

  it('TCP and UDP: each exchange is a hit, and a lost datagram a timeout', async () => {
    const [tcp, udp] = [await startTcpEcho(), await startUdpEcho()]
    const { summary } = await pass(['wire', '--users', '3', '--iterations', '2'], {
      files: testThat(`
        const line = await this.tcp('${tcp.address}', { name: 'echo' })
        for (const word of ['one', 'two']) {
          const answer = await line.exchange(word + '\\n', { name: 'say', until: '\\n' })
          this.assertEqual(answer.toString(), word.toUpperCase() + '\\n')
        }
        await line.close()
        const datagrams = await this.udp('${udp.address}')
        this.assertEqual((await datagrams.exchange('three', { name: 'send' })).toString(), 'THREE')
        const lost = await datagrams.exchange('lost', { name: 'send', timeout: '150ms' }).catch((error) => error.class)
        this.assertEqual(lost, 'timeout')`),
    })
    assert.equal(tcp.connections(), 6)
    assert.deepEqual([times(tcp.seen, 'one'), times(tcp.seen, 'two')], [6, 6])
    assert.deepEqual([times(udp.seen, 'three'), times(udp.seen, 'lost')], [6, 6])
    assert.deepEqual(linesOf(summary), [
      'tcp CONNECT echo ok 6',
      'tcp say ok 12',
      'udp send ok 6',
      'udp send timeout 6',
    ])
    assert.equal(summary.connections.opened, 6)
    assert.equal(summary.hits.failed, 6)
  })

  it('WebSocket: the handshake is a hit, messages and the time to the first are counted', async () => {
    const server = await startGreeting(60)
    const { summary } = await pass(['wire', '--users', '3', '--iterations', '2', '--agents', '2'], {
      files: testThat(`
        const ws = await this.createWs('${server.url}/chat', { name: 'chat' })
        this.assertEqual(await ws.receive(), 'welcome')
        await ws.send('hello')
        this.assertEqual(await ws.receive(), 'hello')
        await ws.close()`),
    })
    assert.equal(server.opened(), 6)
    assert.deepEqual(linesOf(summary), ['websocket GET chat 101 6'])
    const { opened, closed, messagesSent, messagesReceived } = summary.websockets
    assert.deepEqual(
      { opened, closed, messagesSent, messagesReceived },
      {
        opened: 6,
        closed: 6,
        messagesSent: 6,
        messagesReceived: 12,
      },
    )
    const first = summary.timings['websocket.first-message']!
    assert.equal(first.count, 6)
    assert.ok(first.min! >= 58, `the first message came after ${first.min} ms`)
  })

  it('HTTP/2 where it is asked for and offered, one connection for all requests of a user', async () => {
    const server = await startTls({ http2: true })
    const files = testThat(`
      const answers = await Promise.all(['/a', '/b', '/c'].map((path) => this.session.get('${server.url}' + path)))
      this.assertEqual(answers.map(({ status }) => status), [200, 200, 200])`)
    const load = ['wire', '--users', '2', '--iterations', '3', '--insecure']
    const { summary } = await pass([...load, '--http2'], { files })
    assert.deepEqual(new Set(server.seen.map(({ version }) => version)), new Set(['2.0']))
    assert.equal(server.seen.length, 18)
    assert.equal(summary.hits.count, 18)
    assert.equal(summary.hits.failed, 0)
    assert.equal(server.handshakes().all, 2)
    assert.equal(summary.connections.opened, 2)
    assert.equal(summary.connections.tlsHandshakes, 2)
    server.seen.length = 0
    const before = await pass(load, { files })
    assert.deepEqual(new Set(server.seen.map(({ version }) => version)), new Set(['1.1']))
    assert.equal(before.summary.hits.count, 18)
  })
})

/** How many requests came over each connection, in the order of their first ones. */
function byConnection(server: OwnServer): number[] {
  const counts = new Map<Socket, number>()
  for (const { request } of server.seen) counts.set(request.socket, (counts.get(request.socket) ?? 0) + 1)
  return [...counts.values()]
}

describe('connections', function () {
  this.timeout(180_000)

  it('fresh ones resume the TLS session of those before, as the target sees it', async () => {
    const server = await startTls()
    const files = testThat(`await this.session.get('${server.url}/', { name: 'home' })`)
    const load = ['wire', '--users', '2', '--iterations', '5', '--connections', 'fresh']
    const refused = await runCli(load, { files })
    assert.equal(refused.exitCode, 1, 'a certificate that nobody has signed')
    assert.deepEqual(linesOf(refused.summary!), ['http GET home tls 10'])
    assert.equal(server.seen.length, 0)
    for (const [trust, more] of [
      [['--insecure'], {}],
      [['--ca', 'ca.pem'], { 'ca.pem': server.certificate }],
    ] as const) {
      const before = server.handshakes()
      const { summary } = await pass([...load, ...trust], { files: { ...files, ...more } })
      const after = server.handshakes()
      const { opened, tlsHandshakes, tlsResumed } = summary.connections
      assert.deepEqual([opened, tlsHandshakes, after.all - before.all], [10, 10, 10])
      assert.equal(tlsResumed, after.resumed - before.resumed)
      assert.ok(tlsResumed > 0 && tlsResumed < 10, `${tlsResumed} of 10 were resumed`)
    }
    assert.equal(server.seen.length, 20)
  })

  it('are kept by their user, fresh for each execution, or shared, as --connections says', async () => {
    const server = await startServer((_request, response) => void setTimeout(() => response.end('{}'), 5))
    const files = testThat(`
      await this.session.get('${server.url}/1')
      await this.session.get('${server.url}/2')`)
    const load = ['wire', '--users', '6', '--iterations', '5', '--workers', '1']
    const connectionsOf = async (...more: string[]) => {
      server.forget()
      const { summary } = await pass([...load, ...more], { files })
      assert.equal(server.seen.length, 60)
      const counts = byConnection(server)
      assert.equal(summary.connections.opened, counts.length)
      return counts
    }
    assert.deepEqual(await connectionsOf(), Array<number>(6).fill(10))
    assert.deepEqual(await connectionsOf('--connections', 'fresh'), Array<number>(30).fill(2))
    const shared = await connectionsOf('--connections', 'shared', '--max-connections', '2')
    assert.equal(shared.length, 2)
    const limited = await connectionsOf('--max-requests', '4')
    assert.deepEqual(
      limited.toSorted((a, b) => b - a),
      [...Array<number>(12).fill(4), ...Array<number>(6).fill(2)],
    )
  })

  it('are closed when they were idle for longer than --keep-alive', async () => {
    const server = await startServer()
    const files = testThat(`await this.session.get('${server.url}/')`)
    const load = ['wire', '--iterations', '3', '--pause', '800ms']
    await pass([...load, '--keep-alive', '200ms'], { files })
    assert.deepEqual(byConnection(server), [1, 1, 1])
    server.forget()
    await pass(load, { files })
    assert.deepEqual(byConnection(server), [3])
  })

  it('start from the source addresses in turn', async function () {
    // Other systems have no 127.0.0.2 unless somebody gives it to them.
    if (process.platform !== 'linux') this.skip()
    const server = await startServer()
    const files = testThat(`await this.session.get('${server.url}/', { name: 'home' })`)
    const load = ['wire', '--iterations', '4', '--connections', 'fresh', '--workers', '1']
    await pass([...load, '--source-address', '127.0.0.2', '--source-address', '127.0.0.3'], { files })
    assert.deepEqual(
      server.seen.map(({ from }) => from),
      ['127.0.0.2', '127.0.0.3', '127.0.0.2', '127.0.0.3'],
    )
    // An address for documentation: no machine has it.
    const wrong = await runCli([...load, '--source-address', '192.0.2.1'], { files })
    assert.notEqual(wrong.exitCode, 0, wrong.stdout)
    assert.match(wrong.stdout + wrong.stderr, /192\.0\.2\.1/)
    assert.equal(server.seen.length, 4)
  })
})

describe('what is measured when it is asked for', function () {
  this.timeout(180_000)

  it('--phases: the parts of each hit', async () => {
    const server = await startTls({
      answer: (_request, response) => {
        setTimeout(() => {
          response.write('half')
          setTimeout(() => response.end('half'), 200)
        }, 200)
      },
    })
    const files = testThat(`await this.session.get('${server.url}/', { name: 'home' })`)
    const load = ['wire', '--users', '2', '--iterations', '3', '--insecure']
    const { run, summary } = await pass([...load, '--phases'], { files })
    const phases = new Map(summary.phases.map((each) => [each.phase, each]))
    for (const { name, method } of summary.phases) assert.deepEqual([name, method], ['home', 'GET'])
    // Two connections were opened, six requests made.
    for (const [phase, count, least] of [
      ['dns', 2, 0],
      ['connect', 2, 0],
      ['tls', 2, 0],
      ['send', 6, 0],
      ['wait', 6, 100],
      ['receive', 6, 100],
    ] as const) {
      const { time } = phases.get(phase)!
      assert.equal(time.count, count, phase)
      // A client that is late with the first half takes less time for the second: not each time.
      assert.ok(time.max! >= least, `${phase} took ${time.max} ms`)
    }
    // The parts are the whole.
    const parts = summary.phases.reduce((sum, { time }) => sum + time.mean! * time.count, 0)
    const whole = summary.serviceTime.mean! * 6
    assert.ok(whole >= 6 * 398, `whole ${whole} ms`)
    assert.ok(Math.abs(parts - whole) < 6 + whole * 0.02, `parts ${parts} ms, whole ${whole} ms`)
    assert.match(run.stdout, /wait/)
    const without = await pass(load, { files })
    assert.deepEqual(without.summary.phases, [])
  })

  it('--trace: the target can tell the execution of each request', async () => {
    const server = await startServer((request, response) => {
      if (!request.url!.startsWith('/events')) return response.end('{}')
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: over\n\n')
    })
    const files = testThat(`
      const query = '?id=' + this.executionId
      await this.session.get('${server.url}/first' + query, { name: 'first' })
      await this.session.post('${server.url}/second' + query, { name: 'second', json: {} })
      const events = await this.openEvents('${server.url}/events' + query, { name: 'events' })
      await events.receive()`)
    const load = ['wire', '--users', '3', '--iterations', '2', '--agents', '2']
    const { summary } = await pass([...load, '--trace'], { files })
    assert.equal(server.seen.length, 18)
    const spans = new Set<string>()
    for (const { url, request } of server.seen) {
      const header = String(request.headers['traceparent'])
      const [, trace, span] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(header) ?? assert.fail(header)
      assert.equal(trace, traceIdOf(summary.runId, url.searchParams.get('id')!))
      spans.add(`${trace} ${span}`)
    }
    assert.equal(spans.size, 18, 'each request is a span of its own')
    server.forget()
    await pass(load, { files })
    for (const { request } of server.seen) assert.equal(request.headers['traceparent'], undefined)
  })
})
