import assert from 'node:assert/strict'
import { Readable } from 'node:stream'

import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'

import { MariaDb } from '../support/mariadb.ts'
import { Peer } from '../support/peer.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

interface MysqlError extends Error {
  code: string
  errno: number
  sqlState: string
}

describe('mysql', function () {
  let server: MariaDb
  let proxy: WatchedProxy
  let client: Connection

  before(async function () {
    server = await MariaDb.start(this)
    const direct = await connect(server.port)
    await direct.query('CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(100))')
    await direct.query('CREATE TABLE blobs (id INT PRIMARY KEY, content LONGBLOB)')
    await direct.end()
  })

  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    proxy = await WatchedProxy.start({ backend: server.address, protocol: 'mysql' })
    client = await connect(proxy.port)
    await client.query('TRUNCATE users')
  })

  afterEach(async () => {
    client.destroy()
    await proxy[Symbol.asyncDispose]()
  })

  it('#25 mysql: the client sees the intended error and nothing else, and its connection goes on', async () => {
    const id = await connectionId(client)
    const cases = [
      ['1205', 'ER_LOCK_WAIT_TIMEOUT', 1205, 'HY000', /^Lock wait timeout exceeded/],
      ['1213', 'ER_LOCK_DEADLOCK', 1213, '40001', /^Deadlock found/],
      ['1290', 'ER_OPTION_PREVENTS_STATEMENT', 1290, 'HY000', /read-only/],
      ['9999/70XYZ mind the gap', undefined, 9999, '70XYZ', /^mind the gap$/],
    ] as const
    for (const [status, code, errno, sqlState, message] of cases) {
      proxy.set({ type: 'error', attributes: { statuses: [status], match: { verb: 'INSERT' } } })
      const error = await failure(client.query("INSERT INTO users VALUES (1, 'secret')"))
      if (code !== undefined) assert.equal(error.code, code)
      assert.equal(error.errno, errno)
      assert.equal(error.sqlState, sqlState)
      assert.match(error.message, message)
      assert.equal(await connectionId(client), id)
      assert.deepEqual(
        proxy.faults.map(({ request, detail }) => ({ request, detail })),
        [{ request: 'INSERT users', detail: { status: errno } }],
      )
      const [rows] = await client.query<RowDataPacket[]>('SELECT id FROM users')
      assert.deepEqual(rows, [])
    }
  })

  it('answers prepared statements, and what prepares them, by errors', async () => {
    await client.execute('INSERT INTO users VALUES (?, ?)', [1, 'a'])
    for (const [verb, run] of [
      ['EXECUTE', () => client.execute('INSERT INTO users VALUES (?, ?)', [2, 'b'])],
      ['PREPARE', () => client.execute('SELECT * FROM users WHERE id = ?', [2])],
      ['PING', () => client.ping()],
    ] as const) {
      proxy.set({ type: 'mysql_error', attributes: { statuses: 1213, match: { verb } } })
      assert.equal((await failure(run())).errno, 1213)
      assert.equal(proxy.faults.length, 1)
    }
    proxy.set()
    const [rows] = await client.execute<RowDataPacket[]>('SELECT * FROM users')
    assert.deepEqual(rows, [{ id: 1, name: 'a' }])
  })

  it('matches the text of a statement that was prepared', async () => {
    proxy.set({
      type: 'mysql_error',
      attributes: { statuses: 1205, match: { verb: 'EXECUTE', text: 'INSERT*' } },
    })
    await client.execute('SELECT 1')
    assert.equal((await failure(client.execute('INSERT INTO users VALUES (?, ?)', [1, 'x']))).errno, 1205)
    assert.deepEqual(
      proxy.faults.map(({ request }) => request),
      ['EXECUTE INSERT users'],
    )
  })

  it('#25 mysql: too many connections come in place of the greeting, as the server says it itself', async () => {
    await using small = await WatchedProxy.start({ backend: server.address, protocol: 'mysql' })
    small.set({ type: 'error', attributes: { statuses: '1040' } })
    const error = await failure(connect(small.port))
    assert.deepEqual([error.code, error.errno, error.sqlState], ['ER_CON_COUNT_ERROR', 1040, '08004'])
    assert.deepEqual(
      small.faults.map(({ request }) => request),
      ['CONNECT'],
    )
    const made = await wholeAnswer(small.port)
    const direct = await connect(server.port)
    // Who was refused, or left a test before, may still be leaving, and its place would become free.
    while ((await connected(direct)) > 2);
    await direct.query('SET GLOBAL max_connections = 10')
    const others: Connection[] = []
    try {
      for (let at = 0; at < 20; at++) others.push(await connect(server.port))
      assert.fail('the server takes any number')
    } catch (reason) {
      assert.equal((reason as MysqlError).errno, 1040)
      // The server does not know yet whether a client knows states, and leaves its out; all read both.
      assert.equal(made.toString('latin1', 7, 13), '#08004')
      const plain = Buffer.concat([made.subarray(0, 7), made.subarray(13)])
      plain.writeUIntLE(plain.length - 4, 0, 3)
      assert.deepEqual(plain, await wholeAnswer(server.port))
    } finally {
      for (const other of others) other.destroy()
      await direct.query('SET GLOBAL max_connections = 100')
      await direct.end()
    }
  })

  it('#25 mysql: a shutdown, and errors of logins, end the connection', async () => {
    proxy.set({ type: 'error', attributes: { statuses: 1053, match: { verb: 'SELECT' } } })
    const closed = new Promise((resolve) => client.on('error', resolve))
    const error = await failure(client.query('SELECT 1'))
    assert.deepEqual([error.code, error.sqlState], ['ER_SERVER_SHUTDOWN', '08S01'])
    await closed
    proxy.set({ type: 'error', attributes: { statuses: 1045 } })
    assert.equal((await failure(connect(proxy.port))).code, 'ER_ACCESS_DENIED_ERROR')
    assert.deepEqual(
      proxy.faults.map(({ request }) => request),
      ['LOGIN'],
    )
  })

  it('#25 mysql: a result that is cut loses the connection', async () => {
    proxy.set({ type: 'error', attributes: { mode: 'cut', bytes: 100, match: { verb: 'SELECT' } } })
    const error = await failure(client.query('SELECT seq FROM seq_1_to_1000'))
    assert.equal(error.code, 'PROTOCOL_CONNECTION_LOST')
    assert.equal(proxy.faults.length, 1)
  })

  it('does the work of which the client does not learn', async () => {
    proxy.set({
      type: 'error',
      attributes: { statuses: 1205, when: 'after', match: { text: 'INSERT INTO users*' } },
    })
    assert.equal((await failure(client.query("INSERT INTO users VALUES (7, 'seven')"))).errno, 1205)
    const [rows] = await client.query<RowDataPacket[]>('SELECT * FROM users')
    assert.deepEqual(rows, [{ id: 7, name: 'seven' }])
  })

  it('#25 mysql: statements of every kind pass unharmed without rules', async () => {
    const big = Buffer.alloc(20 * 1024 * 1024, 'x')
    await client.query('REPLACE INTO blobs VALUES (1, ?)', [big])
    const [blobs] = await client.query<RowDataPacket[]>('SELECT content FROM blobs')
    assert.ok(big.equals(blobs[0]!['content'] as Buffer))
    const [prepared] = await client.execute<RowDataPacket[]>('SELECT content FROM blobs WHERE id = ?', [1])
    assert.ok(big.equals(prepared[0]!['content'] as Buffer))
    const [many] = await client.query<RowDataPacket[]>('SELECT seq FROM seq_1_to_50000')
    assert.equal(many.length, 50_000)
    assert.equal(many.at(-1)!['seq'], 50_000)
    const [several] = await client.query<RowDataPacket[][]>(
      'SELECT 1 AS a; SELECT 2 AS b; DO 1; SELECT 3 AS c',
    )
    assert.deepEqual(several.map((rows) => rows[0] ?? null).filter(Boolean).length, 3)
    await client.query('CREATE OR REPLACE PROCEDURE twice(IN n INT) BEGIN SELECT n; SELECT n * 2; END')
    const [called] = await client.query<RowDataPacket[][]>('CALL twice(21)')
    assert.deepEqual(called[1]![0], { 'n * 2': 42 })
    await client.query({
      sql: "LOAD DATA LOCAL INFILE 'list' INTO TABLE users FIELDS TERMINATED BY ','",
      infileStreamFactory: () => Readable.from(Buffer.from('1,one\n2,two\n')),
    })
    await client.beginTransaction()
    await client.query("INSERT INTO users VALUES (3, 'three')")
    await client.rollback()
    const [rows] = await client.query<RowDataPacket[]>('SELECT id, name FROM users ORDER BY id')
    assert.deepEqual(rows, [
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
    ])
    assert.equal((await failure(client.query('SELEC 1'))).code, 'ER_PARSE_ERROR')
    const statement = await client.prepare('SELECT ?')
    await statement.execute([1])
    await statement.close()
    await client.changeUser({ user: 'other', password: 'word' }).then(
      () => assert.fail('logged in'),
      (error: MysqlError) => assert.equal(error.code, 'ER_ACCESS_DENIED_ERROR'),
    )
    assert.deepEqual(
      proxy.events.filter(({ type }) => type === 'opaque' || type === 'fault'),
      [],
    )
  })

  it('delays every step from the greeting on, and mixes up none', async () => {
    proxy.set({ type: 'delay', attributes: { sleep: '30ms' } })
    const begun = performance.now()
    const late = await connect(proxy.port)
    assert.ok(performance.now() - begun >= 60)
    proxy.set({ type: 'error', attributes: { statuses: 1205, match: { verb: 'SELECT' } } })
    assert.equal((await failure(late.query('SELECT 1'))).errno, 1205)
    await late.query('DO 1')
    late.destroy()
  })

  it('follows each command: a count of errors hits exactly so many', async () => {
    for (let at = 1; at <= 300; at++) await client.execute('SELECT ?', [at])
    proxy.set({
      type: 'error',
      attributes: { statuses: 1205, every: 3, count: 20, match: { verb: 'SELECT' } },
    })
    const asked = Array.from({ length: 100 }, (_, at) =>
      client.query(`SELECT ${at}`).then(
        () => false,
        () => true,
      ),
    )
    const failed = (await Promise.all(asked)).flatMap((isFailed, at) => (isFailed ? [at] : []))
    assert.deepEqual(
      failed,
      Array.from({ length: 20 }, (_, at) => at * 3),
    )
  })

  async function connect(port: number): Promise<Connection> {
    return createConnection({
      host: '127.0.0.1',
      port,
      user: 'root',
      database: 'test',
      multipleStatements: true,
      connectTimeout: 60_000,
    })
  }
})

async function failure(doing: Promise<unknown>): Promise<MysqlError> {
  return doing.then(
    () => assert.fail('no error'),
    (error: MysqlError) => error,
  )
}

async function connectionId(client: Connection): Promise<number> {
  const [rows] = await client.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id')
  return rows[0]!['id'] as number
}

/** How many connections the server has. */
async function connected(client: Connection): Promise<number> {
  const [rows] = await client.query<RowDataPacket[]>("SHOW STATUS LIKE 'Threads_connected'")
  return Number(rows[0]!['Value'])
}

/** All that a server says to somebody who is silent. */
async function wholeAnswer(port: number): Promise<Buffer> {
  const peer = await Peer.connect({ host: '127.0.0.1', port })
  await peer.ended()
  peer.socket.destroy()
  return peer.bytes
}
