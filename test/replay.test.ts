import assert from 'node:assert/strict'
import { startServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'

describe('an execution that is run again', function () {
  this.timeout(120_000)

  it('has its id, its random numbers, its row and its parameters', async () => {
    const server = await startServer((request, response) => {
      response.statusCode = request.url!.includes('lucky=7') ? 500 : 200
      response.end('{}')
    })
    const files = {
      'users.csv': ['name', ...Array.from({ length: 30 }, (_, row) => `user${row}`)].join('\n'),
      'draw.ts': `
        import { TestCase } from 'loads-runner'
        export class TestDraw extends TestCase {
          async test_draw() {
            const row = await this.feed('users.csv')
            const lucky = this.random.integer(0, 9)
            const res = await this.session.get('${server.url}/?id=' + this.executionId + '&user=' + this.user
              + '&iteration=' + this.iteration + '&lucky=' + lucky + '&name=' + row.name + '&k=' + this.params.k, { name: 'draw' })
            this.assertEqual(res.status, 200)
          }
        }`,
    }
    // With most seeds, not with all, some of the 48 executions draw the 7.
    const args = [
      'draw',
      '--users',
      '4',
      '--iterations',
      '12',
      '--agents',
      '2',
      '--param',
      'k=v',
      '--seed',
      '1',
    ]
    const first = await runCli(args, { files })
    assert.equal(first.exitCode, 1, first.stdout + first.stderr)
    const { sample } = first.summary!.errorGroups[0]!
    const id = /execution (\S+)/.exec(sample)![1]!
    const recorded = server.seen.find(({ url }) => url.searchParams.get('id') === id)!
    const before = server.seen.length
    const again = await runCli(['--replay', `latest:${id}`], { cwd: first.directory, json: false })
    assert.equal(server.seen.length, before + 1, again.stdout + again.stderr)
    assert.equal(server.seen.at(-1)!.url.href, recorded.url.href)
    assert.equal(again.exitCode, 1, again.stdout + again.stderr)
    const wrong = await runCli(['--replay', 'latest:default/99/0'], { cwd: first.directory, json: false })
    assert.equal(wrong.exitCode, 2)
    assert.match(wrong.stderr, /default\/99\/0/)
  })
})
