import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { startServer } from './helpers/own-server.ts'
import {
  controlOf,
  endProxy,
  hostOf,
  listenOf,
  runProxy,
  startProxy,
  statusOf,
} from './helpers/started-proxy.ts'
import { cleanUpAfterTest, temporaryDirectory } from './helpers/temporary.ts'
import { startInTerminal } from './helpers/terminal.ts'

/** Requests on one connection that stays open. */
function keptAlive(address: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  cleanUpAfterTest(() => agent.destroy())
  const ports = new Set<number>()
  return {
    ports,
    get: () =>
      new Promise<{ status: number; ms: number }>((resolve, reject) => {
        const begun = performance.now()
        const request = httpRequest(`http://${address}/`, { agent }, (response) => {
          ports.add(response.socket.localPort!)
          response
            .resume()
            .on('end', () => resolve({ status: response.statusCode!, ms: performance.now() - begun }))
        })
        request.on('error', reject).end()
      }),
  }
}

describe('loads-proxy', function () {
  this.timeout(240_000)

  it('#23 stands between a client and a backend, makes the errors it was told to, and ends when told to', async () => {
    const backend = await startServer()
    const args = ['--proxy', '127.0.0.1:0', '--backend', hostOf(backend), '--protocol', 'http', '--seed', '7']
    const cli = await startProxy([...args, '--behavior', 'error', '--behavior-error-statuses', '503'])
    const listen = await listenOf(cli)
    await controlOf(cli)
    for (let at = 0; at < 3; at++) assert.equal(await statusOf(listen), 503)
    assert.equal(backend.seen.length, 0)
    const stdout = await endProxy(cli)
    assert.ok(stdout.includes(`proxy proxy: ${listen} -> ${hostOf(backend)}, http, error, seed 7\n`), stdout)
    assert.match(stdout, /^proxy: [1-3] connections, \d open, faults: http_error 3$/m)
  })

  it('#24 does what it is told now, on connections that are open', async () => {
    const backend = await startServer()
    backend.answer = (_, response) => response.end('{}')
    const args = ['--backend', hostOf(backend), '--protocol', 'http', '--behavior-delay-sleep', '400ms']
    const cli = await startProxy(args)
    const client = keptAlive(await listenOf(cli))
    const control = await controlOf(cli)
    const set = async (body: object) => {
      const response = await fetch(`${control}/behavior`, { method: 'PUT', body: JSON.stringify(body) })
      assert.equal(response.status, 200, await response.text())
    }
    assert.equal((await client.get()).status, 200)
    // The option of the command line is that of a behavior that is set later.
    await set({ name: 'delay' })
    assert.ok((await client.get()).ms >= 399)
    await set({ name: 'delay', sleep: 1.2 })
    assert.ok((await client.get()).ms >= 1199)
    await set({ name: 'error', statuses: [429] })
    assert.equal((await client.get()).status, 429)
    await set({ name: 'dummy' })
    assert.equal((await client.get()).status, 200)
    assert.equal(client.ports.size, 1)
    await endProxy(cli)
  })

  it('serves the control API alone, with a token when there is one', async () => {
    const cli = await startProxy([], { env: { LOADS_PROXY_TOKEN: 'secret' } })
    const control = await controlOf(cli)
    assert.equal((await fetch(`${control}/proxies`)).status, 401)
    const headers = { authorization: 'Bearer secret' }
    const body = JSON.stringify({ name: 'made', upstream: '127.0.0.1:9', listen: '127.0.0.1:0' })
    assert.equal((await fetch(`${control}/proxies`, { method: 'POST', headers, body })).status, 201)
    assert.deepEqual(Object.keys((await (await fetch(`${control}/proxies`, { headers })).json()) as object), [
      'made',
    ])
    const stdout = await endProxy(cli)
    assert.match(stdout, /^control API at \S+, with a token$/m)
    assert.ok(!stdout.includes('secret'))
  })

  it('says which address is in use, and ends with 4', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    cleanUpAfterTest(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const proxy = runProxy(['--no-http', '--proxy', `127.0.0.1:${port}`, '--backend', 'x:1'])
    const control = runProxy(['--http-port', String(port)])
    for (const { exitCode, stderr } of await Promise.all([proxy, control])) {
      assert.equal(exitCode, 4, stderr)
      assert.match(
        stderr,
        new RegExp(`^error: .*127\\.0\\.0\\.1:${port}: .*address already in use; .*0 takes any`, 'm'),
      )
      assert.doesNotMatch(stderr, /defect|at \S+:\d+/)
    }
  })

  it('says once that its backend is not there, and when it is again', async () => {
    const backend = createServer((socket) => socket.end('here')).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    const { port } = backend.address() as AddressInfo
    const cli = await startProxy(['--backend', `127.0.0.1:${port}`])
    const [host, listen] = (await listenOf(cli)).split(':')
    const answer = async () => {
      let text = ''
      for await (const bytes of connect(Number(listen), host).setEncoding('utf8')) text += bytes as string
      return text
    }
    await controlOf(cli)
    // Only now, so that the proxy itself cannot be given its port.
    backend.close()
    await once(backend, 'close')
    assert.deepEqual([await answer(), await answer()], ['', ''])
    backend.listen(port, '127.0.0.1')
    await once(backend, 'listening')
    cleanUpAfterTest(() => backend.close())
    assert.equal(await answer(), 'here')
    await cli.waitForLine(/info proxy proxy: its backend is reached again, after 2 failures$/)
    await endProxy(cli)
    const told = cli.stderr.match(/warning proxy proxy: its backend \S+ cannot be reached \(ECONNREFUSED\)/g)
    assert.equal(told?.length, 1)
  })

  it('serves on when nobody reads what it says, and ends when told to', async () => {
    const backend = await startServer()
    const cli = await startProxy(['--backend', hostOf(backend), '--protocol', 'http'])
    const listen = await listenOf(cli)
    await controlOf(cli)
    cli.closeOutput()
    assert.equal(await statusOf(listen), 200)
    cli.kill('SIGTERM')
    assert.equal((await cli.result).exitCode, 0)
  })

  it('closes what is open at Ctrl-C, and goes at once at the second', async () => {
    const backend = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    cleanUpAfterTest(() => backend.close())
    const { port } = backend.address() as AddressInfo
    const cli = await startProxy(['--backend', `127.0.0.1:${port}`, '--behavior', 'hang'])
    const [host, listen] = (await listenOf(cli)).split(':')
    await controlOf(cli)
    const socket = connect(Number(listen), host)
    socket.on('error', () => {}).write('never answered')
    await once(backend, 'connection')
    // With a reset, where it goes at once.
    const closed = new Promise((resolve) => socket.once('close', resolve))
    cli.kill('SIGHUP')
    cli.kill('SIGINT')
    cli.kill('SIGINT')
    const { exitCode } = await cli.result
    assert.ok(exitCode === 0 || exitCode === 130, String(exitCode))
    await closed
  })

  it('keeps its events, and does the same again', async () => {
    const backend = await startServer()
    const directory = await temporaryDirectory()
    const traffic = async (args: readonly string[]) => {
      const cli = await startProxy(args, { cwd: directory })
      const client = keptAlive(await listenOf(cli))
      const statuses: number[] = []
      for (let at = 0; at < 60; at++) statuses.push((await client.get()).status)
      assert.equal(client.ports.size, 1)
      await endProxy(cli)
      return statuses
    }
    const proxy = [
      '--backend',
      hostOf(backend),
      '--protocol',
      'http',
      '--behavior',
      '30:error',
      '--behavior-error-statuses',
      '500,502,503',
    ]
    const recorded = await traffic([...proxy, '--events', 'one.ndjson', '--seed', '3'])
    assert.ok(recorded.includes(200) && recorded.some((status) => status >= 500))
    assert.deepEqual(await traffic(['--replay', 'one.ndjson', '--events', 'two.ndjson']), recorded)
    assert.deepEqual(await traffic([...proxy, '--replay', 'one.ndjson']), recorded)
    assert.deepEqual(await traffic([...proxy, '--seed', '3']), recorded)
    assert.notDeepEqual(await traffic([...proxy, '--seed', '4']), recorded)
    const [one, two] = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const lines = (await readFile(join(directory, `${name}.ndjson`), 'utf8')).trimEnd().split('\n')
        const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
        return events.filter(({ type }) => type === 'fault').map((event) => ({ ...event, at: 0 }))
      }),
    )
    assert.equal(one!.length, recorded.filter((status) => status >= 500).length)
    assert.deepEqual(two, one)
    const same = await runProxy(
      ['--replay', 'one.ndjson', '--events', 'one.ndjson', '--seed', '1', '--no-http'],
      {
        cwd: directory,
      },
    )
    assert.equal(same.exitCode, 2)
    assert.match(
      same.stderr,
      /--seed: a replay has the seeds of its log.*\n.*--events: is the log that is replayed/,
    )
  })

  it('has faults of modules, with their options', async () => {
    const backend = await startServer()
    const files = {
      'teapot.mjs': `
        import { defineFault, whole } from '@loads-runner/chaos'
        export const teapot = defineFault({
          type: 'teapot',
          summary: 'answers that it is a teapot',
          attributes: { cups: whole({ initial: 1, help: 'how many' }) },
          units: ['request'],
          treat: (_exchange, { cups }) => ({
            reply: {
              bytes: Buffer.from(\`HTTP/1.1 418 \${cups} cups\\r\\nContent-Length: 0\\r\\n\\r\\n\`),
              backend: 'spared',
              closes: false,
            },
          }),
        })`,
    }
    const args = ['--backend', hostOf(backend), '--protocol', 'http', '--behavior', '100:teapot']
    const module = ['--module', './node_modules/../teapot.mjs']
    const directory = await temporaryDirectory({
      'node_modules/@loads-runner/chaos/package.json': JSON.stringify({
        type: 'module',
        exports: './index.js',
      }),
      'node_modules/@loads-runner/chaos/index.js': `export * from ${JSON.stringify(new URL('../packages/chaos/dist/index.js', import.meta.url).href)}`,
      ...files,
    })
    const cli = await startProxy([...args, ...module, '--behavior-teapot-cups', '3'], { cwd: directory })
    const response = await fetch(`http://${await listenOf(cli)}/`)
    assert.deepEqual([response.status, response.statusText], [418, '3 cups'])
    await endProxy(cli)
    const wrong = await runProxy([...args, ...module, '--behavior-teapot-cups', 'many', '--no-http'], {
      cwd: directory,
    })
    assert.deepEqual(
      [wrong.exitCode, wrong.stderr.split('\n')[0]],
      [2, 'error: --behavior-teapot-cups: must be a whole number from 0, not "many"'],
    )
    const broken = await runProxy(['--module', 'none.mjs'], { cwd: directory })
    assert.equal(broken.exitCode, 2)
    assert.match(broken.stderr, /^error: none\.mjs does not load: /)
  })

  it('follows the schedule of its file', async () => {
    const backend = await startServer()
    const files = {
      'storm.yaml': `
        proxies: { web: { listen: "127.0.0.1:0", backend: "${hostOf(backend)}", protocol: http } }
        schedule: [{ at: 0s, proxy: web, fault: error, statuses: [503], name: storm }]`,
    }
    const cli = await startProxy(['--config', 'storm.yaml'], { files })
    await cli.waitForLine(/schedule: storm begins/)
    assert.equal(await statusOf(await listenOf(cli, 'web')), 503)
    await endProxy(cli)
  })

  it('has one live line at a terminal', async function () {
    if (process.platform !== 'linux') this.skip()
    const backend = await startServer()
    const directory = await temporaryDirectory()
    const args = [
      '--backend',
      hostOf(backend),
      '--protocol',
      'http',
      '--behavior',
      'error',
      '--behavior-error-statuses',
      '503',
      '--http-port',
      '0',
    ]
    const terminal = await startInTerminal(args, directory, 'loads-proxy')
    const [, listen] = await terminal.shows(/proxy proxy: (\S+) -> /)
    assert.equal(await statusOf(listen!), 503)
    await terminal.shows(/proxy: 1 connections, [01] open, faults: http_error 1/)
    terminal.type('\u0003')
    assert.equal((await terminal.result).exitCode, 0)
  })
})
