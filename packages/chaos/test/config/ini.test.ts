import assert from 'node:assert/strict'
import { readConfig } from '../../src/config/read-config.ts'
import { ChaosError } from '../../src/errors.ts'

const environment = { BACKEND: 'db.example:3306' }

function problemsOf(lines: string): string[] {
  try {
    readConfig(lines, 'vaurien.ini', environment)
  } catch (error) {
    assert.ok(error instanceof ChaosError, String(error))
    return error.message.replaceAll(/: known ones are .*/g, '').split('\n')
  }
  return []
}

describe('an INI of the shape of Vaurien', () => {
  it('#23 is a proxy with its behaviors and their options', () => {
    const config = readConfig(
      `; as the slides have it
[vaurien]
backend = \${BACKEND}
proxy = 0.0.0.0:3307
protocol = mysql
behavior = 20:delay,
   5:error   ; goes on in the next line
timeout = 5
http-port = 8080
token = "a;b"

[behavior:delay]
sleep = 2

[behavior:error]
warmup = 100
statuses = 1205,1213
match = verb=SELECT
`,
      'vaurien.ini',
      environment,
    )
    assert.deepEqual(config.warnings, [])
    assert.deepEqual(config.control, { port: 8080, token: 'a;b' })
    assert.deepEqual(config.proxies, [
      {
        name: 'proxy',
        listen: '0.0.0.0:3307',
        backend: 'db.example:3306',
        protocol: 'mysql',
        behavior: '20:delay,5:error',
        dialTimeoutMs: 5000,
        behaviors: {
          delay: { sleep: '2' },
          error: { skip: '100', statuses: '1205,1213', match: 'verb=SELECT' },
        },
      },
    ])
  })

  it('has the defaults of Vaurien, and names of ours', () => {
    const config = readConfig(
      '[loads-proxy]\nname = web\nseed = 7\nhttp = false\nmodules = ./a.mjs, ./b.mjs\n',
      'x.ini',
      {},
    )
    assert.deepEqual(config.proxies, [
      { name: 'web', listen: 'localhost:8000', backend: 'localhost:80', seed: 7 },
    ])
    assert.deepEqual([config.control, config.modules], [{ off: true }, ['./a.mjs', './b.mjs']])
  })

  it('is known by its first line, too', () => {
    assert.equal(readConfig('# comment\n\n[vaurien]\nseed = 1\n', 'settings', {}).proxies[0]!.seed, 1)
    assert.equal(readConfig('[]', 'settings', {}).proxies.length, 0)
  })

  it('is told what has no effect any more, with its place', () => {
    const { warnings, proxies } = readConfig(
      `[vaurien]
stay-connected = true
pool-max-size = 5
sync = yes
protocol = redis
statsd.enabled = true
[statsd]
host = localhost
[protocol:redis]
keep_alive = true
[behavior:error]
inject = true
`,
      'vaurien.ini',
      {},
    )
    assert.deepEqual(
      warnings.map((warning) => warning.replace(/ any more: .*/, '')),
      [
        'vaurien.ini:2:1: stay-connected has no effect',
        'vaurien.ini:3:1: pool-max-size has no effect',
        'vaurien.ini:4:1: sync has no effect',
        'vaurien.ini:6:1: statsd.enabled has no effect',
        'vaurien.ini:7:1: statsd has no effect',
        'vaurien.ini:10:1: keep_alive of protocol redis has no effect any more',
        'vaurien.ini:12:1: inject has no effect',
      ],
    )
    assert.equal(proxies[0]!.protocol, 'redis')
  })

  it('injects bytes into what has no errors of its own', () => {
    const { proxies } = readConfig('[behavior:error]\ninject = true\n', 'vaurien.ini', {})
    assert.deepEqual(proxies[0]!.behaviors, { error: { mode: 'inject' } })
  })

  it('says what is wrong, and where', () => {
    assert.deepEqual(
      problemsOf(`[vaurien]
proxi = 0.0.0.0:1
backend = \${NOPE}
what
seed = 1
seed = 2
[behaviours:delay]
[behavior:delay]
slep = 2
sleep = soon
[behavior:mine]
callable = mine.Delay
`),
      [
        'vaurien.ini:2:1: unknown key proxi of section vaurien: did you mean proxy?',
        'vaurien.ini:3:1: ${NOPE}: the variable NOPE is not set in the environment',
        'vaurien.ini:3:1: backend of proxy proxy must be HOST:PORT, such as localhost:6379, or tls://HOST:PORT, not ""',
        'vaurien.ini:4:1: is neither [section] nor KEY = VALUE',
        'vaurien.ini:6:1: seed stands there twice',
        'vaurien.ini:6:1: seed of proxy proxy stands there twice',
        'vaurien.ini:7:1: unknown section behaviours:delay; known ones are vaurien, behavior:NAME, protocol:NAME, statsd',
        'vaurien.ini:9:1: unknown key slep of delay: did you mean sleep?',
        'vaurien.ini:10:1: sleep of delay must be seconds from 0 to 2000000, or a time such as 250ms, 2s, 1m, not "soon"',
        'vaurien.ini:11:1: there is no fault mine',
        'vaurien.ini:12:1: callable names a class of Python; write a fault with defineFault: modules = ./FILE.mjs',
      ],
    )
  })
})
