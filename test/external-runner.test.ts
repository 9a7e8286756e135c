import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { processesMarked } from './helpers/processes.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { startTarget } from './helpers/target.ts'

const example = new URL('../examples/external/runner.py', import.meta.url)

/** Tells of one execution, then does what `body` says. */
const pythonUser = (body: string) => `
import json, os, subprocess, sys, time, urllib.request
events = os.fdopen(int(os.environ["LOADS_EVENTS_FD"]), "w", buffering=1)
def send(event, **fields): events.write(json.dumps({"loads": event, **fields}) + "\\n")
${body}
`

describe('users in another language', function () {
  this.timeout(60_000)
  before(function () {
    if (spawnSync('python3', ['--version']).status !== 0) this.skip()
  })

  const withExample = async (...args: string[]) => {
    const target = await startTarget()
    const run = await runCli(
      [
        '--test-runner',
        'python3 runner.py',
        '--include-file',
        'runner.py',
        '--server-url',
        target.httpUrl,
        ...args,
      ],
      { files: { 'runner.py': await readFile(example, 'utf8') } },
    )
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const summary = run.summary!
    // What holds for any run of the example: two hits, a counter and a timing for each execution.
    const executions = summary.tests.successes
    assert.deepEqual([summary.tests.started, summary.tests.finished], [executions, executions])
    assert.equal(target.count().http, executions * 2)
    assert.deepEqual([summary.hits.count, summary.hits.failed], [executions * 2, 0])
    assert.deepEqual(summary.counters, { 'users seen': executions })
    assert.deepEqual(Object.keys(summary.timings), ['front_page'])
    assert.equal(summary.timings['front_page']!.count, executions)
    assert.deepEqual(
      summary.series
        .map(({ name, method, status, count }) => `${method} ${name} ${status} ${count}`)
        .toSorted(),
      [`GET / 200 ${executions}`, `GET /users/:id 200 ${executions}`],
    )
    return summary
  }

  it('make as many executions as asked for, and the target has seen every hit', async () => {
    const { tests, agents, schedule } = await withExample('--users', '3', '--iterations', '20')
    assert.equal(tests.successes, 60)
    assert.equal(schedule.planned, 60)
    assert.deepEqual(
      agents.map(({ ledger }) => ledger),
      [{ planned: 60, started: 60, finished: 60, reported: 60, lost: 0, dropped: 0 }],
    )
  })

  it('make load for a time, on agents, too', async () => {
    const [here, there] = await Promise.all([
      withExample('--users', '2', '--duration', '2s'),
      withExample('--users', '3', '--duration', '2s', '--agents', '2'),
    ])
    for (const { tests, durationSeconds } of [here, there]) {
      assert.ok(tests.successes > 3, `${tests.successes} executions`)
      assert.ok(durationSeconds >= 1.9, `${durationSeconds} s`)
      assert.equal(tests.interrupted, 0)
    }
    assert.equal(there.agents.length, 2)
    assert.ok(there.agents.every(({ hits }) => hits > 0))
  })

  it('learn their share and their target from the environment', async () => {
    const script = pythonUser(`
send("start")
names = ["USER", "USERS", "STAGE", "ITERATIONS", "SEED", "TEST", "SERVER_URL", "PARAMS"]
send("counter", name=" ".join(os.environ["LOADS_" + name] for name in names) + " " + os.environ["TOKEN"])
send("success")`)
    const run = await runCli(
      [
        '--test-runner',
        'python3 user.py',
        '--include-file',
        'user.py',
        '--users',
        '1:2',
        '--seed',
        '7',
      ].concat(['--server-url', 'http://127.0.0.1:9', '--param', 'shop=corner', '--env', 'TOKEN=abc']),
      { files: { 'user.py': script } },
    )
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const rest = '1 7 external http://127.0.0.1:9 {"shop":"corner"} abc'
    assert.deepEqual(run.summary!.counters, {
      [`0 1 0 ${rest}`]: 1,
      [`1 2 1 ${rest}`]: 1,
      [`2 2 1 ${rest}`]: 1,
    })
  })

  it('report failures and errors, and a process that dies is one', async () => {
    const script = pythonUser(`
user = int(os.environ["LOADS_USER"])
send("start", test="buy")
if user == 0: send("failure", message="no cart")
if user == 1: send("error", type="KeyError", message="shoe")
if user == 2: os.kill(os.getpid(), 9)
if user == 3: sys.exit(3)`)
    const run = await runCli(
      ['--test-runner', 'python3 user.py', '--include-file', 'user.py', '--users', '4'],
      {
        files: { 'user.py': script },
      },
    )
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { tests, errorGroups, executions } = run.summary!
    assert.deepEqual([tests.started, tests.failures, tests.errors, tests.successes], [4, 1, 3, 0])
    assert.deepEqual(
      executions.map(({ test }) => test),
      ['buy'],
    )
    const groups = errorGroups.map(({ type, message, count }) => ({ type, message, count }))
    for (const group of [
      { type: 'AssertionError', message: 'no cart', count: 1 },
      { type: 'KeyError', message: 'shoe', count: 1 },
    ]) {
      assert.ok(
        groups.some((each) => isDeepStrictEqual(each, group)),
        JSON.stringify(groups),
      )
    }
    // One group or two: some shells tell of a signal by an exit code.
    const died = groups.filter(({ type }) => type === 'RunnerError')
    assert.equal(
      died.reduce((sum, { count }) => sum + count, 0),
      2,
    )
    assert.match(run.stdout, /RunnerError: the runner ended with (exit code|signal) \w+$/m)
  })

  it('that cannot be started are errors with what the shell says', async () => {
    const run = await runCli(['--test-runner', 'no-such-program --fast'])
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    assert.match(run.summary!.errorGroups[0]!.sample, /exit code 127[^]*no-such-program/)
  })

  it('end with Ctrl-C: asked first, then cut off', async () => {
    const server = await startServer(() => {})
    const script = pythonUser(`
import signal
if os.environ["LOADS_USER"] == "1": signal.signal(signal.SIGTERM, signal.SIG_IGN)
send("start")
urllib.request.urlopen("${server.url}/")`)
    const args = [
      '--test-runner',
      'python3 user.py',
      '--include-file',
      'user.py',
      '--users',
      '2',
      '--duration',
      '60s',
    ]
    const cli = await startCli(args, { files: { 'user.py': script } })
    await server.sawRequests(2)
    cli.kill('SIGINT')
    await cli.waitForLine(/^stopping: users finish/)
    cli.kill('SIGINT')
    const run = await cli.result
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    const { tests, errorGroups } = run.summary!
    assert.deepEqual([tests.started, tests.finished, tests.interrupted], [2, 0, 2])
    assert.deepEqual(errorGroups, [])
  })

  for (const place of [[], ['--agents', '1']]) {
    it(`die with their session, and all that they started (${place.join(' ') || 'local'})`, async function () {
      if (process.platform !== 'linux') this.skip()
      const server = await startServer(() => {})
      const visit = `import urllib.request; urllib.request.urlopen('${server.url}/')`
      const script = pythonUser(`
send("start")
subprocess.run([sys.executable, "-c", "${visit}"])`)
      // A list of commands: the shell stays in between.
      const args = ['--test-runner', 'cd . && python3 user.py; true', '--include-file', 'user.py', ...place]
      const cli = await startCli([...args, '--users', '2', '--duration', '60s'], {
        files: { 'user.py': script },
      })
      await server.sawRequests(2)
      const pythons = processesMarked(cli.mark).filter(({ command }) => command.includes('python'))
      assert.ok(pythons.length >= 4, pythons.map(({ command }) => command).join('\n'))
      cli.kill('SIGKILL')
      // It fails when anything is left.
      assert.equal((await cli.result).exitCode, 137)
    })
  }
})
