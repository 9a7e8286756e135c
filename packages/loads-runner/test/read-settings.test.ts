import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../src/errors.ts'
import { invocationFrom, readSettings } from '../src/read-settings.ts'
import type { Invocation } from '../src/read-settings.ts'
import { GivenLoad, planLoad, problemsOf as loadProblemsOf } from '../src/load-models/index.ts'
import { fakeWorld } from './fake-world.ts'

describe('readSettings', () => {
  let cwd: string
  beforeEach(async () => (cwd = await mkdtemp(join(tmpdir(), 'loads-settings-'))))
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const read = (args: string[], env: Record<string, string> = {}): Promise<Invocation> =>
    readSettings(fakeWorld(args, { env, cwd }))

  const problemsOf = async (args: string[], env: Record<string, string> = {}): Promise<readonly string[]> => {
    const error = await read(args, env).then(
      () => assert.fail('nothing was wrong'),
      (failure: unknown) => failure,
    )
    assert.ok(error instanceof UsageError, String(error))
    return error.problems
  }

  it('takes defaults from the table', async () => {
    const { settings, sources, tests } = await read(['example.TestWebSite.test_es'])
    assert.deepEqual(tests, ['example.TestWebSite.test_es'])
    assert.equal(settings.users, null)
    assert.equal(settings.lease, 6000)
    assert.equal(settings.results, 'results')
    assert.equal(sources.lease, 'default')
  })

  it('reads every form of option', async () => {
    const { settings, tests } = await read([
      'a.B',
      '-u',
      '10:20',
      '--hits=3',
      '--ramp-up',
      '5',
      '-a2',
      'c.D',
      '--insecure',
      '-q',
      '--param',
      'size=3',
      '--param',
      'text=a=b',
      '--label',
      'x=',
      '-o',
      'json:out:1.json',
      '-o',
      'null',
    ])
    assert.deepEqual(tests, ['a.B', 'c.D'])
    assert.deepEqual(settings.users, [10, 20])
    assert.deepEqual(settings.iterations, [3])
    assert.equal(settings.rampUp, 5000)
    assert.equal(settings.agents, 2)
    assert.equal(settings.insecure, true)
    assert.equal(settings.quiet, true)
    assert.deepEqual(settings.param, { size: '3', text: 'a=b' })
    assert.deepEqual(settings.label, { x: '' })
    assert.deepEqual(settings.output, ['json:out:1.json', 'null'])
  })

  it('lets the command line win over the environment, and that over the file', async () => {
    const file = {
      tests: ['f.F'],
      users: 1,
      agents: 2,
      'server-url': 'http://file',
      timeout: '1s',
      insecure: true,
    }
    await writeFile(join(cwd, 'loads.json'), JSON.stringify(file))
    const env = {
      LOADS_CONFIG: 'loads.json',
      LOADS_AGENTS: '3',
      LOADS_SERVER_URL: 'http://env',
      LOADS_QUIET: '',
    }
    const { settings, sources, tests } = await read(['--server-url', 'http://line'], env)
    assert.deepEqual(tests, ['f.F'])
    assert.deepEqual(settings.users, [1])
    assert.equal(settings.agents, 3)
    assert.equal(settings.serverUrl, 'http://line')
    assert.equal(settings.timeout, 1000)
    assert.equal(settings.insecure, true)
    assert.deepEqual(
      [sources.users, sources.agents, sources.serverUrl, sources.quiet],
      ['config', 'environment', 'command line', 'default'],
    )
  })

  it('adds a profile of the file to what is outside of it', async () => {
    const file = { users: 5, delay: 1, param: { a: 1 }, profiles: { nightly: { users: 50, tests: ['n.N'] } } }
    await writeFile(join(cwd, 'loads.json'), JSON.stringify(file))
    const { settings, tests } = await read(['--config', 'loads.json', '--profile', 'nightly'])
    assert.deepEqual(settings.users, [50])
    assert.equal(settings.delay, 1000)
    assert.deepEqual(settings.param, { a: '1' })
    assert.deepEqual(tests, ['n.N'])
    assert.deepEqual(await problemsOf(['--config', 'loads.json', '--profile', 'nightli', 'a.B']), [
      '--profile: loads.json has no profile "nightli": did you mean nightly?',
    ])
  })

  it('reports all problems at once', async () => {
    const problems = await problemsOf(
      [
        '--usrs',
        '3',
        '--agents',
        'many',
        '--timeout',
        'x',
        '-o',
        'jsn:file',
        '--iterations',
        '1',
        '-d',
        '5',
        '--cert',
        'c',
      ],
      { LOADS_USRES: '1', LOADS_MIN_COVERAGE: '2' },
    )
    assert.deepEqual(problems, [
      'unknown option --usrs: did you mean --users?',
      'unknown environment variable LOADS_USRES: did you mean LOADS_USERS?',
      '--timeout: "x" is not a duration (write 500ms, 30s, 5m or 1h; a bare number is seconds)',
      '--agents: "many" is not a whole number from 1 to 100000',
      'LOADS_MIN_COVERAGE: "2" is not a ratio from 0 to 1',
      '--output: there is no output "jsn"; did you mean json?; known ones are stdout, null, json, ndjson, csv, junit, html, statsd, ' +
        'influx, influx2, influx3, prometheus, otlp, webhook, and modules as ./FILE, @SCOPE/PACKAGE or npm:PACKAGE',
      '--iterations and --duration exclude each other: give one',
      'name at least one test: loads-runner example.TestWebSite.test_es (--help shows all options)',
      '--cert and --key go together: give both',
    ])
  })

  it('refuses a missing value and unknown keys of a file', async () => {
    assert.deepEqual(await problemsOf(['a.B', '--users']), ["option '-u, --users <N>' argument missing"])
    await writeFile(
      join(cwd, 'loads.json'),
      JSON.stringify({ usres: 3, attach: 'x', lease: { a: { b: 1 } }, users: [2, 3] }),
    )
    assert.deepEqual(await problemsOf(['a.B', '--config', 'loads.json']), [
      'unknown key "usres" in the configuration file: did you mean users? (loads.json:1)',
      'unknown key "attach" in the configuration file (loads.json:1)',
      '"lease" in the configuration file: must be a text, a number, true, false or a list (loads.json:1)',
      '"users" in the configuration file: takes one value, not a list (loads.json:1)',
    ])
  })

  it('says what is wrong with a configuration file', async () => {
    await writeFile(join(cwd, 'broken.json'), '{ "users": ')
    await writeFile(join(cwd, 'list.json'), '[]')
    assert.match(
      (await problemsOf(['a.B', '--config', 'none.json']))[0]!,
      /^--config: cannot read none.json: ENOENT/,
    )
    assert.match(
      (await problemsOf(['a.B', '--config', 'broken.json']))[0]!,
      /^--config: broken.json is not JSON/,
    )
    assert.match((await problemsOf(['a.B', '--config', 'list.json']))[0]!, /must hold a JSON object/)
    assert.match((await problemsOf(['a.B', '--profile', 'p']))[0]!, /^--profile: needs --config/)
  })

  it('lets the nearer of iterations and duration win', async () => {
    await writeFile(join(cwd, 'loads.json'), JSON.stringify({ iterations: 5 }))
    const stagesOf = async (args: string[], env: Record<string, string> = {}) => {
      const { layers } = await read(args, env)
      const load = new GivenLoad([...layers.file, ...layers.nearer], [])
      assert.deepEqual(loadProblemsOf(load), [])
      return planLoad(load, { agents: null, round: 1 })
    }
    const [near] = await stagesOf(['a.B', '--config', 'loads.json', '-d', '10s'])
    assert.deepEqual(near, { type: 'constant-users', users: 1, durationMs: 10_000, rampUpMs: 0 })
    const [env] = await stagesOf(['a.B', '--hits', '2'], { LOADS_DURATION: '1m' })
    assert.equal(env!.type, 'hits-per-user')
  })

  it('refuses stages that do not pair', async () => {
    assert.deepEqual(await problemsOf(['a.B', '-u', '1:2:3', '--iterations', '1:2']), [
      '--users has 3 stages and --iterations 2: give as many, or one number for all',
    ])
  })

  it('asks for a broker where one is needed, and names the ways to give it', async () => {
    for (const verb of [
      ['--attach'],
      ['--stop', 'r1'],
      ['--list-runs'],
      ['--ping-broker'],
      ['--purge-broker'],
      ['--check-cluster'],
      ['--control', '--pause-load'],
    ]) {
      const problems = await problemsOf(verb)
      assert.deepEqual(problems, [`${verb[0]} needs a broker: give --broker @FILE, or set LOADS_BROKER`])
      await read(verb, { LOADS_BROKER: '@operator.join' })
    }
    assert.match((await problemsOf(['a.B', '--detach']))[0]!, /^--detach needs a broker that stays/)
  })

  it('takes one verb at a time, and no tests with it', async () => {
    const env = { LOADS_BROKER: '@operator.join' }
    assert.deepEqual(await problemsOf(['--list-runs', '--ping-broker'], env), [
      '--list-runs and --ping-broker cannot be combined: give one',
    ])
    assert.deepEqual(await problemsOf(['--list-runs', 'a.B'], env), [
      '--list-runs takes no tests, and a.B was given',
    ])
  })

  it('keeps ways to run apart that decide what others would', async () => {
    assert.deepEqual(
      await problemsOf(['a.B', '--once', '--users', '3', '--agents', '2', '--replay', 'latest:a/1']),
      [
        '--once and --agents cannot be combined: give one',
        '--once and --replay cannot be combined: give one',
        '--replay and --agents cannot be combined: give one',
        '--once runs each test once, with one user: leave --users out',
        '--replay runs one execution, as it was recorded: leave --users out',
        '--replay takes its test from the run, and a.B was given: leave that out',
      ],
    )
    assert.deepEqual(await problemsOf(['a.B', '--verbose', '--delay-abort', '5s']), [
      '--verbose prints every request: it goes with --once or --replay',
      '--delay-abort says nothing without --abort-on-fail: add that, or leave it out',
    ])
  })

  it('leaves the load to the search for capacity', async () => {
    await read(['a.B', '--find-capacity', 'p(95)<200', '--start', '20', '--capacity-max', '100/s'])
    assert.deepEqual(
      await problemsOf(['a.B', '--find-capacity', 'p(95)<200', '--iterations', '3', '--dry-run']),
      [
        '--find-capacity and --dry-run cannot be combined: give one',
        '--find-capacity decides itself how much load is made: leave --iterations out',
      ],
    )
  })

  it('stays in this process for one execution, whatever files and variables say of a cluster', async () => {
    const env = { LOADS_BROKER: '@operator.join', LOADS_AGENTS: '3', LOADS_USERS: '50' }
    const { settings } = await read(['a.B', '--once'], env)
    assert.deepEqual([settings.broker, settings.agents, settings.workers], [null, null, 0])
    const replayed = await read(['--replay', 'latest:default/3/0'], env)
    assert.deepEqual(replayed.settings.replay, { run: 'latest', execution: 'default/3/0' })
    assert.deepEqual(replayed.tests, [])
  })

  it('takes one change of a controlled load', async () => {
    const env = { LOADS_BROKER: '@operator.join' }
    assert.deepEqual(await problemsOf(['--control'], env), [
      '--control needs a change: give --set-users N, --set-rate R, --pause-load or --resume-load',
    ])
    assert.deepEqual(
      await problemsOf(
        ['--control', '--set-users', '3', '--set-rate', '5', '--pause-load', '--resume-load'],
        env,
      ),
      [
        '--set-users and --set-rate cannot be combined: a run controls one of them',
        '--pause-load and --resume-load cannot be combined: give one',
      ],
    )
    assert.deepEqual(await problemsOf(['a.B', '--set-rate', '5'], env), [
      '--set-rate needs --control: add that, with the run where there are several',
    ])
    assert.equal((await read(['--control', 'r1', '--set-rate', '90/m'], env)).settings.setRate, 1.5)
  })

  it('reads thresholds from the environment, parted by semicolons, and says where they make no sense', async () => {
    const env = { LOADS_THRESHOLD: 'http_req_duration{name:a,status:200}: p(95)<200;errors<1%' }
    assert.deepEqual((await read(['a.B'], env)).settings.threshold, [
      'http_req_duration{name:a,status:200}: p(95)<200',
      'errors<1%',
    ])
    const [problem] = await problemsOf(['a.B', '--threshold', 'p(95)<'])
    assert.match(problem!, /^--threshold: "p\(95\)<", character 7: a limit is missing/)
  })

  it('tells "the only active run" from a named one', async () => {
    const env = { LOADS_BROKER: '@operator.join' }
    assert.equal((await read(['--attach'], env)).settings.attach, '')
    assert.equal((await read(['--attach', 'r1'], env)).settings.attach, 'r1')
    assert.equal((await read(['a.B'], env)).settings.attach, null)
  })

  it('takes variables of the users from ours, and never repeats a secret', async () => {
    const env = { HOME: '/home', LOADS_TOKEN: 'hush' }
    const { settings } = await read(
      ['a.B', '--env', 'HOME', '--env', 'A=b=c', '--secret', 'T=env:LOADS_TOKEN'],
      env,
    )
    assert.deepEqual(settings.env, { HOME: null, A: 'b=c' })
    assert.deepEqual(settings.secret, { T: 'LOADS_TOKEN' })
    assert.deepEqual(await problemsOf(['a.B', '--env', 'NONE', '--secret', 'T=env:NONE']), [
      '--env NONE: there is no variable NONE here',
      '--secret T: there is no variable NONE here',
    ])
    const problems = await problemsOf(['a.B', '--secret', 'T=hunter2'])
    assert.deepEqual(problems, [
      '--secret: write it as NAME=env:VARIABLE, so that the value is in no command line',
    ])
  })

  it('needs no tests for an external runner', async () => {
    assert.deepEqual((await read(['--test-runner', 'python3 runner.py'])).tests, [])
  })

  it('stops reading options at --', async () => {
    assert.deepEqual((await read(['--users', '2', '--', '--odd.Name'])).tests, ['--odd.Name'])
  })

  it('reads the same from code', async () => {
    const options = { users: '1:2', duration: 3, param: { a: 1 }, insecure: true, results: undefined }
    const { settings, sources } = await invocationFrom({ env: {}, cwd }, options, ['a.B'])
    assert.deepEqual(settings.users, [1, 2])
    assert.equal(settings.duration, 3000)
    assert.deepEqual(settings.param, { a: '1' })
    assert.equal(settings.results, 'results')
    assert.equal(sources.users, 'command line')
    const scenarios = { a: { tests: ['a.B'], rate: '5/s', duration: '1s' } }
    const planned = await invocationFrom({ env: {}, cwd }, { scenarios, agents: 2 }, [])
    assert.deepEqual(planned.tests, ['a.B'])
    assert.deepEqual(
      planned.scenarios.map(({ name }) => name),
      ['a'],
    )
    await writeFile(join(cwd, 'mine.yaml'), 'profiles: { p: { users: 7 } }')
    const filed = await invocationFrom({ env: {}, cwd }, { config: 'mine.yaml', profile: 'p' }, ['a.B'])
    assert.deepEqual(filed.settings.users, [7])
    await assert.rejects(
      invocationFrom({ env: {}, cwd }, { usres: 1 }, ['a.B']),
      /unknown key "usres" in the options/,
    )
  })
})
