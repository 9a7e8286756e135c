import assert from 'node:assert/strict'
import { readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Summary } from '@loads-runner/metrics'
import { readEventLog } from '@loads-runner/protocol'
import type { RunEvent } from '@loads-runner/protocol'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const shop = (url: string) => ({
  'shop.ts': `
    import { TestCase } from 'loads-runner'
    export class TestShop extends TestCase {
      async test_basket() {
        await this.session.get('${url}/basket', { name: 'basket' })
        await this.session.get('${url}/fast', { name: 'fast' })
      }
    }`,
})

/** The basket takes so long, in milliseconds. */
function slowBy(server: OwnServer, basketMs: number): void {
  server.answer = (request, response) => {
    const answer = () => response.end('{}')
    if (request.url === '/basket' && basketMs > 0) setTimeout(answer, basketMs)
    else answer()
  }
}

/** How many seconds a run has written so far. */
async function commitsIn(events: string): Promise<number> {
  let count = 0
  for await (const event of readEventLog(events)) if ((event as RunEvent).type === 'commit') count++
  return count
}

/** Runs of a target, in one directory. */
class Shop {
  readonly server: OwnServer
  readonly directory: string

  private constructor(server: OwnServer, directory: string) {
    this.server = server
    this.directory = directory
  }

  static async open(): Promise<Shop> {
    const server = await startServer()
    return new Shop(server, await temporaryDirectory(shop(server.url)))
  }

  /** A run in which the basket takes so long: 240 times, unless `more` says otherwise. */
  async run(basketMs: number, ...more: string[]) {
    slowBy(this.server, basketMs)
    const iterations = more.includes('--iterations') ? [] : ['--iterations', '60']
    const load = ['--users', '4', ...iterations, '--project-name', 'shop', ...more]
    return runCli(['shop', ...load], { cwd: this.directory })
  }

  loads(...args: string[]) {
    return runCli(args, { binary: 'loads', cwd: this.directory, json: false })
  }

  async names(): Promise<string[]> {
    return (await readdir(join(this.directory, 'results'))).filter((name) => name !== 'latest').toSorted()
  }
}

