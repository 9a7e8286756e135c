import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../src/errors.ts'
import { invocationFrom, readSettings } from '../src/read-settings.ts'
import type { Invocation } from '../src/read-settings.ts'
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
    assert.deepEqual(settings.output, [{ name: 'json', file: 'out:1.json' }, { name: 'null' }])
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
      '--agents: "many" is not a whole number from 1 to 100000',
      'LOADS_MIN_COVERAGE: "2" is not a ratio from 0 to 1',
      '--timeout: "x" is not a duration (write 500ms, 30s, 5m or 1h; a bare number is seconds)',
      '--output: unknown output "jsn": did you mean json (known: stdout, null, json:FILE)',
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
      'unknown key "usres" in the configuration file: did you mean users?',
      'unknown key "attach" in the configuration file',
      '"lease" in the configuration file: must be a text, a number, true, false or a list',
      '"users" in the configuration file: takes one value, not a list',
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
    const near = await read(['a.B', '--config', 'loads.json', '-d', '10s'])
    assert.deepEqual([near.settings.iterations, near.settings.duration], [null, 10_000])
    const env = await read(['a.B', '--hits', '2'], { LOADS_DURATION: '1m' })
    assert.deepEqual([env.settings.iterations, env.settings.duration], [[2], null])
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
    await assert.rejects(
      invocationFrom({ env: {}, cwd }, { usres: 1 }, ['a.B']),
      /unknown key "usres" in the options/,
    )
  })
})
