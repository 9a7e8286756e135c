import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { RunEvent } from '@loads-runner/protocol'
import { readEventLog } from '@loads-runner/protocol'
import { startTarget as startExampleTarget } from '../examples/target/server.js'
import { readReport } from './helpers/figure-files.ts'
import { assertWentToPlan } from './helpers/open-run.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { processesMarked } from './helpers/processes.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import type { CliResult } from './helpers/run-cli.ts'
import { controlOf, endProxy, hostOf, listenOf, startProxy, statusOf } from './helpers/started-proxy.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'

const example = (name: string) => fileURLToPath(new URL(`../examples/chaos/${name}`, import.meta.url))

/** A test that goes through the proxy `shop`, and what it does there. */
const through = (body: string, more = '') => `
  import { TestCase } from 'loads-runner'
  export class TestShop extends TestCase {
    ${more}
    url(path) { return 'http://' + this.proxies.shop.address + path }
    async test_shop() {
      ${body}
    }
  }`

const proxies = (target: OwnServer, more = '') =>
  `seed: 7\nproxies:\n  shop:\n    backend: ${new URL(target.url).host}\n    protocol: http\n${more}`

async function faultsOf({ directory }: CliResult) {
  const events: RunEvent[] = []
  for await (const event of readEventLog(join(directory, 'results/latest/events')))
    events.push(event as RunEvent)
  return events.filter((event) => event.type === 'fault')
}

/** Resolves when the target has had so many requests. */
function seen(target: OwnServer, count: number): Promise<void> {
  return new Promise((resolve) => {
    target.answer = (_, response) => {
      response.end('{}')
      if (target.seen.length >= count) resolve()
    }
  })
}

/** The process of a run's proxies. */
function proxiesOf({ mark }: { mark: string }): number {
  const found = processesMarked(mark).find(({ command }) => command.includes('proxy-process'))
  assert.ok(found !== undefined, 'no process of proxies')
  return found.pid
}

