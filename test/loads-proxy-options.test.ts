import assert from 'node:assert/strict'
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

describe('options of loads-proxy', function () {
  this.timeout(240_000)

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
      const cli = await startProxy(['--config', file, ...args], { files, env })
      const status = await statusOf(await listenOf(cli, 'web'))
      await endProxy(cli)
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

  it('is reached from other machines only with a token, or when that is said', async () => {
    const args = ['--http-host', '0.0.0.0', '--http-port', '0']
    const { exitCode, stderr } = await runProxy(args)
    assert.equal(exitCode, 2)
    assert.match(
      stderr,
      /^error: the control API at 0\.0\.0\.0 could be used by whoever .* set LOADS_PROXY_TOKEN, or say --no-token/,
    )
    const cli = await startProxy([...args, '--no-token'])
    await controlOf(cli)
    await endProxy(cli)
    const without = await startProxy(['--backend', '127.0.0.1:9', '--no-http'])
    await listenOf(without)
    assert.doesNotMatch(await endProxy(without), /control/)
  })

  it('tells all that is wrong with its options at once, and ends with 2', async () => {
    const { exitCode, stdout, stderr } = await runProxy(
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
      const result = await runProxy(args)
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
    const [nothing, addresses, host] = await Promise.all([
      wrong('--no-http'),
      wrong('--proxy', '::1:0', '--backend', '99999'),
      runProxy(['--proxy', '192.0.2.1:0', '--backend', 'x:1', '--no-http']),
    ])
    assert.match(behavior, /^error: --behavior: of which proxy\? Give --backend HOST:PORT, or --config FILE/)
    assert.match(option, /^error: --behavior-error-statuses: error of tcp has no statuses; it has mode/)
    assert.match(share, /error: --behavior: .* add up to 120, more than 100/)
    assert.match(protocol, /^error: --protocol: there is no protocol htp: did you mean http\?/)
    assert.match(backend, /^error: --backend: must be HOST:PORT/)
    assert.match(nothing, /^error: nothing to do: without the control API give --backend/)
    assert.match(addresses, /^error: --proxy: must be HOST:PORT, .*IPv6 stands in brackets/m)
    assert.match(addresses, /^error: --backend: must be HOST:PORT/m)
    assert.equal(host.exitCode, 4)
    assert.match(
      host.stderr,
      /^error: proxy proxy: listen tcp 192\.0\.2\.1:0: .*; no interface of this machine/,
    )
    assert.match(replay, /^error: cannot read \S*none\.ndjson: ENOENT/)
  })

  it('tells all that is wrong with its file, each with its place', async () => {
    const files = {
      'proxies.yaml': 'proxies:\n  web:\n    backnd: x:1\n    faults:\n      - fault: latncy\n',
    }
    const { exitCode, stderr } = await runProxy(['--config', 'proxies.yaml'], { files })
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
    const both = await runProxy(['--config', 'p.json', '--proxy', '0', '--no-http'], { files })
    assert.deepEqual(
      [both.exitCode, both.stderr.split('\n')[0]],
      [2, 'error: --proxy: of which proxy? Give --name, one of a, bee'],
    )
    const none = await runProxy(['--config', 'p.json', '--name', 'be', '--no-http'], { files })
    assert.match(
      none.stderr,
      /--name: the file has no proxy be: did you mean bee\?; for another one give --backend/,
    )
    const cli = await startProxy(['--config', 'p.json', '--name', 'c', '--backend', 'x:3', '--seed', '5'], {
      files,
    })
    await listenOf(cli, 'c')
    assert.match(
      await endProxy(cli),
      /^proxy a: .* -> x:1, tcp, seed \d+\nproxy bee: .*\nproxy c: .* -> x:3, tcp, seed 5\n/m,
    )
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
    const cli = await startProxy([
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
    await endProxy(cli)
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
      runProxy(['--help']),
      runProxy(['--faults']),
      runProxy(['--version']),
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

  it('knows what is near to a behavior, and puts its TLS over that of the file', async () => {
    const { exitCode, stderr } = await runProxy(['--backend', 'x:1', '--behavior', '20:dely', '--no-http'])
    assert.deepEqual(
      [exitCode, stderr.split('\n')[0]],
      [2, 'error: --behavior: there is no fault dely: did you mean delay?'],
    )
    const files = {
      'p.yaml': 'proxies: { a: { backend: "tls://x:1", mirrorUpstream: true, tls: { ca: none.pem } } }',
    }
    const args = ['--config', 'p.yaml', '--tls-server-name', 'shop.example', '--no-http']
    const both = await runProxy(args, { files })
    assert.equal(both.exitCode, 2)
    assert.match(both.stderr, /^error: .*none\.pem/)
  })
})
