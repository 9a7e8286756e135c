import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket as Datagrams } from 'node:dgram'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { keepUserSockets, settleExecution } from '../../../src/user-link.ts'
import { closedPort, makeCertificate, portOf, serveTcp, stopServers } from '../../helpers/servers.ts'
import { makeUser, releaseUsers, type TestUser } from '../../helpers/user.ts'

const hitsOf = ({ meter }: TestUser) =>
  meter.hits.map(({ kind, name, method, status, failed }) => [kind, name, method, status, failed])

/** Answers each line with itself in capitals, in two pieces; `quit` ends, `cut` breaks, `silent` says nothing. */
function shout(socket: Socket): void {
  let rest = ''
  socket.on('data', (bytes) => {
    const lines = (rest + bytes.toString()).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      if (line === 'quit') socket.end('bye')
      else if (line === 'cut') socket.resetAndDestroy()
      else if (line !== 'silent') {
        // Without delay (of Nagle) the two are two packets.
        socket.setNoDelay(true).write(line.slice(0, 2).toUpperCase())
        socket.write(`${line.slice(2).toUpperCase()}\n`)
      }
    }
  })
}

describe('this.tcp', () => {
  let port: number
  let sockets: Socket[]
  let user: TestUser

  beforeEach(async () => {
    sockets = []
    ;({ port } = await serveTcp((socket) => {
      sockets.push(socket)
      shout(socket)
    }))
    user = makeUser()
  })

  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  const open = () => user.test.tcp(`127.0.0.1:${port}`)

  it('exchanges: one hit each, with its bytes', async () => {
    const connection = await open()
    assert.equal(String(await connection.exchange('hello\n', { name: 'shout', until: '\n' })), 'HELLO\n')
    const tags = { a: 'b' }
    const answer = await connection.exchange(Buffer.from('more\nand more\n'), {
      name: 'twice',
      until: (bytes) => (bytes.length >= 14 ? 14 : 0),
      tags,
    })
    assert.equal(String(answer), 'MORE\nAND MORE\n')
    assert.deepEqual(hitsOf(user), [
      ['tcp', `127.0.0.1:${port}`, 'CONNECT', 'ok', false],
      ['tcp', 'shout', '', 'ok', false],
      ['tcp', 'twice', '', 'ok', false],
    ])
    assert.deepEqual(
      user.meter.hits.map(({ bytesIn, bytesOut, tags: own }) => [bytesIn, bytesOut, own]),
      [
        [0, 0, null],
        [6, 6, null],
        [14, 14, tags],
      ],
    )
    await connection.close()
    await connection.close()
    assert.equal(connection.readyState, 'closed')
    assert.deepEqual(user.meter.connections, ['opened', 'closed'])
  })

  it('sends and receives without a hit, and keeps what comes behind an answer', async () => {
    const connection = await open()
    await connection.send('one\ntwo\n')
    assert.equal(String(await connection.receive('\n')), 'ONE\n')
    assert.equal(String(await connection.receive(2)), 'TW')
    assert.equal(String(await connection.exchange('', { name: 'rest', until: 'O\n' })), 'O\n')
    await assert.rejects(connection.receive('\n', { timeout: 5 }), {
      name: 'StreamError',
      message: /after 5 ms/,
    })
    await connection.send('three\n')
    assert.equal(String(await connection.receive('\n', { timeout: '10s' })), 'THREE\n')
    assert.equal(user.meter.hits.length, 2)
  })

  it('names what breaks an exchange', async () => {
    const ended = await open()
    await assert.rejects(ended.exchange('quit\n', { name: 'quit', until: '\n' }), {
      name: 'RequestError',
      class: 'closed',
    })
    await assert.rejects(ended.exchange('x\n', { name: 'late', until: '\n' }), { class: 'closed' })
    const cut = await open()
    await assert.rejects(cut.exchange('cut\n', { name: 'cut', until: '\n' }), { class: 'reset' })
    const slow = await open()
    await assert.rejects(slow.exchange('silent\n', { name: 'slow', until: '\n', timeout: 30 }), {
      class: 'timeout',
    })
    await slow.closed
    await assert.rejects(user.test.tcp(`127.0.0.1:${await closedPort()}`, { name: 'gone' }), {
      class: 'refused',
    })
    assert.deepEqual(
      hitsOf(user)
        .filter(([, , method, status]) => method === '' || status !== 'ok')
        .map(([, name, , status, failed]) => [name, status, failed]),
      [
        ['quit', 'closed', true],
        ['late', 'closed', true],
        ['cut', 'reset', true],
        ['slow', 'timeout', true],
        ['gone', 'refused', true],
      ],
    )
    assert.ok(user.meter.hits.find(({ name }) => name === 'slow')!.micros >= 25_000)
    settleExecution(user.test)
  })

  it('bounds what nobody waits for', async () => {
    const connection = await user.test.tcp(`127.0.0.1:${port}`, { maxBytes: 1000 })
    while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
    sockets[0]!.write('x'.repeat(5000))
    await connection.closed
    assert.throws(() => settleExecution(user.test), { name: 'StreamError', message: /more than 1000 bytes/ })
    await assert.rejects(connection.send('x'), /the connection is over/)
    await assert.rejects(connection.receive('\n'), /the connection is over/)
    const endless = await user.test.tcp(`127.0.0.1:${port}`, { maxBytes: 1000 })
    const text = `${'y'.repeat(3000)}\n`
    await assert.rejects(endless.exchange(text, { name: 'endless', until: '!' }), {
      class: 'protocol',
      message: /more than 1000 bytes came without the end/,
    })
  })

  it('refuses what cannot be, and throws on what the test itself throws', async () => {
    await assert.rejects(user.test.tcp('localhost'), { name: 'UsageError', message: /give "host:port"/ })
    await assert.rejects(user.test.tcp('localhost:70000'), { name: 'UsageError' })
    const connection = await open()
    await assert.rejects(connection.exchange('x\n', { name: '', until: '\n' }), /needs a name/)
    await assert.rejects(
      connection.exchange('x\n', { name: 'x' } as never),
      /until says where an answer ends/,
    )
    await assert.rejects(connection.receive(0), /until says/)
    const waiting = connection.receive('\n')
    await assert.rejects(connection.receive('\n'), /await it first/)
    await assert.rejects(connection.exchange('unsent\n', { name: 'x', until: '\n' }), /await it first/)
    await connection.send('ok\n')
    assert.equal(String(await waiting), 'OK\n')
    const until = () => {
      throw new TypeError('mine')
    }
    await assert.rejects(connection.exchange('x\n', { name: 'own', until }), {
      name: 'TypeError',
      message: 'mine',
    })
  })

  it('is cut by the end of the run', async () => {
    const connection = await open()
    const other = await open()
    const exchanging = connection.exchange('silent\n', { name: 'cut', until: '\n' })
    const receiving = other.receive('\n')
    user.cut.abort()
    await assert.rejects(exchanging, { name: 'InterruptedError' })
    await assert.rejects(receiving, { name: 'InterruptedError' })
    await assert.rejects(open(), { name: 'InterruptedError' })
    assert.deepEqual(hitsOf(user).at(-1), ['tcp', 'cut', '', 'interrupted', false])
  })

  it('ends with its execution, or with its user', async () => {
    const kept = await open()
    keepUserSockets(user.test)
    const own = await open()
    settleExecution(user.test)
    await own.closed
    assert.equal(String(await kept.exchange('hello\n', { name: 'x', until: '\n' })), 'HELLO\n')
    await releaseUsers()
    assert.equal(kept.readyState, 'closed')
  })

  it('speaks TLS', async () => {
    const { key, cert } = makeCertificate()
    const server = createTlsServer({ key, cert }, (socket) => void socket.on('error', () => {}).pipe(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const address = `localhost:${portOf(server)}`
      const trusting = makeUser({ ca: cert })
      const connection = await trusting.test.tcp(address, { tls: true })
      assert.equal(String(await connection.exchange('safe.', { name: 'echo', until: '.' })), 'safe.')
      await connection.close()
      const again = await trusting.test.tcp(address, { tls: true })
      await again.close()
      assert.deepEqual(
        trusting.meter.connections.filter((event) => event.startsWith('tls')),
        ['tls', 'tls-resumed'],
      )
      await assert.rejects(user.test.tcp(address, { tls: true }), { class: 'tls' })
    } finally {
      server.close()
    }
  })
})

describe('this.udp', () => {
  let server: Datagrams
  let address: string
  let user: TestUser

  beforeEach(async () => {
    server = createSocket('udp4')
    server.on('message', (datagram: Buffer, from: RemoteInfo) => {
      const text = String(datagram)
      if (text === 'silent') return
      const answers = text === 'twice' ? ['stray', 'twice'] : [text]
      for (const each of answers) server.send(each.toUpperCase(), from.port, from.address)
    })
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    address = `127.0.0.1:${server.address().port}`
    user = makeUser()
  })

  afterEach(async () => {
    await releaseUsers()
    await new Promise<void>((resolve) => server.close(resolve))
  })

  it('exchanges: one hit each, with its bytes', async () => {
    const socket = await user.test.udp(address)
    assert.equal(String(await socket.exchange('hello', { name: 'echo' })), 'HELLO')
    await socket.send('sent')
    assert.equal(String(await socket.receive({ timeout: '10s' })), 'SENT')
    assert.deepEqual(hitsOf(user), [['udp', 'echo', '', 'ok', false]])
    assert.deepEqual([user.meter.hits[0]!.bytesIn, user.meter.hits[0]!.bytesOut], [5, 5])
    await socket.close()
    await assert.rejects(socket.exchange('x', { name: 'x' }), { name: 'StreamError', message: /closed/ })
  })

  it('takes the answer that matches, and leaves the others to receive()', async () => {
    const socket = await user.test.udp(address)
    const [a, b, twice] = await Promise.all([
      socket.exchange('a', { name: 'a', match: (datagram) => String(datagram) === 'A' }),
      socket.exchange('b', { name: 'b', match: (datagram) => String(datagram) === 'B' }),
      socket.exchange('twice', { name: 'twice', match: (datagram) => String(datagram) === 'TWICE' }),
    ])
    assert.deepEqual([String(a), String(b), String(twice)], ['A', 'B', 'TWICE'])
    assert.equal(String(await socket.receive()), 'STRAY')
    const match = () => {
      throw new TypeError('mine')
    }
    await assert.rejects(socket.exchange('a', { name: 'own', match }), { name: 'TypeError' })
  })

  it('names what gets no answer', async () => {
    const socket = await user.test.udp(address)
    await assert.rejects(socket.exchange('silent', { name: 'lost', timeout: 30 }), { class: 'timeout' })
    const gone = createSocket('udp4')
    gone.bind(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address()
    await new Promise<void>((resolve) => gone.close(resolve))
    const refused = await user.test.udp(`127.0.0.1:${port}`)
    await assert.rejects(refused.exchange('x', { name: 'refused', timeout: '10s' }), { class: 'refused' })
    const cut = socket.exchange('silent', { name: 'cut' })
    const receiving = socket.receive()
    user.cut.abort()
    await assert.rejects(cut, { name: 'InterruptedError' })
    await assert.rejects(receiving, { name: 'InterruptedError' })
    assert.deepEqual(
      hitsOf(user).map(([, name, , status, failed]) => [name, status, failed]),
      [
        ['lost', 'timeout', true],
        ['refused', 'refused', true],
        ['cut', 'interrupted', false],
      ],
    )
  })

  it('refuses what cannot be', async () => {
    await assert.rejects(user.test.udp('localhost'), { name: 'UsageError', message: /this\.udp\(\)/ })
    await assert.rejects(user.test.udp('no.such.host.invalid:53'), { name: 'StreamError' })
    const socket = await user.test.udp(`udp://${address}`)
    await assert.rejects(socket.exchange('x', {} as never), /needs a name/)
  })

  it('ends with its execution', async () => {
    const socket = await user.test.udp(address)
    const pending = socket.exchange('silent', { name: 'pending' })
    settleExecution(user.test)
    await socket.closed
    await assert.rejects(pending, { class: 'closed' })
    assert.equal(socket.readyState, 'closed')
  })
})