describe('proxies of a run', function () {
  this.timeout(240_000)

  for (const [where, place] of [
    ['in this process', []],
    ['on two agents', ['--agents', '2']],
  ] as const)
    it(`do what their schedule says while the load goes on, ${where}`, async () => {
      const target = await startServer()
      const schedule =
        'schedule:\n  - name: storm\n    at: 1s\n    for: 6s\n    proxy: shop\n    behavior: error\n    rate: 50%\n    statuses: [503]\n'
      const run = await runCli(
        ['shop', '--users', '4', '--duration', '9s', '--proxies', 'p.yaml', ...place],
        {
          files: {
            'shop.ts': through(`await this.session.get(this.url('/'), { name: '/' })
            await new Promise((resolve) => setTimeout(resolve, 10))`),
            'p.yaml': proxies(target, schedule),
          },
        },
      )
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const { hits, series } = run.summary!
      const refused = series.find(({ status }) => status === '503')!.count
      assert.ok(refused > 0 && hits.failed === refused, JSON.stringify(series))
      // The referee: the shop has seen all others, and no more.
      assert.equal(target.seen.length, hits.count - refused)

      const faults = await faultsOf(run)
      assert.deepEqual(
        faults.map(({ name, state }) => [name, state]),
        [
          ['shop: error', 'begins'],
          ['shop: error', 'ends'],
        ],
      )
      const [begun, ended] = faults.map(({ elapsedMs }) => elapsedMs)
      assert.ok(begun! >= 1_000 && ended! >= 7_000, `${begun} to ${ended} ms`)
      assert.match(run.stdout + run.stderr, /fault begins: shop: error: 50 %, /)
      assert.match(run.stdout + run.stderr, new RegExp(`faults injected: shop: http_error ${refused}\\n`))

      const { model } = await readReport(join(run.directory, 'results/latest/report.html'))
      assert.deepEqual(
        model.bands.filter(({ kind }) => kind === 'fault').map(({ label }) => label),
        ['shop: error'],
      )
      const log = await readFile(join(run.directory, 'results/latest/faults.ndjson'), 'utf8')
      const injected = log.split('\n').filter((line) => line.includes('"type":"fault"'))
      assert.equal(injected.length, refused)
    })

  it('are changed by a test of one user, and are as before after each execution', async () => {
    const target = await startServer()
    const run = await runCli(['shop', '--users', '1', '--iterations', '3', '--proxies', 'p.yaml'], {
      files: {
        'p.yaml': proxies(target),
        'shop.ts': through(`
          const { shop } = this.proxies
          this.assertEqual((await this.session.get(this.url('/a'))).status, 200)
          {
            await using _ = await shop.withBehavior('error', { statuses: [503] })
            this.assertEqual((await this.session.get(this.url('/b'))).status, 503)
          }
          this.assertEqual((await this.session.get(this.url('/c'))).status, 200)
          const down = await shop.down()
          await this.session.get(this.url('/d')).then(() => this.fail('it is down'), () => {})
          await down.end()
          this.assertEqual((await this.session.get(this.url('/e'))).status, 200)
          await shop.withBehavior('error', { statuses: [429] })
          this.assertEqual((await this.session.get(this.url('/left'))).status, 429)`),
      },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.deepEqual(
      target.seen.map(({ url }) => url.pathname),
      ['/a', '/c', '/e', '/a', '/c', '/e', '/a', '/c', '/e'],
    )
  })

  it('are not changed by one of several users, but by setUpRun', async () => {
    const target = await startServer()
    const files = {
      'p.yaml': proxies(target),
      'shop.ts': through(
        `if (this.user === 0 && this.iteration === 1) await this.proxies.shop.withBehavior('delay', { sleep: '1s' })
         const { status } = await this.session.get(this.url('/'))
         this.assertEqual(status, 502)`,
        `static async setUpRun({ proxies }) { await proxies.shop.withBehavior('error', { statuses: [502] }) }`,
      ),
    }
    const run = await runCli(['shop', '--users', '2', '--iterations', '2', '--proxies', 'p.yaml'], { files })
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    assert.equal(target.seen.length, 0)
    const [group] = run.summary!.errorGroups
    assert.equal(group!.count, 1)
    assert.match(group!.message, /proxies\.shop is shared by several users, and one of them cannot change it/)
    assert.equal(run.summary!.tests.successes, 3)
  })

  it('that cannot be had are said before any load', async () => {
    const target = await startServer()
    const files = { 'shop.ts': through(`await this.session.get(this.url('/'))`) }
    const refused = async (text: string, expected: RegExp, exitCode = 2) => {
      const run = await runCli(['shop', '--proxies', 'p.yaml'], { files: { ...files, 'p.yaml': text } })
      assert.equal(run.exitCode, exitCode, run.stdout + run.stderr)
      assert.match(run.stderr, expected)
    }
    await refused('proxies:\n  shop:\n    backnd: localhost:1\n', /p\.yaml:3:.*backnd.*backend/s)
    await refused(
      proxies(target, 'schedule:\n  - at: 1s\n    for: 1s\n    proxy: shpo\n    behavior: hang\n'),
      /p\.yaml:\d+.*shpo.*shop/s,
    )
    const taken = new URL(target.url).port
    await refused(
      `proxies:\n  shop:\n    listen: 127.0.0.1:${taken}\n    backend: localhost:1\n`,
      /address already in use/,
    )
    const missing = await runCli(['shop', '--proxies', 'none.yaml'], { files })
    assert.equal(missing.exitCode, 2)
    assert.match(missing.stderr, /--proxies: cannot read none\.yaml/)
    const nobody = await runCli(['shop', '--proxies', 'http://127.0.0.1:1'], { files })
    assert.equal(nobody.exitCode, 2, nobody.stderr)
    assert.match(nobody.stderr, /--proxies: http:\/\/127\.0\.0\.1:1: /)
    assert.equal(target.seen.length, 0)
  })

  it('say which they are when a test asks for another one, or when there are none', async () => {
    const target = await startServer()
    const files = {
      'p.yaml': proxies(target),
      'shop.ts': through(`await this.session.get('http://' + this.proxies.shopp.address)`),
    }
    const run = await runCli(['shop', '--proxies', 'p.yaml'], { files })
    assert.match(
      run.summary!.errorGroups[0]!.message,
      /there is no proxy shopp; did you mean shop\? the run has shop/,
    )
    const none = await runCli(['shop'], { files })
    assert.match(none.summary!.errorGroups[0]!.message, /the run has none; start it with --proxies FILE/)
  })

  it('may be those of a loads-proxy that stays', async () => {
    const target = await startServer()
    const args = ['--proxy', '127.0.0.1:0', '--backend', new URL(target.url).host, '--protocol', 'http']
    const standing = await startCli(
      [...args, '--name', 'shop', '--http-port', '0', '--token', 'a-token-of-ours'],
      {
        binary: 'loads-proxy',
        json: false,
      },
    )
    const [, control] = await standing.waitForLine(/(http:\/\/127\.0\.0\.1:\d+)/)
    const files = {
      'shop.ts': through(`
        await using _ = await this.proxies.shop.withBehavior('error', { statuses: [500] })
        this.assertEqual((await this.session.get(this.url('/'))).status, 500)`),
    }
    const run = await runCli(['shop', '--proxies', control!], {
      files,
      env: { LOADS_PROXY_TOKEN: 'a-token-of-ours' },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(target.seen.length, 0)
    const record = await readFile(join(run.directory, 'results/latest/run.json'), 'utf8')
    assert.doesNotMatch(record, /a-token-of-ours/)
    const wrong = await runCli(['shop', '--proxies', control!], {
      files,
      env: { LOADS_PROXY_TOKEN: 'wrong' },
    })
    assert.equal(wrong.exitCode, 2, wrong.stdout)
    standing.kill('SIGTERM')
    assert.equal((await standing.result).exitCode, 0)
  })

  it('that stay tell a run nothing of what was done before it', async () => {
    const target = await startServer()
    const standing = await startProxy([
      '--proxy',
      '127.0.0.1:0',
      '--backend',
      hostOf(target),
      '--protocol',
      'http',
      '--name',
      'shop',
    ])
    const control = await controlOf(standing)
    const run = async (status: number) => {
      const told = await startServer(() => {})
      const cli = await startCli(['shop', '--proxies', control], {
        files: {
          'shop.ts': through(`
            await this.proxies.shop.withBehavior('error', { statuses: [${status}] })
            this.assertEqual((await this.session.get(this.url('/'))).status, ${status})
            await this.session.get('${told.url}')`),
        },
      })
      // The run is not over before its fault was seen.
      await cli.waitForLine(new RegExp(`fault begins: .*statuses ${status}$`))
      await told.sawRequests(1)
      told.seen[0]!.response.end('{}')
      return cli.result
    }
    assert.match((await run(500)).stdout, /statuses 500\n/)
    const { stdout, stderr, exitCode } = await run(501)
    assert.equal(exitCode, 0, stdout + stderr)
    assert.match(stdout, /fault begins: shop: error: downstream, statuses 501\n/)
    assert.doesNotMatch(stdout, /statuses 500/)
    assert.match(stdout + stderr, /faults injected: shop: http_error 1\n/)
    await endProxy(standing)
  })

  it('that stay are as before when a run that had changed them is killed', async () => {
    const target = await startServer()
    const standing = await startProxy(['--backend', hostOf(target), '--protocol', 'http', '--name', 'shop'])
    const listen = await listenOf(standing, 'shop')
    const run = await startCli(['shop', '--duration', '60s', '--proxies', await controlOf(standing)], {
      files: {
        'shop.ts': through(
          `await this.session.get('/seen')`,
          `static serverUrl = ${JSON.stringify(target.url)}
           static async setUpRun({ proxies }) { await proxies.shop.withBehavior('error', { statuses: [503] }) }`,
        ),
      },
    })
    await seen(target, 1)
    assert.equal(await statusOf(listen), 503)
    run.kill('SIGKILL')
    await run.result
    while ((await statusOf(listen)) === 503) await setTimeout(10)
    await endProxy(standing)
  })

  it('whose process ends stop the run, which says so and keeps its figures', async () => {
    const target = await startServer()
    const run = await startCli(['shop', '--users', '2', '--duration', '60s', '--proxies', 'p.yaml'], {
      files: {
        'p.yaml': proxies(target),
        'shop.ts': through(`await this.session.get(this.url('/'))
          await new Promise((resolve) => setTimeout(resolve, 20))`),
      },
    })
    await seen(target, 20)
    process.kill(proxiesOf(run), 'SIGKILL')
    const { exitCode, stdout, stderr, summary } = await run.result
    assert.equal(exitCode, 4, stdout + stderr)
    assert.match(stdout, /error: the process of the proxies has ended \(SIGKILL\)/)
    assert.doesNotMatch(stdout, /not seen any more|schedule:/)
    assert.match(stdout, /Verdict: infrastructure .*\n {2}the proxies of the run have ended before it/)
    // The answers to the last two may not have come through.
    assert.ok(summary!.hits.count >= 18)
  })

  it('go with their console when that is killed', async () => {
    const target = await startServer()
    const run = await startCli(['shop', '--duration', '60s', '--proxies', 'p.yaml'], {
      files: { 'p.yaml': proxies(target), 'shop.ts': through(`await this.session.get(this.url('/'))`) },
    })
    await seen(target, 1)
    proxiesOf(run)
    run.kill('SIGKILL')
    // Fails when a process is left.
    assert.equal((await run.result).signal, 'SIGKILL')
  })

  it('say what does not go as planned: a phase that never comes, a backend that is not there', async () => {
    const target = await startServer()
    const schedule = 'schedule:\n  - name: never\n    phase: stage 9\n    proxy: shop\n    behavior: hang\n'
    const text = proxies(target, `  gone:\n    backend: localhost:1\n${schedule}`)
    const run = await runCli(['shop', '--proxies', 'p.yaml', '--duration', '2s'], {
      files: {
        'p.yaml': text,
        'shop.ts': through(`await this.session.get('http://' + this.proxies.gone.address).catch(() => {})
          await new Promise((resolve) => setTimeout(resolve, 100))`),
      },
    })
    assert.match(
      run.stdout,
      /warning: proxy gone: its backend localhost:1 cannot be reached \(ECONNREFUSED\)/,
    )
    assert.match(run.stdout, /warning: schedule: never waits for stage-9, which this load never comes to/)
  })

  it('are checked by --dry-run', async () => {
    const files = {
      'shop.ts': through(''),
      'p.yaml': 'proxies:\n  shop:\n    backnd: localhost:1\n',
    }
    const { exitCode, stderr } = await runCli(['shop', '--proxies', 'p.yaml', '--dry-run'], { files })
    assert.equal(exitCode, 2)
    assert.match(stderr, /error: --proxies: p\.yaml:3:5: unknown key backnd/)
  })

  it('are told of where agents of a standing cluster may not reach them', async () => {
    const target = await startServer()
    const files = {
      'p.yaml': proxies(target),
      'shop.ts': through(`this.assertEqual((await this.session.get(this.url('/'))).status, 200)`),
    }
    const cluster = await StandingCluster.start({ agents: ['a1'], files })
    const run = await cluster.run(['shop', '--iterations', '2', '--proxies', 'p.yaml'])
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.match(
      run.stdout + run.stderr,
      /shop listens on 127\.0\.0\.1:\d+, which agents on other machines cannot/,
    )
    assert.equal(target.seen.length, 2)
  })

  it('the example: a retry that buys twice is found by an answer that is lost', async () => {
    const target = await startExampleTarget({ httpPort: 0, wsPort: 0 })
    cleanUpAfterTest(() => target.stop())
    const text = (await readFile(example('proxies.yaml'), 'utf8')).replace(
      '127.0.0.1:9200',
      `127.0.0.1:${target.httpPort}`,
    )
    const files = { 'p.yaml': text }
    const where = ['--test-dir', example(''), '--proxies', 'p.yaml']
    const naive = await runCli([...where, 'retry.TestRetry.test_naive'], { files })
    assert.equal(naive.exitCode, 1, naive.stdout + naive.stderr)
    assert.match(naive.summary!.errorGroups[0]!.message, /one book was ordered, the shop sold 2/)
    const fixed = await runCli([...where, 'retry.TestRetry.test_with_key'], { files })
    assert.equal(fixed.exitCode, 0, fixed.stdout + fixed.stderr)
    const storm = await runCli([...where, 'storm.TestStorm', '--rate', '40/s', '--duration', '6s'], { files })
    assertWentToPlan(storm)
    assert.ok(storm.summary!.serviceTime.max! > 30, 'the network was slow for a while')
    assert.match(storm.stdout, /fault begins: shop: latency/)
  })
})
