import assert from 'node:assert/strict'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'

const rows = 40
const users = ['id,name', ...Array.from({ length: rows }, (_, row) => `${row},"user, ${row}"`)].join('\r\n')

/** One request per execution, which tells the server the row that it got. */
const source = (server: OwnServer, mode: string, file = 'data/users.csv') => `
  import { TestCase } from 'loads-runner'
  export class TestRows extends TestCase {
    async test_row() {
      const row = await this.feed('${file}', { mode: '${mode}' })
      await this.session.get('${server.url}/?id=' + row.id + '&name=' + encodeURIComponent(row.name), { name: 'row' })
    }
  }`

/** Rows that a run used, in order of their numbers. */
async function rowsOf(mode: string, options: string[]): Promise<number[]> {
  const server = await startServer()
  const run = await runCli(['example.TestRows', '--seed', '5', ...options], {
    files: { 'example.ts': source(server, mode), 'data/users.csv': users },
  })
  assert.equal(run.exitCode, 0, run.stdout + run.stderr)
  for (const { url } of server.seen)
    assert.equal(url.searchParams.get('name'), `user, ${url.searchParams.get('id')}`)
  return server.seen.map(({ url }) => Number(url.searchParams.get('id'))).sort((one, other) => one - other)
}

const everyRow = Array.from({ length: rows }, (_, row) => row)

describe('rows of data files', function () {
  this.timeout(60_000)
  const load = ['--users', '5', '--iterations', '8']

  for (const mode of ['sequential', 'unique', 'random']) {
    it(`${mode}: are the same on three agents as on one, and travel there by themselves`, async () => {
      const alone = await rowsOf(mode, load)
      const together = await rowsOf(mode, [...load, '--agents', '3'])
      assert.deepEqual(together, alone)
      if (mode === 'random') assert.notDeepEqual(alone, everyRow)
      else assert.deepEqual(alone, everyRow)
    })
  }

  it('leased: are each used once, whoever takes them', async () => {
    assert.deepEqual(await rowsOf('leased', [...load, '--agents', '3']), everyRow)
  })

  it('unique: an execution without a row is an error that says so', async () => {
    const server = await startServer()
    const run = await runCli(['example.TestRows', '--iterations', String(rows + 2)], {
      files: { 'example.ts': source(server, 'unique'), 'data/users.csv': users },
    })
    assert.equal(run.exitCode, 1)
    assert.equal(server.seen.length, rows)
    assert.deepEqual([run.summary!.tests.successes, run.summary!.tests.errors], [rows, 2])
    assert.match(run.stdout, /no row left: 40 rows in data\/users\.csv, this execution needs row 4[12]/)
  })

  it('a file that is not there is said before any load, with the place', async () => {
    const server = await startServer()
    const run = await runCli(['example.TestRows'], {
      files: { 'example.ts': source(server, 'unique', 'nowhere.csv') },
    })
    assert.equal(run.exitCode, 3)
    assert.match(run.stderr, /example\.ts:5:\d+: this\.feed\('nowhere\.csv'\): no such file/)
    assert.equal(server.seen.length, 0)
  })
})
