import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../src/errors.ts'
import { readSettings } from '../../src/read-settings.ts'
import type { Invocation } from '../../src/read-settings.ts'
import { fakeWorld } from '../fake-world.ts'

describe('a configuration file', () => {
  let cwd: string
  beforeEach(async () => (cwd = await mkdtemp(join(tmpdir(), 'loads-config-'))))
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const write = (name: string, text: string) => writeFile(join(cwd, name), text)
  const read = (args: string[] = []): Promise<Invocation> => readSettings(fakeWorld(args, { cwd }))
  const problemsOf = async (args: string[] = []): Promise<readonly string[]> => {
    const error = await read(args).then(
      () => assert.fail('nothing was wrong'),
      (failure: unknown) => failure,
    )
    assert.ok(error instanceof UsageError, String(error))
    return error.problems
  }

  const yaml = `
users: 5
param:
  size: 3
scenarios:
  login:
    tests: [shop.TestLogin, { test: shop.TestOther, weight: 3 }]
    rate: 50/s
    duration: 1m
    startAfter: 10s
    tags: { tier: gold }
    params: { region: 7 }
    thresholds: ["p(95)<200"]
  browse:
    tests: shop.TestBrowse
profiles:
  small:
    scenarios:
      browse: { tests: [shop.TestBrowse.test_one] }
  one:
    tests: [shop.TestOne]
`

  it('is found in the working directory, in any of its forms', async () => {
    const forms = {
      'loads.config.yaml': 'users: 7\ntests: [a.B]\n',
      'loads.config.yml': 'users: 7\ntests: [a.B]\n',
      'loads.config.json': '{ "users": 7, "tests": ["a.B"] }',
      'loads.config.mjs': 'export default { users: 7, tests: ["a.B"] }',
      'loads.config.ts': `import { defineConfig } from 'loads-runner'
        import { users } from './users.ts'
        export default defineConfig({ users, tests: 'a.B' })`,
    }
    await write('users.ts', 'export const users: number = 7')
    for (const [name, text] of Object.entries(forms)) {
      await write(name, text)
      const { settings, tests, configFiles } = await read()
      assert.deepEqual([settings.users, tests], [[7], ['a.B']], name)
      const inputs = name.endsWith('.ts') ? ['users.ts', name] : [name]
      assert.deepEqual(configFiles.toSorted(), inputs.map((each) => join(cwd, each)).toSorted(), name)
      await rm(join(cwd, name))
    }
  })

  it('stays where it is in its own eyes', async () => {
    await write('users.txt', '9')
    await write(
      'loads.config.ts',
      `import { readFileSync } from 'node:fs'
       const beside = new URL('./users.txt', import.meta.url)
       export default { users: Number(readFileSync(beside, 'utf8')), tests: ['a.B'] }`,
    )
    assert.deepEqual((await read()).settings.users, [9])
  })

  it('must be one of several', async () => {
    await write('loads.config.json', '{}')
    await write('loads.config.yaml', '')
    const both = 'loads.config.json and loads.config.yaml are both here: keep one, or name one with --config'
    assert.equal((await problemsOf(['a.B']))[0], both)
    await read(['a.B', '--config', 'loads.config.json'])
  })

  it('holds scenarios', async () => {
    await write('loads.config.yaml', yaml)
    const { tests, scenarios, settings } = await read()
    assert.deepEqual(tests, ['shop.TestLogin', 'shop.TestOther', 'shop.TestBrowse'])
    assert.deepEqual(settings.param, { size: '3' })
    const [login, browse] = scenarios
    assert.deepEqual(login!.tests, [
      { name: 'shop.TestLogin', weight: null },
      { name: 'shop.TestOther', weight: 3 },
    ])
    assert.deepEqual(
      [login!.startMs, login!.tags, login!.params],
      [10_000, { tier: 'gold' }, { region: '7' }],
    )
    assert.deepEqual(login!.thresholds, ['p(95)<200'])
    assert.deepEqual(login!.load.values.get('rate'), ['50/s'])
    assert.deepEqual([browse!.name, browse!.startMs], ['browse', 0])
  })

  it('has profiles whose tests or scenarios replace its own', async () => {
    await write('loads.config.yaml', yaml)
    const small = await read(['--profile', 'small'])
    assert.deepEqual(small.tests, ['shop.TestBrowse.test_one'])
    assert.deepEqual(small.settings.users, [5])
    const one = await read(['--profile', 'one'])
    assert.deepEqual([one.tests, one.scenarios], [['shop.TestOne'], []])
  })

  it('has profiles without mistakes, also those that are not chosen', async () => {
    await write('loads.config.yaml', 'tests: [a.B]\nprofiles:\n  night: { usres: 3 }\n  day: 7\n')
    assert.deepEqual(await problemsOf(), [
      'unknown key "usres" in the configuration file: did you mean users? (loads.config.yaml:3)',
      'profile "day": must be an object of options (loads.config.yaml:4)',
    ])
  })

  it('gives its scenarios up for tests that are named on the command line', async () => {
    await write('loads.config.yaml', yaml)
    const { tests, scenarios, settings } = await read(['other.Test'])
    assert.deepEqual([tests, scenarios, settings.users], [['other.Test'], [], [5]])
  })

  it('says all that is wrong with it at once, and where', async () => {
    await write(
      'loads.config.yaml',
      [
        'scenarios:',
        '  browsers:',
        '    tests: [a.B]',
        '    usres: 3',
        '  buyers/2:',
        '    tests: [{ tset: a.B }, { test: a.B, weight: -1 }]',
        '    rate: fast',
        '    iterations: 0',
        '    startAfter: soon',
        '    tags: gold',
        '  empty: 3',
        'thresholds: ["p(95)<"]',
        'tuesday: true',
        'tests: [c.D]',
      ].join('\n'),
    )
    const problems = await problemsOf()
    const expected = [
      /^scenario "buyers\/2": a name has letters, digits, blanks and \. _ - only \(loads\.config\.yaml:5\)$/,
      /^scenario "empty": must be an object with "tests" and a load \(loads\.config\.yaml:11\)$/,
      /^unknown key "usres" of scenario "browsers": did you mean users\? \(loads\.config\.yaml:4\)$/,
      /^"tests" of scenario "buyers\/2": \{"tset":"a\.B"\} is neither a name nor \{ test, weight \} \(loads\.config\.yaml:6\)$/,
      /^"tests" of scenario "buyers\/2": the weight of a\.B is no whole number from 0 to 10000/,
      /^"rate" of scenario "buyers\/2" \(loads\.config\.yaml:7\): "fast" is not a rate/,
      /^"iterations" of scenario "buyers\/2" \(loads\.config\.yaml:8\): "0" is not a whole number/,
      /^"startAfter" of scenario "buyers\/2": "soon" is not a duration.*\(loads\.config\.yaml:9\)$/,
      /^"tags" of scenario "buyers\/2": must be an object of texts \(loads\.config\.yaml:10\)$/,
      /^"tests" of scenario "empty": is missing/,
      /^--threshold: "p\(95\)<", character 7/,
      /^unknown key "tuesday" in the configuration file \(loads\.config\.yaml:13\)$/,
      /^"tests" and "scenarios" in the configuration file exclude each other.*\(loads\.config\.yaml:14\)$/,
    ]
    for (const said of expected) {
      assert.ok(
        problems.some((problem) => said.test(problem)),
        `${said} is missing in\n${problems.join('\n')}`,
      )
    }
    assert.equal(problems.length, expected.length, problems.join('\n'))
  })

  it('names the line of a contradiction and of YAML that is none', async () => {
    await write('loads.config.yaml', 'tests: [a.B]\nusers: 3\nrate: 5/s\niterations: 3\n')
    assert.deepEqual(await problemsOf(), [
      '"iterations" in the configuration file (loads.config.yaml:4) and "rate" in the configuration file (loads.config.yaml:3) exclude each other: executions at a rate have a --duration',
    ])
    await write('loads.config.yaml', 'users: 3\n  rate: [\n')
    assert.match((await problemsOf(['a.B']))[0]!, /^--config: loads\.config\.yaml:1:8: /)
    await write('loads.config.yaml', 'users: 3\nusers: 4\n')
    assert.match(
      (await problemsOf(['a.B']))[0]!,
      /^--config: loads\.config\.yaml:2:1: Map keys must be unique/,
    )
    await write('loads.config.yaml', '- users\n')
    assert.match((await problemsOf(['a.B']))[0]!, /must hold a JSON object of options/)
  })

  it('says where a program does not load', async () => {
    await write('loads.config.ts', 'export default {\n  users: 3,,\n}')
    assert.match(
      (await problemsOf(['a.B']))[0]!,
      /^--config: loads\.config\.ts does not load: .*loads\.config\.ts:2:\d+/,
    )
    await write('loads.config.ts', 'const users = 1\nthrow new Error("not today")\nexport default { users }')
    assert.match((await problemsOf(['a.B']))[0]!, /does not load: Error: not today\n.*loads\.config\.ts:2/)
    await write('loads.config.ts', 'export const users = 3')
    assert.match((await problemsOf(['a.B']))[0]!, /must export an object of options as its default/)
  })
})
