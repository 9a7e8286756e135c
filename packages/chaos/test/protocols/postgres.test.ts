import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Writable } from 'node:stream'

import pg from 'pg'

import { Postgres } from '../support/postgres.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

describe('postgres', function () {
  let server: Postgres
  let proxy: WatchedProxy
  let client: pg.Client

  before(async function () {
    server = await Postgres.start(this)
    const direct = await connect(server.port)
    await direct.query('CREATE TABLE users (id INT PRIMARY KEY, name TEXT)')
    await direct.end()
  })

  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    proxy = await WatchedProxy.start({ backend: server.address, protocol: 'postgres' })
    client = await connect(proxy.port)
    client.on('error', () => {})
    await client.query('TRUNCATE users')
  })

  afterEach(async () => {
    await client.end().catch(() => {})
    await proxy[Symbol.asyncDispose]()
  })

  it('#25 postgres: the client sees the intended error and nothing else, and its connection goes on', async () => {
    const id = await backendId(client)
    const cases = [
      ['40001', '40001', 'ERROR', /^could not serialize access/],
      ['40P01', '40P01', 'ERROR', /^deadlock detected$/],
      ['57014', '57014', 'ERROR', /^canceling statement/],
      ['P0001:2 mind the gap', 'P0001', 'ERROR', /^mind the gap$/],
    ] as const
    for (const [status, code, severity, message] of cases) {
      proxy.set({ type: 'error', attributes: { statuses: [status], match: { verb: 'INSERT' } } })
      for (const insert of [
        () => client.query("INSERT INTO users VALUES (1, 'secret')"),
        () => client.query('INSERT INTO users VALUES ($1, $2)', [1, 'secret']),
        () =>
          client.query({ name: 'insert', text: 'INSERT INTO users VALUES ($1, $2)', values: [1, 'secret'] }),
      ]) {
        const error = await failure(insert())
        assert.equal(error.code, code)
        assert.equal(error.severity, severity)
        assert.match(error.message, message)
      }
      assert.deepEqual(
        proxy.faults.map(({ request, detail }) => ({ request, detail })),
        Array(3).fill({ request: 'INSERT users', detail: { status: code } }),
      )
      assert.equal(await backendId(client), id)
      assert.deepEqual((await client.query('SELECT * FROM users')).rows, [])
    }
  })

  it('matches a prepared statement by its text when it is executed again', async () => {
    const insert = (id: number): Promise<unknown> =>
      client.query({ name: 'insert', text: 'INSERT INTO users VALUES ($1)', values: [id] })
    await insert(1)
    proxy.set({ type: 'error', attributes: { statuses: '40001', match: { text: 'INSERT INTO users*' } } })
    assert.equal((await failure(insert(2))).code, '40001')
    proxy.set()
    await insert(3)
    assert.deepEqual((await client.query('SELECT id FROM users')).rows, [{ id: 1 }, { id: 3 }])
  })

  it('within a transaction is ready for its end alone, and a rollback makes it right', async () => {
    await client.query('BEGIN')
    await client.query('INSERT INTO users VALUES (1)')
    proxy.set({ type: 'error', attributes: { statuses: '40001', match: { verb: 'UPDATE' } } })
    const statuses: string[] = []
    client.connection.on('readyForQuery', (message: { status: string }) => statuses.push(message.status))
    assert.equal((await failure(client.query("UPDATE users SET name = 'x'"))).code, '40001')
    await client.query('ROLLBACK')
    assert.equal((await failure(client.query("UPDATE users SET name = 'x'"))).code, '40001')
    assert.deepEqual(statuses, ['E', 'I', 'I'])
    assert.deepEqual((await client.query('SELECT * FROM users')).rows, [])
  })

  it('#25 postgres: too many clients are told at the login, which ends', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '53300' } })
    const error = await failure(connect(proxy.port))
    assert.deepEqual(
      [error.code, error.severity, error.message],
      ['53300', 'FATAL', 'sorry, too many clients already'],
    )
    assert.deepEqual(
      proxy.faults.map(({ request }) => request),
      ['CONNECT'],
    )
    await client.query('SELECT 1')
  })

  it('#25 postgres: a terminated connection ends', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '57P01', match: { verb: 'SELECT' } } })
    const ended = new Promise((resolve) => client.once('end', resolve))
    const error = await failure(client.query('SELECT 1'))
    assert.deepEqual([error.code, error.severity], ['57P01', 'FATAL'])
    await ended
    assert.equal(proxy.faults.length, 1)
  })

  it('#25 postgres: a result that is cut loses the connection', async () => {
    proxy.set({ type: 'error', attributes: { mode: 'cut', bytes: 100, match: { verb: 'SELECT' } } })
    const error = await failure(client.query('SELECT generate_series(1, 1000)'))
    assert.match(error.message, /Connection terminated unexpectedly/)
    assert.equal(proxy.faults.length, 1)
  })

  it('does the work of which the client does not learn', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '40001', when: 'after', match: { verb: 'INSERT' } } })
    assert.equal((await failure(client.query('INSERT INTO users VALUES ($1)', [7]))).code, '40001')
    assert.deepEqual((await client.query('SELECT id FROM users')).rows, [{ id: 7 }])
  })

  it('#25 postgres: statements of every kind pass unharmed without rules', async () => {
    const big = 'x'.repeat(20 * 1024 * 1024)
    assert.equal((await client.query<{ text: string }>('SELECT $1::text AS text', [big])).rows[0]!.text, big)
    assert.equal((await client.query('SELECT generate_series(1, 50000)')).rowCount, 50_000)
    const several = (await client.query('SELECT 1 AS a; SELECT 2 AS b')) as unknown as pg.QueryResult[]
    assert.deepEqual(
      several.map(({ rows }) => rows as unknown),
      [[{ a: 1 }], [{ b: 2 }]],
    )
    const notified = once(client, 'notification')
    await client.query("DO $$ BEGIN RAISE NOTICE 'hello'; END $$; LISTEN news")
    const other = await connect(proxy.port)
    await other.query("NOTIFY news, 'extra'")
    const [notification] = (await notified) as [pg.Notification]
    assert.equal(notification.payload, 'extra')
    await other.end()
    await client.query('BEGIN')
    assert.equal((await failure(client.query('SELEC 1'))).code, '42601')
    assert.equal((await failure(client.query('SELECT 1'))).code, '25P02')
    await client.query('ROLLBACK')
    for (let at = 0; at < 300; at++)
      await client.query({ name: `s${at % 7}`, text: `SELECT ${at % 7}, $1::int`, values: [at] })
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, at) => client.query('SELECT $1::int AS n', [at])),
    )
    assert.deepEqual(
      all.map(({ rows }) => (rows[0] as { n: number }).n),
      Array.from({ length: 200 }, (_, at) => at),
    )
    assert.deepEqual(
      proxy.events.filter(({ type }) => type === 'opaque' || type === 'fault'),
      [],
    )
  })

  it('follows COPY in and out, and what fails within it', async () => {
    const copy = (data: string, close: 'c' | 'f' = 'c'): Promise<unknown> =>
      new Promise((resolve, reject) => {
        client.query(new CopyIn(data, close, (error) => (error ? reject(error) : resolve(null))))
      })
    await copy('1\tone\n2\ttwo\n')
    assert.equal((await failure(copy('x\ty\n'))).code, '22P02')
    assert.equal((await failure(copy('3\tthree\n', 'f'))).code, '57014')
    const out = await client.query('COPY users TO STDOUT')
    assert.equal(out.rowCount, 2)
    assert.deepEqual((await client.query('SELECT id FROM users ORDER BY id')).rows, [{ id: 1 }, { id: 2 }])
    proxy.set({ type: 'error', attributes: { statuses: '40001', match: { verb: 'COPYDATA' } } })
    assert.equal((await failure(copy('4\tfour\n'))).code, '40001')
    proxy.set({ type: 'error', attributes: { statuses: '40001', when: 'after', match: { verb: 'COPY' } } })
    assert.equal((await failure(copy('5\tfive\n'))).code, '40001')
    proxy.set()
    assert.equal((await client.query('SELECT id FROM users')).rowCount, 3)
  })

  it('lets a client ask for TLS that the server does not have', async () => {
    await assert.rejects(connect(proxy.port, { ssl: true }), /does not support SSL/)
  })
})

async function connect(port: number, options: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'tester',
    password: 'secret',
    database: 'postgres',
    ...options,
  })
  await client.connect()
  return client
}

async function failure(doing: Promise<unknown>): Promise<pg.DatabaseError> {
  return doing.then(
    () => assert.fail('no error'),
    (error: pg.DatabaseError) => error,
  )
}

async function backendId(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ id: number }>('SELECT pg_backend_pid() AS id')
  return rows[0]!.id
}

/** What pg itself cannot do. */
class CopyIn extends pg.Query {
  readonly #data: string
  readonly #close: 'c' | 'f'

  constructor(data: string, close: 'c' | 'f', done: (error: Error | null) => void) {
    super('COPY users FROM STDIN', undefined, done as never)
    this.#data = data
    this.#close = close
  }

  handleCopyInResponse({ stream }: { stream: Writable }): void {
    stream.write(copyMessage('d', this.#data))
    stream.write(copyMessage(this.#close, this.#close === 'f' ? 'enough\0' : ''))
  }
}

function copyMessage(type: string, data: string): Buffer {
  const header = Buffer.alloc(5)
  header.write(type)
  header.writeUInt32BE(data.length + 4, 1)
  return Buffer.concat([header, Buffer.from(data)])
}
