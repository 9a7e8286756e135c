import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'

import { Redis } from 'ioredis'

import { knownStatuses } from '../../src/protocols/redis-statuses.ts'
import { needs } from '../support/needs.ts'
import { Peer } from '../support/peer.ts'
import { RedisServer } from '../support/redis-server.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

describe('redis', () => {
  let server: RedisServer
  let proxy: WatchedProxy
  let client: Redis
  let direct: Redis

  before(async function () {
    server = await RedisServer.start(this)
    direct = new Redis(server.port, '127.0.0.1')
  })

  after(async () => {
    direct?.disconnect()
    await server?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    await direct.flushall()
    proxy = await WatchedProxy.start({ backend: server.address, protocol: 'redis' })
    client = new Redis(proxy.port, '127.0.0.1', {
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: 60_000,
    })
    await client.ping()
  })

  afterEach(async () => {
    client.disconnect()
    await proxy[Symbol.asyncDispose]()
  })

  it('#25 redis: the client sees the intended error and nothing else, and its connection goes on', async () => {
    const connection = await client.client('ID')
    for (const status of knownStatuses) {
      const attributes = { statuses: [`-${status}`], target: '127.0.0.1:7001', match: { verb: 'SET' } }
      proxy.set({ type: 'error', attributes })
      const error = await client.set('foo', '1').then(
        () => assert.fail('no error'),
        (reason: Error) => reason.message,
      )
      // CRC16 of "foo" is what the specification of clusters says, too.
      const isRedirection = status === 'MOVED' || status === 'ASK'
      if (isRedirection) assert.equal(error, `${status} 12182 127.0.0.1:7001`)
      else assert.match(error, new RegExp(`^${status} [^\r\n]+$`))
      assert.equal(await client.get('foo'), null)
      assert.equal(await client.client('ID'), connection)
      assert.deepEqual(
        proxy.faults.map(({ request, detail, fault }) => ({ request, detail, fault })),
        [{ request: 'SET foo', detail: { status }, fault: 'redis_error' }],
      )
    }
  })

  it('#25 redis: a text of its own, and work that the client does not learn of', async () => {
    proxy.set({
      type: 'redis_error',
      attributes: { statuses: ['ERR no luck, today'], when: 'after', match: { path: 'a*' } },
    })
    await assert.rejects(client.set('abc', '1'), { message: 'ERR no luck, today' })
    assert.equal(await client.set('b', '1'), 'OK')
    assert.equal(await direct.get('abc'), '1')
  })

  it('#25 redis: 1,000 pipelined commands keep their order with errors and delays among them', async () => {
    proxy.set(
      { type: 'error', toxicity: 0.2, attributes: { statuses: ['-OOM:3', '-READONLY'] } },
      { type: 'delay', toxicity: 0.02, attributes: { sleep: '5ms' } },
      { type: 'delay', name: 'after', toxicity: 0.02, attributes: { sleep: '5ms', before: false } },
    )
    const pipeline = client.pipeline()
    for (let at = 0; at < 1000; at++) pipeline.echo(String(at))
    const replies = (await pipeline.exec())!
    const errors = proxy.faults.filter(({ fault }) => fault === 'redis_error')
    const first = Math.min(...proxy.faults.map(({ ordinal }) => ordinal))
    assert.ok(first > 0)
    const failed: number[] = []
    for (const [at, [error, value]] of replies.entries()) {
      if (error === null) {
        assert.equal(value, String(at))
        continue
      }
      failed.push(at)
      assert.match(error.message, /^(OOM|READONLY) /)
    }
    // The 99.9 % bound of 1,000 draws of 20 %.
    assert.ok(failed.length > 158 && failed.length < 242, `${failed.length} errors`)
    const offset = errors[0]!.ordinal - failed[0]!
    assert.deepEqual(
      failed,
      errors.map(({ ordinal }) => ordinal - offset),
    )
    assert.ok(proxy.faults.length > errors.length + 10)
    proxy.set()
    assert.equal(await client.echo('done'), 'done')
  })

  it('#25 redis: an error within MULTI discards the transaction, and the next one works', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-OOM'], match: { path: 'bad' } } })
    await assert.rejects(client.multi().set('good', '1').set('bad', '1').set('good', '2').exec(), {
      message: /^EXECABORT /,
    })
    assert.equal(await direct.get('good'), null)
    assert.deepEqual(await client.multi().set('good', '3').get('good').exec(), [
      [null, 'OK'],
      [null, '3'],
    ])
  })

  it('#25 redis: an error of EXEC, MULTI and DISCARD leaves no transaction', async () => {
    const rest = 'GET a\r\n'
    const told = async (
      verb: string,
      when: string,
      status: string,
      sent: string,
      replies: string,
    ): Promise<void> => {
      await direct.set('a', '0')
      proxy.set({ type: 'error', attributes: { statuses: [status], when, target: 'h:1', match: { verb } } })
      const peer = await Peer.connect(proxy.proxy.address)
      peer.write(sent)
      assert.equal((await peer.until(replies.length)).toString(), replies)
      peer.socket.destroy()
    }
    const transaction = `MULTI\r\nSET a 1\r\nEXEC\r\n${rest}`
    const discarded = '-EXECABORT Transaction discarded because of: READONLY '
    const readonly = "You can't write against a read only replica.\r\n"
    await told(
      'EXEC',
      'instead',
      'READONLY',
      transaction,
      `+OK\r\n+QUEUED\r\n${discarded}${readonly}$1\r\n0\r\n`,
    )
    await told('EXEC', 'instead', 'MOVED', transaction, '+OK\r\n+QUEUED\r\n-MOVED 0 h:1\r\n$1\r\n0\r\n')
    await told('EXEC', 'after', 'ERR x', transaction, '+OK\r\n+QUEUED\r\n-ERR x\r\n$1\r\n1\r\n')
    for (const when of ['instead', 'after']) {
      await told(
        'MULTI',
        when,
        'ERR x',
        transaction,
        '-ERR x\r\n+OK\r\n-ERR EXEC without MULTI\r\n$1\r\n1\r\n',
      )
      await told(
        'DISCARD',
        when,
        'ERR x',
        `MULTI\r\nSET a 1\r\nDISCARD\r\n${rest}`,
        '+OK\r\n+QUEUED\r\n-ERR x\r\n$1\r\n0\r\n',
      )
      await told(
        'SET',
        when,
        'ERR x',
        `MULTI\r\nSET a 1\r\nGET a\r\nEXEC\r\n${rest}`,
        '+OK\r\n-ERR x\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of previous errors.\r\n$1\r\n0\r\n',
      )
    }
  })

  it('#25 redis: a reply that is cut ends the connection, after all replies before it', async () => {
    await direct.set('k', '0123456789')
    await direct.rpush('l', 'abcdef', 'g')
    const samples: [Record<string, string>, string, string][] = [
      [{ mode: 'truncate', when: 'instead' }, 'GET k', `$64\r\n${'x'.repeat(32)}`],
      [{ mode: 'truncate', when: 'after' }, 'GET k', '$10\r\n01234'],
      [{ mode: 'truncate', when: 'after' }, 'LRANGE l 0 -1', '*2\r\n$6\r\nabc'],
      [{ mode: 'truncate', when: 'after' }, 'STRLEN k', ':10'],
      [{ mode: 'truncate', when: 'after' }, 'GET missing', '$-1'],
      [{ mode: 'cut', when: 'instead' }, 'GET k', '-ERR ba'],
      [{ mode: 'cut', when: 'after' }, 'LRANGE l 0 -1', '*2\r\n'],
      [{ mode: 'cut', when: 'after' }, 'GET k', '$10\r\n'],
      [{ mode: 'cut', when: 'after' }, 'SET k 0123456789', '+OK'],
    ]
    for (const [attributes, sent, expected] of samples) {
      proxy.set({
        type: 'error',
        attributes: { statuses: ['ERR bad luck'], ...attributes, match: { verb: sent.split(' ')[0]! } },
      })
      const peer = await Peer.connect(proxy.proxy.address)
      peer.write(`ECHO hi\r\n${sent}\r\nECHO never\r\n`)
      assert.equal(await peer.ended(), 'end')
      assert.equal(peer.text, `$2\r\nhi\r\n${expected}`, sent)
      assert.equal(proxy.faults.length, 1)
      peer.socket.destroy()
    }
  })

  it('#25 redis: RESP3, with pushes among the replies', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-LOADING'], match: { verb: 'GET', path: 'bad' } } })
    const peer = await Peer.connect(proxy.proxy.address)
    const untilText = async (text: string): Promise<string> => {
      while (!peer.text.endsWith(text)) await peer.until(peer.length + 1)
      return peer.text
    }
    peer.write('HELLO 3\r\nECHO ready\r\n')
    assert.match(await untilText('$5\r\nready\r\n'), /^%7\r\n/)
    peer.write('CLIENT TRACKING ON\r\nGET a\r\nSUBSCRIBE news\r\nECHO on\r\n')
    assert.match(
      await untilText('$2\r\non\r\n'),
      /\+OK\r\n_\r\n>3\r\n\$9\r\nsubscribe\r\n\$4\r\nnews\r\n:1\r\n\$2\r\non\r\n$/,
    )
    await direct.set('a', '1')
    await untilText('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n')
    await direct.publish('news', 'hello')
    await untilText('>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n')
    peer.write('GET a\r\nGET bad\r\nHGETALL none\r\n')
    await untilText('$1\r\n1\r\n-LOADING Redis is loading the dataset in memory\r\n%0\r\n')
    assert.deepEqual(
      proxy.faults.map(({ request }) => request),
      ['GET bad'],
    )
    peer.socket.destroy()
  })

  it('#25 redis: subscribers of RESP2 get all messages and confirmations, with errors among them', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-ERR busy'], match: { verb: 'PING' } } })
    const got: string[] = []
    client.on('message', (channel: string, text: string) => got.push(`${channel} ${text}`))
    client.on('pmessage', (pattern: string, channel: string, text: string) =>
      got.push(`${pattern} ${channel} ${text}`),
    )
    assert.equal(await client.subscribe('a', 'b', 'c'), 3)
    assert.equal(await client.psubscribe('p*', 'q*'), 5)
    await direct.publish('b', '1')
    await assert.rejects(client.ping(), { message: 'ERR busy' })
    await direct.publish('p1', '2')
    assert.equal(await client.unsubscribe('a', 'b', 'c'), 2)
    await direct.publish('a', 'nobody')
    await direct.publish('q1', '3')
    while (got.length < 3) await once(client, 'pmessage')
    assert.equal(await client.punsubscribe('p*', 'q*'), 0)
    assert.deepEqual(got, ['b 1', 'p* p1 2', 'q* q1 3'])
    assert.equal(await client.set('a', '1'), 'OK')
    await assert.rejects(client.ping(), { message: 'ERR busy' })
    const peer = await Peer.connect(proxy.proxy.address)
    peer.write('SUBSCRIBE a b\r\nUNSUBSCRIBE\r\nPING\r\nECHO hi\r\n')
    const expected = '*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n'.length * 2 + 2 * 33 + 19
    const text = (await peer.until(expected)).toString()
    assert.match(text, /:1\r\n\*3\r\n\$11\r\nunsubscribe\r\n\$1\r\n[ab]\r\n:0\r\n-ERR busy\r\n\$2\r\nhi\r\n$/)
    peer.socket.destroy()
  })

  it('leaves commands without a reply alone', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-ERR no'], match: { verb: 'SET,CLIENT' } } })
    const peer = await Peer.connect(proxy.proxy.address)
    peer.write(
      'CLIENT REPLY SKIP\r\nSET a 1\r\nCLIENT REPLY OFF\r\nSET b 2\r\nGET a\r\nCLIENT REPLY ON\r\nGET b\r\nSET b 3\r\n',
    )
    const expected = '+OK\r\n$1\r\n2\r\n-ERR no\r\n'
    assert.equal((await peer.until(expected.length)).toString(), expected)
    assert.equal(proxy.faults.length, 1)
    peer.socket.destroy()
  })

  it('knows that RESET has a reply after CLIENT REPLY OFF', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-ERR no'], match: { verb: 'GET' } } })
    const peer = await Peer.connect(proxy.proxy.address)
    const skipped = 'CLIENT REPLY SKIP\r\nRESET\r\nECHO b\r\n'
    peer.write(`CLIENT REPLY OFF\r\nGET a\r\nRESET\r\nGET a\r\n${skipped}GET a\r\n`)
    const expected = '+RESET\r\n-ERR no\r\n$1\r\nb\r\n-ERR no\r\n'
    assert.equal((await peer.until(expected.length)).toString(), expected)
    peer.socket.destroy()
  })

  it('waits with an error for the reply of a command that blocks', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-ERR no'], match: { verb: 'GET' } } })
    const peer = await Peer.connect(proxy.proxy.address)
    peer.write('BLPOP queue 0\r\nGET a\r\nECHO b\r\n')
    while (proxy.faults.length === 0) await direct.ping()
    assert.equal(peer.length, 0)
    await direct.rpush('queue', 'x')
    const expected = '*2\r\n$5\r\nqueue\r\n$1\r\nx\r\n-ERR no\r\n$1\r\nb\r\n'
    assert.equal((await peer.until(expected.length)).toString(), expected)
    peer.socket.destroy()
  })

  it('tells one event of a connection that was hit as a whole', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-BUSY'], unit: 'connection' } })
    const peer = await Peer.connect(proxy.proxy.address)
    peer.write('PING\r\nPING\r\nGET a\r\n')
    const text = (await peer.until(258)).toString()
    assert.equal(text.match(/^-BUSY Redis is busy/gm)?.length, 3)
    assert.equal(proxy.faults.length, 1)
    peer.socket.destroy()
  })

  it('lets a replica follow its master', async function () {
    await direct.set('before', '1')
    await direct.config('SET', 'repl-diskless-sync-delay', '0')
    proxy.set({ type: 'error', attributes: { statuses: ['-ERR no'], match: { verb: 'SET' } } })
    const [host, port] = ['127.0.0.1', String(proxy.port)]
    await using replica = await RedisServer.start(this, ['--replicaof', `${host} ${port}`])
    const reader = new Redis(replica.port, host)
    await direct.set('after', '2')
    while ((await reader.get('after')) !== '2') await reader.ping()
    assert.equal(await reader.get('before'), '1')
    reader.disconnect()
    assert.ok(proxy.events.some((event) => event.type === 'opaque' && event.reason === 'replication'))
    assert.equal(proxy.faults.length, 0)
  })

  it('passes MONITOR and what nobody asked for', async () => {
    const monitor = await client.monitor()
    const told = once(monitor, 'monitor')
    await direct.get('watched')
    const [, words] = (await told) as [string, string[]]
    assert.deepEqual(words, ['get', 'watched'])
    monitor.disconnect()
    assert.ok(proxy.events.some((event) => event.type === 'opaque' && event.reason === 'MONITOR'))
    const [, most] = (await direct.config('GET', 'maxclients')) as string[]
    await direct.config('SET', 'maxclients', '1')
    const refused = await Peer.connect(proxy.proxy.address)
    assert.equal(await refused.ended(), 'end')
    assert.equal(refused.text, '-ERR max number of clients reached\r\n')
    await direct.config('SET', 'maxclients', most!)
    refused.socket.destroy()
  })

  it('passes a value of 200 MB in both directions without keeping it', async () => {
    proxy.set({ type: 'error', attributes: { statuses: ['-OOM'], match: { path: 'small' } } })
    const piece = Buffer.alloc(1 << 20, 'x')
    const pieces = 200
    let got = 0
    // All of it is read into one place: what grows is not the client.
    const callback = (length: number): boolean => ((got += length), true)
    const socket = connect({ ...proxy.proxy.address, onread: { buffer: Buffer.alloc(65_536), callback } })
    await once(socket, 'connect')
    const before = process.memoryUsage().rss
    let most = before
    const look = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10)
    const head = `*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${pieces * piece.length}\r\n`
    socket.write(head)
    for (let at = 0; at < pieces; at++) if (!socket.write(piece)) await once(socket, 'drain')
    socket.write('\r\nGET big\r\nSET small 1\r\n')
    const expected =
      5 +
      `$${pieces * piece.length}\r\n`.length +
      pieces * piece.length +
      2 +
      "-OOM command not allowed when used memory > 'maxmemory'.\r\n".length
    while (got < expected) await new Promise((resolve) => setTimeout(resolve, 5))
    clearInterval(look)
    assert.equal(got, expected)
    assert.ok(most - before < 100e6, `${Math.round((most - before) / 1e6)} MB more`)
    await direct.del('big')
    socket.destroy()
  })

  it('passes redis-benchmark unharmed', async function () {
    needs(this, 'redis-benchmark')
    const run = async (pipelined: string, tests: string): Promise<void> => {
      const options = [
        '-p',
        String(proxy.port),
        '-n',
        '5000',
        '-c',
        '20',
        '-P',
        pipelined,
        '-r',
        '1000',
        '-q',
      ]
      const { stdout, stderr } = await promisify(execFile)('redis-benchmark', [...options, '-t', tests])
      const asked = tests.split(',').length
      assert.ok((stdout.match(/requests per second/g) ?? []).length >= asked, stdout)
      assert.doesNotMatch(stdout + stderr, /error/i)
    }
    await run('1', 'set,get')
    await run('32', 'ping_inline,ping_mbulk,set,get,incr,lpush,lpop,sadd,hset,spop,zadd,lrange_100,mset')
    assert.deepEqual(
      proxy.events.filter((event) => event.type === 'opaque' || event.type === 'fault'),
      [],
    )
  })
})