describe('runs that are over', function () {
  this.timeout(240_000)

  it('are listed, searched, and followed by a metric', async () => {
    const past = await Shop.open()
    const runs = [
      await past.run(5, '--label', 'branch=main', '--user-id', 'ann'),
      await past.run(
        30,
        '--label',
        'branch=next',
        '--user-id',
        'bob',
        '--threshold',
        'hit_duration: p(95)<10',
      ),
    ]
    const all = await past.loads('runs')
    assert.equal(all.exitCode, 0, all.stderr)
    const [head, newest, oldest] = all.stdout.split('\n')
    assert.match(head!, /^RUN +STARTED +VERDICT +TESTS +PROJECT +USER +TIME +HITS +FAILED +P95$/)
    assert.match(newest!, /--2 .* failed +shop +shop +bob .* 480 +0% /)
    assert.match(oldest!, /--1 .* passed +shop +shop +ann .* 480 +0% /)

    const found = async (...args: string[]) => {
      const { stdout } = await past.loads('runs', '--json', ...args)
      return (JSON.parse(stdout) as { runs: { name: string }[] }).runs.map(({ name }) => name.slice(-1))
    }
    assert.deepEqual(await found('--label', 'branch=next'), ['2'])
    assert.deepEqual(await found('--user', 'ann'), ['1'])
    assert.deepEqual(await found('--verdict', 'passed'), ['1'])
    assert.deepEqual(await found('--project', 'other'), [])
    assert.deepEqual(await found('--since', '1h'), ['2', '1'])
    assert.deepEqual(await found('--limit', '1'), ['2'])

    const trend = await past.loads('trend', 'p95 of basket', '--json')
    const { points } = JSON.parse(trend.stdout) as { points: { value: number; verdict: string }[] }
    assert.deepEqual(
      points.map(({ verdict }) => verdict),
      ['passed', 'failed'],
    )
    assert.ok(points[0]!.value >= 5 && points[1]!.value >= 30, trend.stdout)
    assert.deepEqual(
      points.map(({ value }) => value),
      runs.map(({ summary }) => summary!.series.find(({ name }) => name === 'basket')!.serviceTime.p95),
    )
    const drawn = await past.loads('trend', 'hits/s')
    assert.match(drawn.stdout, /● passed  ✗ not/)
    const nothing = await past.loads('trend', 'no_such_counter')
    assert.match(nothing.stderr, /none of these runs has recorded no_such_counter/)
  })

  it('are compared: what is slower is told from what is not, in both directions', async () => {
    const past = await Shop.open()
    await past.run(5)
    await past.run(100)
    const [before, after] = await past.names()
    const compared = await past.loads('compare', before!, after!)
    assert.equal(compared.exitCode, 0, compared.stderr)
    assert.match(compared.stdout, /✗ .*TestShop\.test_basket .*basket .* slower/)
    // A gate for CI.
    assert.equal((await past.loads('compare', before!, after!, '--fail')).exitCode, 99)
    const { stdout } = await past.loads('compare', after!, before!, '--json')
    const { series } = JSON.parse(stdout) as {
      series: { name: string; change: string; delta: number; before: { count: number } }[]
    }
    const basket = series.find(({ name }) => name.includes('basket'))!
    assert.equal(basket.change, 'faster')
    assert.equal(basket.before.count, 240)
    assert.ok(basket.delta < -0.8)
    const itself = await past.loads('compare', 'latest', 'latest', '--fail')
    assert.equal(itself.exitCode, 0)
    assert.doesNotMatch(itself.stdout, /(?:slower|faster)$/m)
  })

  it('are a threshold for the next one', async () => {
    const past = await Shop.open()
    const few = ['--iterations', '30']
    const first = await past.run(100, '--compare-with', 'last-passed', ...few)
    assert.equal(first.exitCode, 2)
    assert.match(first.stderr, /--compare-with: there is no passed run of project shop and shop in /)
    await past.run(100, ...few)

    // Far enough from both that a busy machine crosses it neither way.
    const condition = 'hit_duration{name:basket}: p(50)<baseline*3'
    const alike = await past.run(100, '--compare-with', 'last-passed', '--threshold', condition, ...few)
    assert.equal(alike.exitCode, 0, alike.stdout + alike.stderr)
    const [threshold, ...others] = alike.summary!.thresholds
    assert.deepEqual(others, [])
    const limit = Number(/p\(50\)<([\d.]+)$/.exec(threshold!.expression)![1])
    assert.ok(limit >= 297, threshold!.expression)

    const slow = await past.run(500, '--compare-with', 'last-passed', '--threshold', condition, ...few)
    assert.equal(slow.exitCode, 99)
    // One that failed is no measure.
    const next = await past.run(100, '--compare-with', 'last-passed', ...few)
    const usual = next.summary!.thresholds.map(({ expression }) => expression.replace(/[\d.]+$/, 'N'))
    assert.deepEqual(usual, ['hit_duration: p(95)<=N', 'hit_failed: rate<=N', 'errors: rate<=N'])

    const wrong = await past.run(0, '--threshold', condition)
    assert.equal(wrong.exitCode, 2)
    assert.match(wrong.stderr, /speaks of a baseline: give --compare-with last-passed/)
    const nothing = await past.run(
      0,
      '--compare-with',
      'latest',
      '--threshold',
      'step_duration: max<baseline',
    )
    assert.equal(nothing.exitCode, 2)
    assert.match(nothing.stderr, /nothing of that was recorded in the baseline/)
  })

  it('leave figures as data, the same as were written while they went on', async () => {
    const past = await Shop.open()
    const run = await past.run(5, '-o', 'csv:live.csv', '-o', 'ndjson:live.ndjson')
    assert.equal(run.exitCode, 0, run.stderr)
    const csv = await past.loads('export', 'latest', '--format', 'csv')
    assert.equal(csv.exitCode, 0, csv.stderr)
    const rows = (text: string) => text.trim().split('\n').toSorted()
    assert.deepEqual(rows(csv.stdout), rows(await readFile(join(past.directory, 'live.csv'), 'utf8')))
    const exported = await past.loads('export', 'latest', '--format', 'ndjson', '-o', 'later.ndjson')
    assert.equal(exported.exitCode, 0, exported.stderr)
    const lines = async (file: string) => rows(await readFile(join(past.directory, file), 'utf8'))
    assert.equal((await lines('later.ndjson')).length, (await lines('live.ndjson')).length)
    const json = await past.loads('export', 'latest', '--format', 'json')
    assert.deepEqual(JSON.parse(json.stdout), run.summary as Summary)
  })

  it('can be reported also when nobody saw their end', async () => {
    const past = await Shop.open()
    slowBy(past.server, 5)
    const cli = await startCli(['shop', '--users', '2', '--duration', '60s'], { cwd: past.directory })
    await past.server.sawRequests(200)
    const directory = join(past.directory, 'results', (await past.names())[0]!)
    const events = join(directory, 'events')
    const before = await commitsIn(events)
    while ((await commitsIn(events)) < before + 3) await sleep(100)
    cli.kill('SIGKILL')
    await cli.result.catch(() => {})
    // The last record is torn, as by a machine that lost its power.
    await truncate(events, (await stat(events)).size - 10)
    await rm(join(directory, 'report.html'), { force: true })
    const report = await past.loads('report')
    assert.equal(report.exitCode, 0, report.stderr)
    const text = await readFile(join(directory, 'report.html'), 'utf8')
    const model = /<script type="application\/json" id="model">([^]*?)<\/script>/.exec(text)![1]!
    const { totals, summary } = JSON.parse(model) as { totals: { hits: number }; summary: unknown }
    assert.equal(summary, null)
    assert.ok(totals.hits > 0)
    const listed = await past.loads('runs')
    assert.match(listed.stdout, /--1 .* no end /)
    const json = await past.loads('export', 'latest', '--format', 'json')
    assert.equal(json.exitCode, 4)
    assert.match(json.stderr, /has no summary: nobody saw its end/)
  })

  it('are removed by number and age, but never the last that passed', async () => {
    const past = await Shop.open()
    for (const threshold of ['hit_duration: max<60000', 'hits: count<1', 'hits: count<1', 'hits: count<1'])
      await past.run(0, '--threshold', threshold)
    assert.equal((await past.names()).length, 4)
    const rehearsal = await past.loads('prune', '--keep', '1', '--dry-run')
    assert.match(rehearsal.stdout, /2 runs would be removed, 2 kept\n$/)
    assert.equal((await past.names()).length, 4)
    const young = await past.loads('prune', '--keep', '1', '--older-than', '1d')
    assert.match(young.stdout, /^0 runs removed, 4 kept\n$/)
    const pruned = await past.loads('prune', '--keep', '1')
    assert.equal(pruned.exitCode, 0, pruned.stderr)
    assert.deepEqual(
      (await past.names()).map((name) => name.slice(-1)),
      ['1', '4'],
    )
    const without = await past.loads('prune')
    assert.equal(without.exitCode, 2)
    assert.match(without.stderr, /what may go\? Give --keep N, --older-than 30d, or both/)
  })

  it('have names, and what is no name is told from what is near', async () => {
    const past = await Shop.open()
    const none = await past.loads('report')
    assert.equal(none.exitCode, 2)
    assert.match(none.stderr, /^error: there is no run in .*results\n/)
    const run = await past.run(0)
    const { runId } = run.summary!
    for (const name of [runId, runId.slice(0, -2), 'latest', 'last-passed', './results/latest'])
      assert.equal((await past.loads('report', name)).exitCode, 0, name)
    const wrong = await past.loads('report', `${(await past.names())[0]!}0`)
    assert.equal(wrong.exitCode, 2)
    assert.match(wrong.stderr, /did you mean /)
    const verdict = await past.loads('runs', '--verdict', 'pased')
    assert.equal(verdict.exitCode, 2)
    const format = await past.loads('export', 'latest', '--format', 'xls')
    assert.equal(format.exitCode, 2)
    assert.match(format.stderr, /"xls" is none of csv, json, ndjson/)
  })
})
