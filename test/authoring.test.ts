import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFiles } from './helpers/files.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
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
    timeout: 60_000,
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
  this.timeout(90_000)

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

  it('an OpenAPI document and curl become tests whose types are right', async () => {
    const server = await startServer()
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
    assert.equal((await runCli(['import', 'openapi', 'api.yaml', '-o', 'pets.ts'], options)).exitCode, 0)
    const curl = `curl -X POST ${server.url}/login -u me:pw --json '{"a":1}'`
    assert.equal((await runCli(['import', 'curl', curl, '-o', 'login.ts'], options)).exitCode, 0)
    const run = await runCli(['pets', 'login'], { cwd, env: { MY_KEY: 'k-1' } })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
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
})
