import assert from 'node:assert/strict'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { pidOfAgent } from './helpers/steps.ts'

const rows = (count: number) =>
  ['name,city', ...Array.from({ length: count }, (_, row) => `"user ${row}","so, ""here"""`)].join('\n')

const login = (server: OwnServer, mode: string) => `
  import { TestCase } from 'loads-runner'
  export class TestLogin extends TestCase {
    async test_login() {
      const row = await this.feed('users.csv', { mode: '${mode}' })
      this.assertEqual(row.city, 'so, "here"')
      await this.session.get('${server.url}/?id=' + this.executionId + '&name=' + encodeURIComponent(row.name), { name: 'login' })
    }
  }`

/** Which execution had which row. */
const choices = (server: OwnServer) =>
  Object.fromEntries(
    server.seen.map(({ url }) => [url.searchParams.get('id')!, url.searchParams.get('name')!]),
  )

describe('rows of a data file', function () {
  this.timeout(90_000)

  const stories: Record<string, () => Promise<void>> = {}
  for (const mode of ['sequential', 'random', 'unique']) {
    stories[`are the same on any number of agents (${mode})`] = async () => {
      const seen: Record<string, string>[] = []
      for (const more of [
        ['--workers', '1'],
        ['--workers', '2'],
        ['--agents', '3'],
      ]) {
        const server = await startServer()
        const args = ['login', '--users', '6', '--iterations', '10', '--seed', '5', ...more]
        const files = { 'login.ts': login(server, mode), 'users.csv': rows(60) }
        const run = await runCli(args, { files })
        assert.equal(run.exitCode, 0, run.stdout + run.stderr)
        seen.push(choices(server))
      }
      assert.deepEqual(seen[1], seen[0])
      assert.deepEqual(seen[2], seen[0])
      const names = new Set(Object.values(seen[0]!))
      if (mode === 'random') assert.ok(names.size > 20 && names.size < 60, `${names.size} different rows`)
      else assert.equal(names.size, 60)
    }
  }
  sideBySide({
    ...stories,

    'are an error of the executions for which there is none (unique)': async () => {
      const server = await startServer()
      const files = { 'login.ts': login(server, 'unique'), 'users.csv': rows(7) }
      const run = await runCli(['login', '--users', '2', '--iterations', '5'], { files })
      assert.equal(run.exitCode, 1)
      assert.equal(server.seen.length, 7)
      const { errorGroups, tests } = run.summary!
      assert.equal(tests.errors, 3)
      assert.match(errorGroups[0]!.message, /users\.csv/)
    },

    'are leased once each, whoever asks for them (leased)': async () => {
      const server = await startServer()
      const files = { 'login.ts': login(server, 'leased'), 'users.csv': rows(500) }
      const args = ['login', '--users', '9', '--iterations', '40', '--pause', '20ms', '--agents', '3']
      const run = await runCli(args, { files })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const names = server.seen.map(({ url }) => url.searchParams.get('name'))
      assert.equal(names.length, 360)
      assert.equal(new Set(names).size, names.length, 'a row was used twice')
      const [feed] = run.summary!.feeds
      assert.equal(feed!.rows, 500)
      assert.equal(feed!.used, names.length)
    },

    'of an agent that is lost go back, and the books say so (leased)': async () => {
      const server = await startServer()
      const files = { 'login.ts': login(server, 'leased'), 'users.csv': rows(2000) }
      const args = ['login', '--users', '6', '--iterations', '150', '--pause', '20ms', '--agents', '3']
      const run = await startCli(args, { files, timeoutMs: 80_000 })
      await server.sawRequests(200)
      process.kill(pidOfAgent(run, 'agent-2'), 'SIGKILL')
      const { summary } = await run.result
      const [feed] = summary!.feeds
      assert.ok(feed!.returned > 0, JSON.stringify(feed))
      assert.ok(feed!.used <= server.seen.length)
    },

    'are missing before any load when their file is': async () => {
      const server = await startServer()
      const run = await runCli(['login'], { files: { 'login.ts': login(server, 'sequential') } })
      assert.equal(run.exitCode, 3, run.stdout + run.stderr)
      assert.match(run.stderr, /users\.csv/)
      assert.equal(server.seen.length, 0)
    },
  })
})
