import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir, readFile, rename } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { writeFiles } from './helpers/files.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import type { RunningCli } from './helpers/run-cli.ts'
import { hostOf } from './helpers/started-proxy.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const loads = join(root, 'packages/loads-runner/bin/loads.js')

/** Strict, as a careful user would have it. */
function typeProblems(directory: string, ...files: string[]): string {
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const modules = ['--module', 'nodenext', '--target', 'es2023', '--preserveSymlinks', 'false']
  const strict = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--skipLibCheck']
  const program = join(root, 'node_modules/typescript/bin/tsc')
  const args = [program, '--noEmit', '--ignoreConfig', ...types, ...modules, ...strict, ...files]
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: directory,
    encoding: 'utf8',
    timeout: 120_000,
  })
  return stdout + stderr
}

const entry = (method: string, url: string, body: string | null, answer: string) => ({
  request: {
    method,
    url,
    headers: [{ name: 'content-type', value: 'application/json' }],
    ...(body === null ? {} : { postData: { mimeType: 'application/json', text: body } }),
  },
  response: { status: 200, headers: [], content: { mimeType: 'application/json', text: answer } },
})

describe('tests that loads begins', function () {
  this.timeout(180_000)

  it('a new project runs as it is, and its types are right', async () => {
    const server = await startServer()
    const cwd = await temporaryDirectory()
    const made = await runCli(['init', '--url', server.url], { script: loads, cwd, json: false })
    assert.equal(made.exitCode, 0, made.stderr)
    assert.match(made.stdout, /Next: npx loads-runner\n$/)
    const run = await runCli([], { cwd })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(run.summary!.tests.successes, 2)
    assert.equal(server.seen.length, 2)
    assert.equal(typeProblems(cwd, 'website.ts', 'loads.config.ts'), '')
    await writeFiles(cwd, {
      'wrong.ts': "import { TestCase } from 'loads-runner'\nexport const a: number = TestCase\n",
    })
    assert.match(typeProblems(cwd, 'wrong.ts'), /wrong\.ts.*TS2322/)
  })

  it('an imported session runs with what the server answers now', async () => {
    const server = await startServer((asked, answer) => {
      answer.setHeader('content-type', 'application/json')
      answer.end(asked.url === '/cart' ? '{"items":[{"id":"item-9999"}]}' : '{}')
    })
    const entries = [
      entry('GET', `${server.url}/cart`, null, '{"items":[{"id":"item-0001"}]}'),
      entry('PUT', `${server.url}/items/item-0001`, '{"count":2}', '{}'),
    ]
    const cwd = await temporaryDirectory({ 's.har': JSON.stringify({ log: { entries } }) })
    const made = await runCli(['import', 'har', 's.har', '-o', 'shop.ts'], {
      script: loads,
      cwd,
      json: false,
    })
    assert.equal(made.exitCode, 0, made.stderr)
    const run = await runCli(['shop'], { cwd })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.deepEqual(
      server.seen.map(({ url }) => url.pathname),
      ['/cart', '/items/item-9999'],
    )
    const names = run.summary!.series.map(({ method, name }) => `${method} ${name}`)
    assert.deepEqual(names.toSorted(), ['GET /cart', 'PUT /items/:itemId'])
    assert.equal(typeProblems(cwd, 'shop.ts'), '')
  })

  it('an OpenAPI document and curl become tests that send what they say, and whose types are right', async () => {
    const bodies = new Map<string, string>()
    const server = await startServer((asked, answer) => {
      void text(asked).then((body) => {
        bodies.set(`${asked.method} ${asked.url}`, body)
        answer.end('{}')
      })
    })
    const api = `
openapi: 3.1.0
info: { title: Shop }
servers: [{ url: '${server.url}' }]
security: [{ key: [] }]
paths:
  /pets/{id}:
    put:
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      requestBody: { content: { multipart/form-data: { schema: { type: object, properties: { name: { type: string }, photo: { type: string, format: binary } } } } } }
      responses: { '200': {} }
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Key } } }
`
    const cwd = await temporaryDirectory({ 'api.yaml': api })
    const options = { script: loads, cwd, json: false }
    const made = await runCli(['import', 'openapi', 'api.yaml', '-o', 'pets.ts'], options)
    assert.equal(made.exitCode, 0, made.stderr)
    assert.match(made.stdout + made.stderr, /--secret KEY=env:KEY$/m)
    const curl = `curl -X POST ${server.url}/login -u me:pw --json '{"a":1}'`
    assert.equal((await runCli(['import', 'curl', curl, '-o', 'login.ts'], options)).exitCode, 0)
    const run = await runCli(['pets', 'login', '--secret', 'KEY=env:MY_KEY'], {
      cwd,
      env: { MY_KEY: 'k-1' },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const [pet, login] = [/^PUT \/pets\/\d+$/, /^POST \/login$/].map((line) => {
      const found = server.seen.filter(({ request }) => line.test(`${request.method} ${request.url}`))
      assert.equal(found.length, 1, String(line))
      return found[0]!.request
    })
    assert.equal(pet!.headers['x-key'], 'k-1')
    assert.match(pet!.headers['content-type']!, /^multipart\/form-data; ?boundary=/)
    assert.match(bodies.get(`PUT ${pet!.url}`)!, /name="name"[^]*name="photo"/)
    assert.equal(login!.headers.authorization, `Basic ${Buffer.from('me:pw').toString('base64')}`)
    assert.equal(login!.headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(bodies.get('POST /login')!), { a: 1 })
    assert.equal(typeProblems(cwd, 'pets.ts', 'login.ts'), '')
  })

  it('a recording is written at Ctrl-C, and runs', async () => {
    const server = await startServer((asked, answer) => {
      asked.resume()
      answer.setHeader('content-type', 'application/json')
      answer.end('{"token":"abc-123-def"}')
    })
    const cwd = await temporaryDirectory()
    const args = ['record', '--port', '0', '--target', server.url, '-o', 'mine.ts']
    const recording = await startCli(args, { script: loads, cwd, json: false })
    const [, address] = await recording.waitForLine(/open (http:\/\/127\.0\.0\.1:\d+)\//)
    for (const path of ['/login', '/me?token=abc-123-def']) {
      await new Promise<void>((resolve, reject) => {
        request(`${address}${path}`, { agent: false }, (answer) => answer.resume().on('end', resolve))
          .on('error', reject)
          .end()
      })
      await recording.waitForLine(new RegExp(`GET ${path.slice(0, 3)}.* 200`))
    }
    recording.kill('SIGINT')
    assert.equal((await recording.result).exitCode, 0)
    assert.match(await readFile(join(cwd, 'mine.ts'), 'utf8'), /query: \{ token \}/)
    const run = await runCli(['mine'], { cwd })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(server.seen.length, 4)
  })

  it('says what is wrong with what it is given, and writes nothing', async () => {
    const cwd = await temporaryDirectory({
      'empty.har': '{ "log": {} }',
      'broken.har': '{ "log": ',
      'api.yaml': 'paths: {}',
      'mine.ts': '// mine',
    })
    const wrong: [string[], RegExp][] = [
      [['import', 'har', 'missing.har', '-o', 'x.ts'], /missing\.har: ENOENT/],
      [['import', 'har', 'empty.har', '-o', 'x.ts'], /empty\.har: log\.entries/],
      [['import', 'har', 'broken.har', '-o', 'x.ts'], /broken\.har(?::\d+:\d+)?: is no JSON/],
      [['import', 'openapi', 'api.yaml', '-o', 'x.ts'], /api\.yaml: has no "openapi"/],
      [['import', 'curl', 'curl --frobnicate http://a.example/', '-o', 'x.ts'], /flag --frobnicate/],
      [['import', 'curl', 'wget http://a.example/', '-o', 'x.ts'], /begins with "wget"/],
      [['import', 'curl', 'curl http://a.example/', '-o', 'mine.ts'], /mine\.ts exists: .*--force/],
      [['record', '--target', 'http://a.example', '-o', 'mine.ts'], /mine\.ts exists: .*--force/],
      [['imprt'], /unknown command imprt/],
    ]
    for (const [args, said] of wrong) {
      const run = await runCli(args, { script: loads, cwd, json: false })
      assert.equal(run.exitCode, 2, args.join(' '))
      assert.match(run.stderr, said)
      assert.doesNotMatch(run.stderr, /^\s+at /m, 'no stack of ours')
    }
    assert.deepEqual(
      (await readdir(cwd)).filter((name) => name.endsWith('.ts')),
      ['mine.ts'],
    )
    assert.equal(await readFile(join(cwd, 'mine.ts'), 'utf8'), '// mine')
  })
})

describe('a test that is tried out', function () {
  this.timeout(180_000)

  it('shows each request and its answer with --once -v, and no secret', async () => {
    const server = await startServer((asked, answer) => {
      answer.setHeader('set-cookie', 'sid=cookie-value')
      answer.setHeader('x-answer', 'visible')
      answer.end(JSON.stringify({ you: asked.headers.authorization, at: asked.url }))
    })
    const files = {
      'door.ts': `
        import { TestCase } from 'loads-runner'
        export class TestDoor extends TestCase {
          async test_open() {
            await this.session.post('/open?key=' + process.env.KEY, {
              headers: { authorization: 'Bearer ' + process.env.KEY, 'x-request': 'shown' },
              json: { key: process.env.KEY, name: 'front door' },
            })
            await this.session.get('/missing-server', { name: 'second' })
          }
          async test_closed() { await this.session.get('/closed') }
        }`,
    }
    const run = await runCli(
      ['door', '--once', '-v', '--server-url', server.url, '--secret', 'KEY=env:OUR_KEY'],
      { files, env: { OUR_KEY: 'hush-hush' } },
    )
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.deepEqual(
      server.seen.map(({ url }) => url.pathname).toSorted(),
      ['/closed', '/missing-server', '/open'],
      'each test once',
    )
    const open = server.seen.find(({ url }) => url.pathname === '/open')!
    assert.equal(open.request.headers.authorization, 'Bearer hush-hush')
    const shown = run.stdout + run.stderr
    const lines = [
      /^> POST http:\/\/127\.0\.0\.1:\d+\/open\?key=\[redacted\]/m,
      /^> authorization: \[redacted\]$/m,
      /^> x-request: shown$/m,
      /^> \{"key":"\[redacted\]","name":"front door"\}$/m,
      /^< 200 in /m,
      /^< set-cookie: \[redacted\]$/m,
      /^< x-answer: visible$/m,
      /^< \{"you":"Bearer \[redacted\]","at":"\/open\?key=\[redacted\]"\}$/m,
    ].map((line) => {
      const at = shown.search(line)
      assert.ok(at >= 0, `${line} is missing in\n${shown}`)
      return at
    })
    assert.ok(lines[0]! < lines[4]!, 'the request comes before its answer')
    assert.equal(shown.match(/^> (?:GET|POST) /gm)!.length, 3)
    const written = await readEverything(run.directory)
    for (const [where, what] of [['the output', shown], ...written] as const) {
      assert.ok(!what.includes('hush-hush'), `${where} holds the secret`)
    }
  })

  it('runs again with --watch after each change, wrong ones too, until Ctrl-C', async () => {
    const server = await startServer()
    const cwd = await temporaryDirectory({
      'loads.config.json': '{ "users": 1, "proxies": "proxies.yaml" }',
      'proxies.yaml': `proxies: { web: { backend: '${hostOf(server)}' } }`,
      'lib/path.ts': `export const path = '/first'`,
      'watched.ts': `
        import { TestCase } from 'loads-runner'
        import { path } from './lib/path.ts'
        export class TestWatched extends TestCase {
          async test_path() { await this.session.get('http://' + this.proxies.web.address + path) }
        }`,
    })
    const run = await startCli(['watched', '--watch'], { cwd, json: false, timeoutMs: 170_000 })
    const seen = () => server.seen.map(({ url }) => url.pathname)
    await watches(run, 1)
    assert.deepEqual(seen(), ['/first'])
    await replaceFile(cwd, 'lib/path.ts', `export const path = '/second'`)
    await watches(run, 2)
    assert.deepEqual(seen(), ['/first', '/second'])
    await replaceFile(cwd, 'lib/path.ts', 'export const path = = 3')
    await watches(run, 3)
    assert.match(run.stderr, /lib\/path\.ts/)
    await replaceFile(cwd, 'lib/path.ts', `export const path = '/third'`)
    await watches(run, 4)
    assert.deepEqual(seen(), ['/first', '/second', '/third'])
    await replaceFile(cwd, 'loads.config.json', '{ "users": 2, "proxies": "proxies.yaml" }')
    await watches(run, 5)
    assert.deepEqual(seen(), ['/first', '/second', '/third', '/third', '/third'])
    await replaceFile(cwd, 'proxies.yaml', `proxies: { web: { backend: '${hostOf(server)}', seed: 7 } }`)
    await watches(run, 6)
    assert.equal(seen().length, 7)
    run.kill('SIGINT')
    const { exitCode, signal } = await run.result
    assert.deepEqual([exitCode, signal], [0, null])
  })
})

/** Changes a file in one step: who watches it never sees half of it, and sees one change. */
async function replaceFile(directory: string, name: string, text: string): Promise<void> {
  const aside = await temporaryDirectory({ file: text })
  await rename(join(aside, 'file'), join(directory, name))
}

/** Waits until a console with --watch has made so many runs, and waits for the next change. */
async function watches(run: RunningCli, times: number): Promise<void> {
  const deadline = performance.now() + 60_000
  const said = () => run.stderr.split('watching for changes').length - 1
  while (said() < times) {
    assert.ok(performance.now() < deadline, `run ${times} did not come:\n${run.stdout}${run.stderr}`)
    await delay(20)
  }
  assert.equal(said(), times)
}

/** Names and contents of what a run has left. */
async function readEverything(directory: string): Promise<[string, string][]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const file = join(parentPath, name)
      return [file, await readFile(file, 'latin1')] as [string, string]
    }),
  )
}
