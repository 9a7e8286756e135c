import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startServer, type OwnServer } from './helpers/own-server.ts'
import { runCli, startCli, type CliOptions, type RunningCli } from './helpers/run-cli.ts'
import { cleanUpAfterTest, temporaryDirectory } from './helpers/temporary.ts'
import { startInTerminal } from './helpers/terminal.ts'

const start = (args: readonly string[], options: CliOptions = {}) =>
  startCli(['--http-port', '0', ...args], { binary: 'loads-proxy', ...options })
const run = (args: readonly string[], options: CliOptions = {}) =>
  runCli(args, { binary: 'loads-proxy', ...options })

/** Where a proxy listens, as it has said. */
async function listenOf(cli: RunningCli, name = 'proxy'): Promise<string> {
  return (await cli.waitForLine(new RegExp(`^proxy ${name}: (\\S+) -> `)))[1]!
}

async function controlOf(cli: RunningCli): Promise<string> {
  return (await cli.waitForLine(/^control API at (http:\S+?)(,|$)/))[1]!
}

async function end(cli: RunningCli): Promise<string> {
  cli.kill('SIGTERM')
  const { exitCode, stdout } = await cli.result
  assert.equal(exitCode, 0)
  return stdout
}

const hostOf = (server: OwnServer) => new URL(server.url).host
const statusOf = async (address: string, path = '/') => (await fetch(`http://${address}${path}`)).status

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
  this.timeout(90_000)

  it('#23 stands between a client and a backend, makes the errors it was told to, and ends when told to', async () => {
    const backend = await startServer()
    const args = ['--proxy', '127.0.0.1:0', '--backend', hostOf(backend), '--protocol', 'http', '--seed', '7']
    const cli = await start([...args, '--behavior', 'error', '--behavior-error-statuses', '503'])
    const listen = await listenOf(cli)
    await controlOf(cli)
    for (let at = 0; at < 3; at++) assert.equal(await statusOf(listen), 503)
    assert.equal(backend.seen.length, 0)
    const stdout = await end(cli)
    assert.ok(stdout.includes(`proxy proxy: ${listen} -> ${hostOf(backend)}, http, error, seed 7\n`), stdout)
    assert.match(stdout, /^proxy: [1-3] connections, \d open, faults: http_error 3$/m)
  })

  it('#23 takes options from the file, the environment before it, the command line before both', async () => {
    const backend = await startServer()
    const files = {
      'proxies.yaml': `
        proxies:
          web:
            listen: 127.0.0.1:0
            backend: ${hostOf(backend)}
            protocol: http
            behavior: error
            behaviors: { error: { statuses: [500] } }`,
      'vaurien.ini': `[vaurien]\nproxy = 127.0.0.1:0\nbackend = ${hostOf(backend)}\nprotocol = http\nbehavior = 100:error\nname = web\n[behavior:error]\nstatuses = 501\n`,
    }
    const statusWith = async (file: string, args: readonly string[], env: Record<string, string>) => {
      const cli = await start(['--config', file, ...args], { files, env })
      const status = await statusOf(await listenOf(cli, 'web'))
      await end(cli)
      return status
    }
    const env = { LOADS_PROXY_BEHAVIOR_ERROR_STATUSES: '502' }
    const args = ['--behavior-error-statuses=503']
    assert.deepEqual(
      await Promise.all([
        statusWith('proxies.yaml', [], {}),
        statusWith('vaurien.ini', [], {}),
        statusWith('proxies.yaml', [], env),
        statusWith('vaurien.ini', args, env),
        statusWith('proxies.yaml', ['--name', 'web', '--behavior', 'dummy'], env),
      ]),
      [500, 501, 502, 503, 200],
    )
  })

  it('#24 does what it is told now, on connections that are open', async () => {
    const backend = await startServer()
    backend.answer = (_, response) => response.end('{}')
    const args = ['--backend', hostOf(backend), '--protocol', 'http', '--behavior-delay-sleep', '400ms']
    const cli = await start(args)
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
    await end(cli)
  })

  it('serves the control API alone, with a token when there is one', async () => {
    const cli = await start([], { env: { LOADS_PROXY_TOKEN: 'secret' } })
    const control = await controlOf(cli)
    assert.equal((await fetch(`${control}/proxies`)).status, 401)
    const headers = { authorization: 'Bearer secret' }
    const body = JSON.stringify({ name: 'made', upstream: '127.0.0.1:9', listen: '127.0.0.1:0' })
    assert.equal((await fetch(`${control}/proxies`, { method: 'POST', headers, body })).status, 201)
    assert.deepEqual(Object.keys((await (await fetch(`${control}/proxies`, { headers })).json()) as object), [
      'made',
    ])
    const stdout = await end(cli)
    assert.match(stdout, /^control API at \S+, with a token$/m)
    assert.ok(!stdout.includes('secret'))
  })

  it('is reached from other machines only with a token, or when that is said', async () => {
    const args = ['--http-host', '0.0.0.0', '--http-port', '0']
    const { exitCode, stderr } = await run(args)
    assert.equal(exitCode, 2)
    assert.match(
      stderr,
      /^error: the control API at 0\.0\.0\.0 could be used by whoever .* set LOADS_PROXY_TOKEN, or say --no-token/,
    )
    const cli = await start([...args, '--no-token'])
    await controlOf(cli)
    await end(cli)
    const without = await start(['--backend', '127.0.0.1:9', '--no-http'])
    await listenOf(without)
    assert.doesNotMatch(await end(without), /control/)
  })

  it('says which address is in use, and ends with 4', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    cleanUpAfterTest(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const proxy = run(['--no-http', '--proxy', `127.0.0.1:${port}`, '--backend', 'x:1'])
    const control = run(['--http-port', String(port)])
    for (const { exitCode, stderr } of await Promise.all([proxy, control])) {
      assert.equal(exitCode, 4, stderr)
      assert.match(
        stderr,
        new RegExp(`^error: .*127\\.0\\.0\\.1:${port}.*(address already in use|EADDRINUSE)`, 'm'),
      )
      assert.doesNotMatch(stderr, /defect|at \S+:\d+/)
    }
  })

  it('tells all that is wrong with its options at once, and ends with 2', async () => {
    const { exitCode, stdout, stderr } = await run(
      [
        '--backnd',
        'x',
        '--seed',
        '-1',
        '--timeout',
        'soon',
        '--behavior-delay-slep',
        '1',
        'extra',
        '--protocol',
        'htp',
      ],
      { env: { LOADS_PROXY_HTTP_PORT: '99999', LOADS_PROXY_BAKEND: 'x' } },
    )
    assert.deepEqual([exitCode, stdout], [2, ''])
    for (const problem of [
      'unknown option --backnd: did you mean --backend?',
      'unknown option --behavior-delay-slep: did you mean --behavior-delay-sleep?',
      '--seed: "-1" is not a whole number from 0 up',
      '--timeout: "soon" is not a duration',
      'LOADS_PROXY_HTTP_PORT: "99999" is not a whole number from 0 to 65535',
      'unknown environment variable LOADS_PROXY_BAKEND: did you mean LOADS_PROXY_BACKEND?',
    ])
      assert.ok(stderr.includes(`error: ${problem}`), `${problem}\n${stderr}`)
    const wrong = async (...args: string[]) => {
      const result = await run(args)
      assert.equal(result.exitCode, 2, result.stderr)
      return result.stderr
    }
    const [behavior, option, share, protocol, backend, replay] = await Promise.all([
      wrong('--behavior', '5:error'),
      wrong('--backend', 'x:1', '--behavior-error-statuses', '503'),
      wrong('--backend', 'x:1', '--behavior', '60:delay,60:error', '--behavior-delay-sleep', '-1'),
      wrong('--backend', 'x:1', '--protocol', 'htp'),
      wrong('--backend', 'nowhere'),
      wrong('--replay', 'none.ndjson'),
    ])
    assert.match(behavior, /^error: --behavior: of which proxy\? Give --backend HOST:PORT, or --config FILE/)
    assert.match(option, /^error: --behavior-error-statuses: error of tcp has no statuses; it has mode/)
    assert.match(share, /error: --behavior: .* add up to 120, more than 100/)
    assert.match(protocol, /^error: --protocol: there is no protocol htp: did you mean http\?/)
    assert.match(backend, /^error: backend must be HOST:PORT/)
    assert.match(replay, /^error: cannot read \S*none\.ndjson: ENOENT/)
  })

  it('tells all that is wrong with its file, each with its place', async () => {
    const files = {
      'proxies.yaml': 'proxies:\n  web:\n    backnd: x:1\n    faults:\n      - fault: latncy\n',
    }
    const { exitCode, stderr } = await run(['--config', 'proxies.yaml'], { files })
    assert.equal(exitCode, 2)
    assert.equal(
      stderr,
      'error: proxies.yaml:3:5: unknown key backnd of proxy web: did you mean backend?\n' +
        'error: proxies.yaml:3:5: backend of proxy web is missing: write backend: HOST:PORT\n' +
        'error: proxies.yaml:5:16: there is no fault latncy: did you mean latency?\n' +
        'see --help\n',
    )
  })

  it('asks which proxy of a file is meant', async () => {
    const files = { 'p.json': '[{"name": "a", "upstream": "x:1"}, {"name": "bee", "upstream": "x:2"}]' }
    const both = await run(['--config', 'p.json', '--proxy', '0', '--no-http'], { files })
    assert.deepEqual(
      [both.exitCode, both.stderr.split('\n')[0]],
      [2, 'error: --proxy: of which proxy? Give --name, one of a, bee'],
    )
    const none = await run(['--config', 'p.json', '--name', 'be', '--no-http'], { files })
    assert.match(
      none.stderr,
      /--name: the file has no proxy be: did you mean bee\?; for another one give --backend/,
    )
    const cli = await start(['--config', 'p.json', '--name', 'c', '--backend', 'x:3', '--seed', '5'], {
      files,
    })
    await listenOf(cli, 'c')
    assert.match(
      await end(cli),
      /^proxy a: .* -> x:1, tcp, seed \d+\nproxy bee: .*\nproxy c: .* -> x:3, tcp, seed 5\n/m,
    )
  })

  it('closes what is open at Ctrl-C, and goes at once at the second', async () => {
    const backend = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    cleanUpAfterTest(() => backend.close())
    const { port } = backend.address() as AddressInfo
    const cli = await start(['--backend', `127.0.0.1:${port}`, '--behavior', 'hang'])
    const [host, listen] = (await listenOf(cli)).split(':')
    await controlOf(cli)
    const socket = connect(Number(listen), host)
    socket.on('error', () => {}).write('never answered')
    await once(backend, 'connection')
    const closed = once(socket, 'close')
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
      const cli = await start(args, { cwd: directory })
      const client = keptAlive(await listenOf(cli))
      const statuses: number[] = []
      for (let at = 0; at < 60; at++) statuses.push((await client.get()).status)
      assert.equal(client.ports.size, 1)
      await end(cli)
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
    const same = await run(['--replay', 'one.ndjson', '--events', 'one.ndjson', '--seed', '1', '--no-http'], {
      cwd: directory,
    })
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
    const cli = await start([...args, ...module, '--behavior-teapot-cups', '3'], { cwd: directory })
    const response = await fetch(`http://${await listenOf(cli)}/`)
    assert.deepEqual([response.status, response.statusText], [418, '3 cups'])
    await end(cli)
    const wrong = await run([...args, ...module, '--behavior-teapot-cups', 'many', '--no-http'], {
      cwd: directory,
    })
    assert.deepEqual(
      [wrong.exitCode, wrong.stderr.split('\n')[0]],
      [2, 'error: --behavior-teapot-cups: must be a whole number from 0, not "many"'],
    )
    const broken = await run(['--module', 'none.mjs'], { cwd: directory })
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
    const cli = await start(['--config', 'storm.yaml'], { files })
    await cli.waitForLine(/schedule: storm begins/)
    assert.equal(await statusOf(await listenOf(cli, 'web')), 503)
    await end(cli)
  })

  it('takes the options of Vaurien, and says which have no effect any more', async () => {
    const old = [
      '--stay-connected',
      '--pool-max-size',
      '5',
      '--statsd.enabled',
      '--protocol-tcp-keep_alive',
      '--bufsize=1',
    ]
    const cli = await start([
      '--proxy',
      '0',
      '--backend',
      'x:1',
      '--http',
      '--behavior-error-inject',
      '--behavior-error-warmup',
      '3',
      ...old,
    ])
    await listenOf(cli)
    const control = await controlOf(cli)
    const body = JSON.stringify({ name: 'error' })
    assert.equal((await fetch(`${control}/behavior`, { method: 'PUT', body })).status, 200)
    assert.deepEqual(await (await fetch(`${control}/behavior`)).json(), {
      behavior: 'error',
      options: { error: { mode: 'inject', skip: 3 } },
    })
    await end(cli)
    for (const name of [
      'stay-connected',
      'pool-max-size',
      'statsd.enabled',
      'protocol-tcp-keep_alive',
      'bufsize',
    ])
      assert.match(cli.stderr, new RegExp(` warning --${name} has no effect any more: `))
  })

  it('shows its options, faults and version', async () => {
    const [help, faults, version] = await Promise.all([
      run(['--help']),
      run(['--faults']),
      run(['--version']),
    ])
    assert.deepEqual([help.exitCode, faults.exitCode, version.exitCode], [0, 0, 0])
    assert.match(help.stdout, /^ {2}--behavior <20:delay,5:error> /m)
    assert.ok(help.stdout.split('\n').every((line) => line.length <= 120))
    assert.match(
      faults.stdout,
      /^ {2}delay: .*\n {6}sleep: how much later; seconds from 0 .* \(default: 1\)$/m,
    )
    assert.match(faults.stdout, /^ {2}redis: .*; error means redis_error$/m)
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
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
      '--http-port',
      '0',
    ]
    const terminal = await startInTerminal(args, directory, 'loads-proxy')
    const [, listen] = await terminal.shows(/proxy proxy: (\S+) -> /)
    assert.ok((await statusOf(listen!)) >= 500)
    await terminal.shows(/proxy: 1 connections, [01] open, faults: http_error 1/)
    terminal.type('\u0003')
    assert.equal((await terminal.result).exitCode, 0)
  })
})
