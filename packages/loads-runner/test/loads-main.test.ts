import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadsMain } from '../src/main.ts'
import { version } from '../src/version.ts'
import { fakeWorld } from './fake-world.ts'

describe('loads', () => {
  let cwd: string
  beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'loads-command-'))))
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const command = async (...args: string[]) => {
    const world = fakeWorld(args, { cwd })
    const exitCode = await loadsMain(world)
    assert.equal(world.listeners, 0)
    return { exitCode, stdout: world.stdout.content, stderr: world.stderr.content }
  }
  const text = (name: string) => readFile(join(cwd, name), 'utf8')

  it('shows its commands, and how each is used', async () => {
    for (const args of [[], ['help'], ['--help']]) {
      const { exitCode, stdout, stderr } = await command(...args)
      assert.deepEqual([exitCode, stderr], [0, ''])
      for (const word of ['init', 'import', 'record', 'help'])
        assert.match(stdout, new RegExp(`^  ${word}\\b`, 'm'))
      assert.ok(stdout.split('\n').every((line) => line.length <= 110))
    }
    for (const args of [
      ['import', '--help'],
      ['help', 'import'],
    ])
      assert.match((await command(...args)).stdout, /^  har .*\n  openapi .*\n  curl /m)
    assert.match((await command('record', '--help')).stdout, /--target <URL>/)
    assert.deepEqual(await command('--version'), { exitCode: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('names what it does not know, with what is near', async () => {
    const problem = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await command(...args)
      assert.deepEqual([exitCode, stdout], [2, ''])
      assert.match(stderr, /^error: .*\nsee --help\n$/)
      return stderr.slice('error: '.length, -'\nsee --help\n'.length)
    }
    assert.equal(await problem('imprt'), 'unknown command imprt: did you mean import?')
    assert.equal(await problem('import', 'harr', 'x'), 'unknown command harr: did you mean har?')
    assert.equal(await problem('import'), 'loads import: what? har FILE, openapi FILE or curl COMMAND')
    assert.equal(await problem('init', '--ulr', 'x'), 'unknown option --ulr: did you mean --url?')
    assert.match(
      await problem('init', '--url', 'ftp://x'),
      /--url <URL>.* is not an http:\/\/ or https:\/\/ address/,
    )
    assert.match(
      await problem('record', '--port', 'x'),
      /--port <PORT>.* is not a whole number from 0 to 65535/,
    )
    assert.match(await problem('import', 'har'), /missing required argument 'FILE'/)
    assert.match(await problem('import', 'har', 'none.har'), /^cannot read none\.har: ENOENT/)
    assert.match(await problem('init', 'a', 'b'), /too many arguments/)
  })

  it('imports curl to standard output and to files', async () => {
    const { exitCode, stdout } = await command('import', 'curl', 'curl http://localhost:1/a')
    assert.equal(exitCode, 0)
    assert.match(stdout, /^import \{ TestCase \} from 'loads-runner'\n/)
    const done = await command('import', 'curl', 'curl http://localhost:1/a', '-o', 'sub/login.ts')
    assert.deepEqual(done, {
      exitCode: 0,
      stdout: 'sub/login.ts: 1 request\nNext: loads-runner sub/login.ts\n',
      stderr: '',
    })
    assert.match(await text('sub/login.ts'), /class TestLogin /)
    const again = await command('import', 'curl', 'curl http://localhost:1/b', '-o', 'sub/login.ts')
    assert.equal(again.exitCode, 2)
    assert.match(again.stderr, /^error: sub\/login\.ts exists: .*--force/)
    assert.equal(
      (await command('import', 'curl', 'curl http://localhost:1/b', '-o', 'sub/login.ts', '--force'))
        .exitCode,
      0,
    )
    assert.match(await text('sub/login.ts'), /'\/b'/)
  })

  it('imports curl from a file, and words that the shell has split', async () => {
    await writeFile(join(cwd, 'c.sh'), `curl 'http://h/a' \\\n -X PUT\n`)
    assert.match((await command('import', 'curl', '@c.sh')).stdout, /session\.put\('\/a'\)/)
    const split = await command('import', 'curl', '--', 'curl', '-d', "it's=1", 'http://h/a')
    assert.match(split.stdout, /body: "it's=1"|form: \{ "it's": '1' \}/)
  })

  it('writes JavaScript where the name of the file says so', async () => {
    const entry = (url: string, answer: string) => ({
      request: { method: 'GET', url, headers: [] },
      response: { status: 200, headers: [], content: { mimeType: 'application/json', text: answer } },
    })
    const entries = [entry('http://h/a', '{"id":"abc-123"}'), entry('http://h/b/abc-123', '{}')]
    await writeFile(join(cwd, 's.har'), JSON.stringify({ log: { entries } }))
    const { stdout } = await command('import', 'har', 's.har', '-o', 'shop.mjs')
    assert.equal(
      stdout,
      'shop.mjs: 2 requests, 1 value taken from earlier answers\nNext: loads-runner shop\n',
    )
    assert.match(await text('shop.mjs'), /const id = a\.json\(\)\.id\n/)
  })

  it('says when nothing is left of a HAR file', async () => {
    const entries = [{ request: { method: 'GET', url: 'http://h/a.png', headers: [] } }]
    await writeFile(join(cwd, 's.har'), JSON.stringify({ log: { entries } }))
    const { exitCode, stderr } = await command('import', 'har', 's.har')
    assert.equal(exitCode, 2)
    assert.match(stderr, /s\.har: all of its 1 request load assets .*--all keeps them/)
  })

  it('imports an OpenAPI document', async () => {
    await writeFile(
      join(cwd, 'api.yaml'),
      'openapi: 3.0.0\ninfo: {title: A}\npaths: {/a: {get: {responses: {}}}}',
    )
    const done = await command('import', 'openapi', 'api.yaml', '-o', 'api.ts', '--url', 'http://localhost:1')
    assert.deepEqual([done.exitCode, done.stderr], [0, ''])
    assert.equal(done.stdout, 'api.ts: 1 operation\nNext: loads-runner api\n')
    assert.match(
      (await command('import', 'openapi', 'api.yaml')).stderr,
      /^warning: the document names no server/,
    )
  })

  describe('init', () => {
    const files = ['.github', '.gitignore', 'loads.config.ts', 'package.json', 'website.ts']

    it('makes a project and says what to do next', async () => {
      const { exitCode, stdout, stderr } = await command('init', 'my load', '--url', "http://localhost:1/o'x")
      assert.deepEqual([exitCode, stderr], [0, ''])
      assert.deepEqual((await readdir(join(cwd, 'my load'))).toSorted(), files)
      assert.match(stdout, /^made +website\.ts\n/)
      assert.match(stdout, /Next: cd 'my load' && npm install && npx loads-runner\n$/)
      assert.match(await text('my load/website.ts'), /static serverUrl = "http:\/\/localhost:1\/o'x"/)
      const content = JSON.parse(await text('my load/package.json')) as Record<string, unknown>
      assert.deepEqual(content, {
        name: 'my-load',
        private: true,
        type: 'module',
        scripts: { load: 'loads-runner' },
        devDependencies: { 'loads-runner': `^${version}` },
      })
    })

    it('tells what to change where no address was given', async () => {
      const { stdout } = await command('init')
      assert.match(stdout, /First put the address of your server into website\.ts\.\n/)
      assert.match(await text('website.ts'), /^\/\/ Change serverUrl to the address of your server/)
    })

    it('leaves what exists as it is, and adds what a package lacks', async () => {
      const pack = '{\n    "name": "mine",\n    "scripts": {\n        "test": "mocha"\n    }\n}'
      await writeFile(join(cwd, 'website.ts'), 'mine')
      await writeFile(join(cwd, 'package.json'), pack)
      await writeFile(join(cwd, '.gitignore'), 'node_modules')
      const { stdout } = await command('init')
      assert.match(stdout, /^left as it is  website\.ts$/m)
      assert.match(stdout, /^added to +package\.json$/m)
      assert.match(stdout, /--force writes over it/)
      assert.equal(await text('website.ts'), 'mine')
      assert.equal(await text('.gitignore'), 'node_modules\nresults/\n')
      const content = await text('package.json')
      assert.ok(content.startsWith('{\n    "name": "mine",\n    "scripts": {\n        "test": "mocha",\n'))
      assert.ok(!content.endsWith('\n'), 'as it ended before')
      assert.deepEqual(JSON.parse(content).scripts, { test: 'mocha', load: 'loads-runner' })
      const again = await text('package.json')
      await command('init', '--force')
      assert.notEqual(await text('website.ts'), 'mine')
      assert.equal(await text('package.json'), again)
    })

    it('does nothing where a package is broken, or a file stands in the way', async () => {
      await writeFile(join(cwd, 'package.json'), '{')
      const broken = await command('init')
      assert.equal(broken.exitCode, 2)
      assert.match(broken.stderr, /package\.json is no JSON/)
      assert.deepEqual(await readdir(cwd), ['package.json'])
      assert.match((await command('init', 'package.json')).stderr, /is a file: name a directory/)
      await mkdir(join(cwd, 'other'))
      await writeFile(join(cwd, 'other', '.github'), '')
      assert.match((await command('init', 'other')).stderr, /^error: cannot write into other: /)
    })
  })
})
