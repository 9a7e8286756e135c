import assert from 'node:assert/strict'

import { MemcacheClient } from 'memcache-client'

import { Memcached } from '../support/memcached.ts'
import { Peer } from '../support/peer.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

describe('memcache', () => {
  let server: Memcached
  let proxy: WatchedProxy
  let client: MemcacheClient

  before(async function () {
    server = await Memcached.start(this)
  })

  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    proxy = await WatchedProxy.start({ backend: server.address, protocol: 'memcache' })
    client = new MemcacheClient({
      server: { server: `127.0.0.1:${proxy.port}`, maxConnections: 1 },
      cmdTimeout: 30_000,
    })
    await client.cmd('flush_all')
  })

  afterEach(async () => {
    client.shutdown()
    await proxy[Symbol.asyncDispose]()
  })

  /** Says it on a connection of its own. @returns all that comes until the connection ends */
  async function said(text: string, { port }: { port: number } = proxy): Promise<string> {
    const peer = await Peer.connect({ host: '127.0.0.1', port })
    peer.write(Buffer.from(text, 'latin1'))
    await peer.ended()
    peer.socket.destroy()
    return peer.text
  }

  it('#25 memcache: the client sees the intended error and nothing else, and its connection goes on', async () => {
    const samples: [string, () => Promise<unknown>, string][] = [
      ['SERVER_ERROR', () => client.set('a', 'x'), 'SERVER_ERROR out of memory storing object'],
      ['SERVER_ERROR', () => client.get('a'), 'SERVER_ERROR out of memory writing get response'],
      ['CLIENT_ERROR', () => client.set('a', 'x'), 'CLIENT_ERROR bad data chunk'],
      ['CLIENT_ERROR no, thanks', () => client.incr('a', 1), 'CLIENT_ERROR no, thanks'],
      ['ERROR', () => client.delete('a'), 'ERROR'],
    ]
    for (const [status, call, expected] of samples) {
      proxy.set({ type: 'error', attributes: { statuses: [status], match: { path: 'a' } } })
      await assert.rejects(call(), (error: Error) => error.message.includes(expected))
      assert.deepEqual(await client.set('b', 'y'), ['STORED'])
      assert.equal((await client.get<string>('b')).value, 'y')
      assert.equal(proxy.faults.length, 1)
      assert.equal(proxy.events.filter(({ type }) => type === 'accept' || type === 'close').length, 0)
      proxy.set()
      assert.equal(await client.get('a'), undefined)
    }
  })

  it('#25 memcache: a miss where there is none, of commands that can miss', async () => {
    await client.set('a', 'x')
    proxy.set({ type: 'error', attributes: { statuses: ['miss'] } })
    assert.equal(await client.get('a'), undefined)
    await assert.rejects(client.delete('a'), /NOT_FOUND/)
    await assert.rejects(client.append('a', 'x'), /NOT_STORED/)
    assert.deepEqual(await client.set('b', 'y'), ['STORED'])
    assert.equal(
      await said('mg a v\r\nmd a O7 k\r\ntouch a 0\r\nset a 0 0 1\r\nz\r\nquit\r\n'),
      'EN\r\nNF O7 ka\r\nNOT_FOUND\r\nSTORED\r\n',
    )
    proxy.set()
    assert.equal((await client.get<string>('a')).value, 'z')
  })

  it('#25 memcache: work that the client does not learn of', async () => {
    proxy.set({ type: 'error', attributes: { when: 'after', match: { verb: 'set' } } })
    await assert.rejects(client.set('a', 'x'), /out of memory/)
    assert.equal((await client.get<string>('a')).value, 'x')
  })

  it('#25 memcache: a value that is cut ends the connection, after all replies before it', async () => {
    await client.set('k', '0123456789')
    const samples: [Record<string, string>, string, string][] = [
      [{ mode: 'truncate', when: 'instead' }, 'get k', `VALUE k 0 64\r\n${'x'.repeat(32)}`],
      [{ mode: 'truncate', when: 'instead' }, 'mg k v', `VA 64\r\n${'x'.repeat(32)}`],
      [{ mode: 'truncate', when: 'after' }, 'get k', 'VALUE k 0 10\r\n01234'],
      [{ mode: 'truncate', when: 'after' }, 'mg k v', 'VA 10\r\n01234'],
      [{ mode: 'truncate', when: 'after' }, 'get missing', 'END'],
      [{ mode: 'cut', when: 'instead' }, 'touch k 0', 'SERVER_ERROR '],
      [{ mode: 'cut', when: 'after' }, 'get k', 'VALUE k 0 10\r\n'],
      [{ mode: 'cut', when: 'after' }, 'touch k 0', 'TOUCHED'],
    ]
    for (const [attributes, sent, expected] of samples) {
      const [verb] = sent.split(' ')
      proxy.set({ type: 'error', attributes: { ...attributes, match: { verb } } })
      assert.equal(await said(`mn\r\n${sent}\r\nversion\r\n`), `MN\r\n${expected}`, sent)
      assert.equal(proxy.faults.length, 1)
    }
    proxy.set({ type: 'error', attributes: { mode: 'truncate' } })
    assert.deepEqual(await client.set('k', '1'), ['STORED'])
  })

  it('#25 memcache: 1,000 pipelined commands keep their order with errors and delays among them', async () => {
    proxy.set(
      { type: 'error', toxicity: 0.2, attributes: { statuses: ['SERVER_ERROR', 'CLIENT_ERROR', 'miss'] } },
      { type: 'delay', toxicity: 0.02, attributes: { sleep: '5ms' } },
      { type: 'delay', name: 'after', toxicity: 0.02, attributes: { sleep: '5ms', before: false } },
    )
    let sent = ''
    for (let at = 0; at < 1000; at++) {
      // What has no reply is never hit, and takes no place among those that are drawn for.
      if (at % 3 === 0) sent += `set silent 0 0 3 noreply\r\n\r\nx\r\n`
      sent += `set k${at} 0 0 6\r\nEND\r\n${at % 10}\r\nget k${at}\r\n`
    }
    const text = await said(`${sent}quit\r\n`)
    const pattern =
      /(?:(STORED)|(SERVER_ERROR out of memory storing object|CLIENT_ERROR bad data chunk))\r\n(?:VALUE (k\d+) 0 6\r\nEND\r\n(\d)\r\nEND|(END)|((?:SERVER|CLIENT)_ERROR [^\r]*))\r\n/gy
    let errors = 0
    for (let at = 0; at < 1000; at++) {
      const reply = pattern.exec(text)
      assert.ok(reply !== null, `reply ${at}`)
      const [, , storing, key, digit, missed, getting] = reply
      if (key !== undefined) assert.deepEqual([key, digit], [`k${at}`, String(at % 10)])
      if (storing !== undefined) errors++
      if (getting !== undefined || (missed !== undefined && storing === undefined)) errors++
    }
    assert.equal(pattern.lastIndex, text.length)
    const told = proxy.faults.filter(({ fault }) => fault === 'memcache_error')
    // A get behind a set that was hit misses anyway.
    assert.ok(errors <= told.length && errors > 250, `${errors} of ${told.length}`)
  })

  it('leaves commands without a reply alone', async () => {
    proxy.set({ type: 'error', attributes: { match: { path: 'a' } } })
    assert.equal(
      await said('set a 0 0 1 noreply\r\nx\r\nmg a v q\r\nmn\r\nget a\r\nquit\r\n'),
      'VA 1\r\nx\r\nMN\r\nSERVER_ERROR out of memory writing get response\r\n',
    )
    assert.equal((proxy.set(), await client.get<string>('a')).value, 'x')
  })

  it('understands well and badly formed lines as the server does', async () => {
    const lines = [
      'set a 0 0 3\r\nabc\r\n',
      'set a 0 0 3 noreply\r\nabc\r\n',
      'set a 0 0 3 other\r\nabc\r\n',
      'set a 0 0\r\n',
      'set a 0 0 x\r\n',
      'set a 0 0 -1\r\n',
      'set a -1 0 3\r\n',
      'set a 0 x 3\r\n',
      'set a 0 -1 3\r\nabc\r\n',
      'set a 0 0 3 4 5\r\n',
      `set ${'k'.repeat(250)} 0 0 3\r\nabc\r\n`,
      `set ${'k'.repeat(251)} 0 0 3\r\n`,
      'set  a  0  0  3\r\nabc\r\n',
      'set a 0 0 3\nabc\r\n',
      'SET a 0 0 3\r\n',
      `set a 0 0 2000000\r\n${'x'.repeat(2e6)}\r\n`,
      'cas a 0 0 3 1\r\nabc\r\n',
      'cas a 0 0 3\r\n',
      'cas a 0 0 3 x\r\n',
      'append a 0 0 1\r\n\n\r\n',
      'add b 4294967295 0 0\r\n\r\n',
      'replace b 0 0 1\r\n\r\r\n',
      'get a\r\n',
      'get a b a\r\n',
      'gets a\r\n',
      'gat 0 a b\r\n',
      'get\r\n',
      '\r\n',
      'bogus\r\n',
      'incr a 1\r\n',
      'incr a 1 noreply\r\n',
      'delete a 0 noreply\r\n',
      'delete a\r\n',
      'touch a 0\r\n',
      'stats\r\n',
      'stats items\r\n',
      'stats settings\r\n',
      'stats reset\r\n',
      'stats bogus\r\n',
      'verbosity 0\r\n',
      'flush_all 1000 noreply\r\n',
      'cache_memlimit 64\r\n',
      'lru_crawler metadump all\r\n',
      'ms m 3\r\nabc\r\n',
      'ms m 3 T0 c\r\nabc\r\n',
      'ms m\r\n',
      'ms m x\r\n',
      'ms m 3 b\r\nabc\r\n',
      `ms ${'k'.repeat(251)} 3\r\n`,
      'mg m v k f s O12\r\n',
      'mg m\r\n',
      'mg none v\r\n',
      'ma n N0 J5 v\r\n',
      'md m\r\n',
      'me a\r\n',
      'mn\r\n',
    ]
    proxy.set({
      type: 'error',
      attributes: { statuses: ['CLIENT_ERROR mark'], match: { path: 'mark' } },
    })
    // Numbers and lists differ from time to time; what is behind them must not.
    const shape = (text: string): string =>
      text
        .replaceAll(/\d+/g, '0')
        .replaceAll(/^(?:STAT|key=).*\r?\n/gm, '')
        // The crawler may not have come to rest after the metadump that was asked for just before.
        .replaceAll(/^BUSY .*\r\n/gm, 'END\r\n')
    for (const line of lines) {
      const sent = `flush_all\r\nset a 0 0 1\r\n5\r\n${line}get mark\r\nmn\r\nquit\r\n`
      const expected = await said(sent, server)
      assert.ok(expected.endsWith('END\r\nMN\r\n'), line)
      const marked = `${expected.slice(0, -'END\r\nMN\r\n'.length)}CLIENT_ERROR mark\r\nMN\r\n`
      assert.equal(shape(await said(sent)), shape(marked), line)
    }
    assert.equal(proxy.faults.length, lines.length)
  })

  it('passes the binary protocol as it is, and says so', async () => {
    proxy.set({ type: 'error' })
    // A no-op (code 10), and quit (7).
    const noop = `\x80\x0a${'\0'.repeat(22)}`
    const text = await said(`${noop}\x80\x07${'\0'.repeat(22)}`)
    assert.equal(text.slice(0, 2), '\x81\x0a')
    assert.equal(text.length, 48)
    assert.deepEqual(
      proxy.events
        .filter(({ type }) => type === 'opaque' || type === 'fault')
        .map((event) => 'reason' in event && event.reason),
      ['the binary protocol of memcached'],
    )
  })

  it('passes values of any bytes and of 1 MB', async () => {
    proxy.set({ type: 'error', attributes: { match: { path: 'none' } } })
    const bytes = Buffer.alloc(1_000_000, 'VALUE a 0 5\r\nEND\r\n\0\xff', 'latin1')
    await client.set('big', bytes, { compress: false })
    assert.deepEqual((await client.get<Buffer>('big')).value, bytes)
  })
})
