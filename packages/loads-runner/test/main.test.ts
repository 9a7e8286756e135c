import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import { agentMain, brokerMain, main } from '../src/main.ts'
import { optionName } from '../src/option-table.ts'
import { optionTable } from '../src/options.ts'
import { run } from '../src/code.ts'
import { version } from '../src/version.ts'
import { fakeWorld } from './fake-world.ts'
import type { FakeOptions } from './fake-world.ts'
import { usePlainChildren } from './plain-children.ts'

const tests = `
import { TestCase } from 'loads-runner'
export class TestWebSite extends TestCase {
  async test_es() {
    const answer = await this.session.get('/')
    this.assertEqual(answer.status, 200)
  }
}
export class TestBad extends TestCase {
  async test_failure() { this.assertEqual(1, 2) }
}
export class TestConducted extends TestCase {
  static async setUpRun() { return { answer: 42 } }
  async test_data() { this.assertEqual(this.run.data, { answer: 42 }) }
}
`

describe('loads-runner', () => {
  usePlainChildren()
  let cwd: string
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'loads-main-'))
    await writeFile(join(cwd, 'example.ts'), tests)
  })
  after(() => rm(cwd, { recursive: true, force: true }))

  const command = async (args: string[], options: FakeOptions = {}) => {
    const world = fakeWorld(args, { cwd, ...options })
    const exitCode = await main(world)
    assert.equal(world.listeners, 0, 'no signal handler is left')
    return { exitCode, stdout: world.stdout.content, stderr: world.stderr.content }
  }

  it('shows every option in its help', async () => {
    const { exitCode, stdout } = await command(['--help'])
    assert.equal(exitCode, 0)
    for (const key of Object.keys(optionTable)) assert.ok(stdout.includes(`--${optionName(key)}`), key)
    assert.match(stdout, /^Usage: loads-runner TEST\.\.\. \[options\]\n/)
    assert.match(stdout, /Exit codes: 0 passed/)
    assert.ok(stdout.split('\n').every((line) => line.length <= 120))
  })

  it('helps even when the rest is wrong', async () => {
    assert.equal((await command(['--help', '--agents', 'many'])).exitCode, 0)
  })

  it('shows its version', async () => {
    assert.deepEqual(await command(['--version']), { exitCode: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('prints what is wrong with a line each, and where help is', async () => {
    const { exitCode, stderr, stdout } = await command(['--agents', '0', '--usrs'])
    assert.equal(exitCode, 2)
    assert.equal(stdout, '')
    assert.deepEqual(stderr.split('\n'), [
      'error: unknown option --usrs: did you mean --users?',
      'error: --agents: "0" is not a whole number from 1 to 100000',
      'error: name at least one test: loads-runner example.TestWebSite.test_es (--help shows all options)',
      'see --help',
      '',
    ])
  })

  it('refuses tests that are not there, before anything else happens', async () => {
    const { exitCode, stderr, stdout } = await command(['example.TestWebSit'])
    assert.equal(exitCode, 3)
    assert.match(stderr, /^error: .*TestWebSit.*TestWebSite/)
    assert.equal(stdout, '')
    assert.deepEqual((await readdir(cwd)).includes('results') ? await readdir(join(cwd, 'results')) : [], [])
  })

  it('refuses more users than this process can have files', async () => {
    const limits = { openFiles: 256, ports: null }
    const { exitCode, stderr } = await command(['example', '-u', '1000'], { limits })
    assert.equal(exitCode, 2)
    assert.match(stderr, /1,000 users .* limit here is 256/)
  })

  it('refuses a certificate that is not there', async () => {
    const { exitCode, stderr } = await command(['example', '--ca', 'none.pem'])
    assert.equal(exitCode, 2)
    assert.match(stderr, /^error: --ca: cannot read none\.pem: ENOENT/)
  })

  it('says that no broker is there', async () => {
    const join = `@${cwd}/operator.join`
    await writeFile(`${cwd}/operator.join`, 'loads://127.0.0.1:1/operator#AAAA')
    const { exitCode, stderr } = await command(['--ping-broker', '-b', join])
    assert.equal(exitCode, 2)
    assert.match(stderr, /join string/)
  })

  it('shows the plan without making load', async () => {
    const { exitCode, stdout } = await command(['example', '--dry-run', '-u', '2:4', '--iterations', '3'])
    assert.equal(exitCode, 0)
    assert.match(stdout, /TestWebSite\.test_es +1\n/)
    assert.match(
      stdout,
      /stage 1: 2 users, 3 executions each\n +stage 2: 4 users, 3 executions each\n +18 executions/,
    )
    assert.match(stdout, /\n1 agent\n.*\n +1 +4 +18 +~\d+ MB +4 or more\n/)
    const json = await command(['example', '--dry-run', '--json', '-', '--secret', 'T=env:X'], {
      env: { X: 'hunter22' },
    })
    const plan = JSON.parse(json.stdout)
    assert.equal(plan.secrets.T, '[redacted]')
    assert.deepEqual([plan.plan.users, plan.plan.starts, plan.plan.agents.length], [1, 3, 1])
    const rate = await command([
      'example',
      '--dry-run',
      '--rate',
      '10/s',
      '-d',
      '5s',
      '-a',
      '3',
      '--warm-up',
      '1s',
    ])
    assert.match(rate.stdout, /\|█{60}\| {2}the highest is 10\/s\n +50 executions, 5s of load/)
    assert.match(rate.stdout, /warm-up: figures of the first 1s are left out/)
  })

  describe('run here', () => {
    let server: Server
    let url: string
    let answered = 0
    before(async () => {
      server = createServer((_, response) => {
        answered++
        response.end('{}')
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    beforeEach(() => void (answered = 0))
    after(() => void server.close())

    it('prints what the first version of Loads printed, and keeps the run', async () => {
      const { exitCode, stdout, stderr } = await command(['example.TestWebSite.test_es', '--server-url', url])
      assert.deepEqual([exitCode, stderr], [0, ''])
      const lines = stdout.slice(stdout.indexOf('[=')).split('\n')
      assert.equal(lines[0], `[${'='.repeat(47)}]  100%`)
      assert.deepEqual(
        [lines[1], lines[2], lines[6], ...lines.slice(7, 10)],
        ['', 'Hits: 1', '', 'Success: 1', 'Errors: 0', 'Failures: 0'],
      )
      assert.match(lines[3]!, /^Duration: \d+\.\d\d seconds$/)
      assert.match(lines[4]!, /^Approximate Average RPS: [\d.]+$/)
      assert.match(lines[5]!, /^Average request time: \d\.\d+s$/)
      assert.equal(answered, 1)
      const latest = join(cwd, 'results', 'latest')
      assert.deepEqual((await readdir(latest)).sort(), [
        'events',
        'junit.xml',
        'report.html',
        'run.json',
        'summary.json',
      ])
      const kept = JSON.parse(await readFile(join(latest, 'summary.json'), 'utf8')) as Summary
      assert.equal(kept.hits.count, 1)
      assert.match(
        stdout,
        /\nVerdict: passed \(seed \d+, run [^)]+\)\nResults: .*results\/\d{4}-\d\d-\d\d--1\nReport: .*--1\/report\.html\n$/,
      )
    })

    it('prints each request of --once with -v', async () => {
      const args = ['example.TestWebSite.test_es', '--server-url', url, '--once', '-v']
      const { exitCode, stdout } = await command(args, { env: { LOADS_USERS: '5' } })
      assert.equal(exitCode, 0)
      assert.match(stdout, /^> GET http:\/\/127\.0\.0\.1:\d+\/ {2}\(default\/0\/0\)\n> /m)
      assert.match(stdout, /^< 200 in .*\n(?:< .*\n)+<\n< \{\}\n/m)
      assert.equal(answered, 1)
      const quiet = await command(['example.TestWebSite.test_es', '--server-url', url])
      assert.ok(!quiet.stdout.includes('> GET'))
    })

    it('runs one execution of a run again', async () => {
      const args = [
        'example.TestWebSite.test_es',
        '--server-url',
        url,
        '-u',
        '2',
        '--iterations',
        '2',
        '--seed',
        '9',
      ]
      assert.equal((await command(args)).exitCode, 0)
      const runs = await readdir(join(cwd, 'results'))
      answered = 0
      const { exitCode, stdout } = await command(['--replay', 'latest:default/1/1', '-v'])
      assert.equal(exitCode, 0, stdout)
      assert.equal(answered, 1)
      assert.match(stdout, /replaying execution default\/1\/1 of .*: user 1, iteration 1, seed 9/)
      assert.match(stdout, /\(default\/1\/1\)\n/)
      assert.deepEqual(await readdir(join(cwd, 'results')), runs, 'a replay leaves no run')
      const wrong = await command(['--replay', 'latest:default/1/2'])
      assert.deepEqual([wrong.exitCode, wrong.stdout], [2, ''])
      assert.match(
        wrong.stderr,
        /^error: --replay: run latest has no execution default\/1\/2: users of that stage have 2/,
      )
    })

    it('runs again when a test changes, until it is told to end', async () => {
      const file = join(cwd, 'changing.ts')
      const text = (path: string) => tests.replace("get('/')", `get('/${path}')`)
      await writeFile(file, 'export class TestWebSite {')
      const args = ['changing.TestWebSite', '--server-url', url, '--watch', '-q', '--json', '-']
      const world = fakeWorld(args, { cwd })
      const said = new EventEmitter()
      world.stderr.write = (line) => {
        world.stderr.content += line
        if (line.startsWith('watching for changes')) said.emit('waiting')
      }
      const waiting = () => once(said, 'waiting')
      let next = waiting()
      const ended = main(world)
      await next
      assert.match(world.stderr.content, /changing\.ts:1/, 'a test that does not load is waited for')
      for (const path of ['one', 'two']) {
        next = waiting()
        // In one step: of a file that is written in two, the first may be all that is read.
        await writeFile(`${cwd}.ts`, text(path))
        await rename(`${cwd}.ts`, file)
        await next
        assert.match(world.stdout.content, new RegExp(`"name": "/${path}"`))
      }
      assert.equal(answered, 2)
      world.signal('SIGINT')
      assert.equal(await ended, 0)
      assert.equal(world.listeners, 0)
    })

    it('waits for a debugger when asked', async () => {
      const { exitCode, stderr } = await command(['example', '--inspect', '--dry-run'])
      assert.equal(exitCode, 0)
      assert.match(stderr, /debugger attached \(ws:.*\); users run on the main thread/)
    })

    it('refuses to replay tests that are gone, and asks for secrets again', async () => {
      const args = ['example.TestWebSite.test_es', '--server-url', url, '--secret', 'TOKEN=env:MINE']
      assert.equal((await command(args, { env: { MINE: 'hunter22' } })).exitCode, 0)
      const again = ['--replay', 'latest:default/0/0']
      const missing = await command(again)
      assert.equal(missing.exitCode, 2)
      assert.match(
        missing.stderr,
        /the run had a secret TOKEN, which no record holds: give --secret TOKEN=env:X again/,
      )
      assert.equal((await command(again, { env: { TOKEN: 'hunter22' } })).exitCode, 0)
      const file = join(cwd, 'results', 'latest', 'run.json')
      const record = await readFile(file, 'utf8')
      await writeFile(
        file,
        record
          .replaceAll('TestWebSite.test_es', 'TestWebSite.test_gone')
          .replace('"example.TestWebSite.test_gone"', '"example.TestWebSite"'),
      )
      const gone = await command(again, { env: { TOKEN: 'hunter22' } })
      assert.equal(gone.exitCode, 2)
      assert.match(gone.stderr, /TestWebSite\.test_gone of that run is not there any more/)
    })

    it('gives JSON alone on standard output when asked', async () => {
      const args = [
        'example.TestWebSite',
        '--server-url',
        url,
        '-u',
        '3',
        '--iterations',
        '4',
        '--json',
        '-',
        '--seed',
        '5',
      ]
      const { exitCode, stdout, stderr } = await command(args)
      assert.equal(exitCode, 0)
      const summary = JSON.parse(stdout) as Summary
      assert.deepEqual(
        [summary.schema, summary.seed, summary.hits.count, answered],
        ['loads.summary/1', 5, 12, 12],
      )
      assert.match(stderr, /Hits: 12\n/)
    })

    it('says nothing when told to, and fails by its exit code', async () => {
      const file = join(cwd, 'bad.json')
      const { exitCode, stdout, stderr } = await command(['example.TestBad', '-q', '-o', `json:${file}`])
      assert.deepEqual([exitCode, stdout, stderr], [1, '', ''])
      const summary = JSON.parse(await readFile(file, 'utf8')) as Summary
      assert.deepEqual([summary.verdict, summary.tests.failures], ['failed', 1])
    })

    it('says before the run that a result could not be written', async () => {
      const { exitCode, stderr } = await command(['example.TestBad', '-q', '--json', 'no/such/dir.json'])
      assert.equal(exitCode, 2)
      assert.match(stderr, /^error: cannot write no\/such\/dir\.json: ENOENT/)
    })

    it('hands what setUpRun returns to every user', async () => {
      const { exitCode, stdout } = await command(['example.TestConducted', '-u', '2'])
      assert.equal(exitCode, 0)
      assert.match(stdout, /Success: 2\n/)
    })

    it('stops in good order at a signal', async () => {
      const world = fakeWorld(['example.TestWebSite', '--server-url', url, '-d', '60s', '--json', '-'], {
        cwd,
      })
      const ending = main(world)
      while (answered === 0) await once(server, 'request')
      world.signal('SIGTERM')
      assert.equal(await ending, 143)
      const summary = JSON.parse(world.stdout.content) as Summary
      assert.deepEqual([summary.verdict, summary.exitCode], ['aborted', 143])
      assert.equal(summary.hits.count, answered)
    })

    it('ends at once when the signal comes before the run', async () => {
      const world = fakeWorld(['example.TestWebSite', '--server-url', url], { cwd })
      const ending = main(world)
      // Subscribed as soon as the command is loaded.
      while (world.listeners === 0) await new Promise((resolve) => setImmediate(resolve))
      world.signal('SIGINT')
      assert.equal(await ending, 130)
      assert.equal(answered, 0)
      assert.equal(world.stderr.content, 'error: interrupted by SIGINT\n')
    })

    it('runs from code, in silence and without a trace', async () => {
      const before = await readdir(join(cwd, 'results'))
      const summary = await run({
        test: 'example.TestWebSite',
        testDir: cwd,
        serverUrl: url,
        users: 2,
        iterations: 3,
      })
      assert.deepEqual([summary.verdict, summary.hits.count, answered], ['passed', 6, 6])
      assert.deepEqual(await readdir(join(cwd, 'results')), before)
      await assert.rejects(run({ test: 'example.None', testDir: cwd }), /None/)
      await assert.rejects(run({ users: 0 }), /--users/)
    })
  })
})

describe('loads-broker and loads-agent', () => {
  usePlainChildren()

  it('show help and version', async () => {
    for (const [entry, option] of [
      [brokerMain, '--state-dir'],
      [agentMain, '--slots'],
    ] as const) {
      const help = fakeWorld(['--help'])
      assert.equal(await entry(help), 0)
      assert.ok(help.stdout.content.includes(option))
      const shown = fakeWorld(['--version'])
      assert.equal(await entry(shown), 0)
      assert.equal(shown.stdout.content, `${version}\n`)
    }
  })

  it('refuse what they do not know', async () => {
    const broker = fakeWorld(['--bindd', 'x', '--advertise', 'nowhere', 'extra'])
    assert.equal(await brokerMain(broker), 2)
    assert.equal(
      broker.stderr.content,
      'error: unknown option --bindd: did you mean --bind?\nerror: --advertise: "nowhere" is not HOST:PORT\nsee --help\n',
    )
    const agent = fakeWorld(['--slots', '0'])
    assert.equal(await agentMain(agent), 2)
    assert.match(agent.stderr.content, /--slots: "0" is not .*\nerror: which broker\? Give --broker @FILE/)
  })

  it('serve until they are told to stop', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'loads-serve-'))
    try {
      const broker = fakeWorld(['--bind', '127.0.0.1:0', '--state-dir', 'state'], { cwd })
      const serving = brokerMain(broker)
      const ready = /join files: (\S+) (\S+)\n/
      while (!ready.test(broker.stdout.content)) await new Promise((resolve) => setTimeout(resolve, 5))
      const [, agentJoin, operatorJoin] = ready.exec(broker.stdout.content)!

      const agent = fakeWorld(['--name', 'a1', '--label', 'zone=x'], {
        cwd,
        env: { LOADS_BROKER: `@${agentJoin}` },
      })
      const working = agentMain(agent)
      while (!agent.stderr.content.includes('agent a1 is registered'))
        await new Promise((resolve) => setTimeout(resolve, 5))

      const ping = fakeWorld(['--ping-broker', '-b', `@${operatorJoin}`])
      assert.equal(await main(ping), 0)
      assert.match(ping.stdout.content, /1 agent, 0 active runs\n.*\na1 .* 0\/1 +zone=x\n$/)
      const list = fakeWorld(['--list-runs', '-b', `@${operatorJoin}`, '--json', '-'])
      assert.equal(await main(list), 0)
      assert.deepEqual(JSON.parse(list.stdout.content), { runs: [] })
      const check = fakeWorld(['--check-cluster', '-b', `@${operatorJoin}`])
      assert.equal(await main(check), 0)
      assert.match(check.stdout.content, /a1 .* ok\n\n1 agent checked: passed\n$/)
      const wrongRole = fakeWorld(['--ping-broker', '-b', `@${agentJoin}`])
      assert.equal(await main(wrongRole), 4)

      agent.signal('SIGTERM')
      assert.equal(await working, 0)
      broker.signal('SIGINT')
      assert.equal(await serving, 0)
    } finally {
      await rm(cwd, { recursive: true, force: true })
    }
  })
})
