import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readConfig } from '../../src/config/read-config.ts'
import { ChaosError } from '../../src/errors.ts'
import { knownProtocols } from '../../src/protocols/registry.ts'

const environment = { PORT: '3307', TOKEN: 'secret' }

const read = (lines: string, file = 'proxies.yaml') => readConfig(lines, file, environment)

function problemsOf(lines: string, file = 'proxies.yaml'): string[] {
  try {
    read(lines, file)
  } catch (error) {
    assert.ok(error instanceof ChaosError, String(error))
    assert.equal(error.code, 'CHAOS_CONFIG')
    return error.message.split('\n')
  }
  return []
}

const protocols = knownProtocols()
  .map(({ name }) => name)
  .join(', ')

describe('a configuration file', function () {
  // Much is parsed here, and slowly where every core is busy.
  this.timeout(240_000)

  it('has many proxies by name, with all that a proxy can have', () => {
    const config = read(`
seed: 4
events: events.ndjson
modules: [./mine.mjs]
control: { host: 0.0.0.0, port: 0, token: "\${TOKEN}" }
proxies:
  mysql:
    listen: 127.0.0.1:\${PORT}
    backend: tls://localhost:3306
    behavior: 20:delay,5:error
    behaviors:
      delay: { sleep: 2s, before: false }
      error: { mode: inject, skip: 10 }
    seed: 7
    enabled: false
    mirror-upstream: true
    timeout: 500ms
    half-closed-timeout: 1m
    maxHeldBytes: 65536
    tls: { verify: false, server-name: db.example }
    faults:
      - { fault: latency, rate: 20%, latency: 100, stream: upstream, name: slow }
      - { fault: bandwidth, rate: 1000, toxicity: 0.5 }
      - { type: latency, toxicity: 0.25, attributes: { latency: 1000, jitter: 10 } }
      - { fault: error, match: { client: 10.* }, count: 3 }
  cache: { listen: 6380, upstream: "localhost:6379" }
`)
    assert.deepEqual(config.control, { host: '0.0.0.0', port: 0, token: 'secret' })
    assert.deepEqual(
      [config.seed, config.events, config.modules, config.warnings],
      [4, 'events.ndjson', ['./mine.mjs'], []],
    )
    assert.deepEqual(config.proxies, [
      {
        name: 'mysql',
        listen: '127.0.0.1:3307',
        backend: 'tls://localhost:3306',
        behavior: '20:delay,5:error',
        behaviors: { delay: { sleep: '2s', before: false }, error: { mode: 'inject', skip: 10 } },
        seed: 7,
        enabled: false,
        mirrorUpstream: true,
        dialTimeoutMs: 500,
        halfClosedTimeoutMs: 60_000,
        maxHeldBytes: 65_536,
        tls: { verify: false, serverName: 'db.example' },
        faults: [
          {
            name: 'slow',
            type: 'latency',
            toxicity: 0.2,
            stream: 'upstream',
            attributes: { latency: 100 },
          },
          { name: 'bandwidth_downstream', type: 'bandwidth', toxicity: 0.5, attributes: { rate: 1000 } },
          {
            name: 'latency_downstream',
            type: 'latency',
            toxicity: 0.25,
            attributes: { latency: 1000, jitter: 10 },
          },
          {
            name: 'error_downstream',
            type: 'error',
            attributes: { match: { client: '10.*' }, count: 3 },
          },
        ],
      },
      { name: 'cache', listen: '127.0.0.1:6380', backend: 'localhost:6379' },
    ])
  })

  it('tells all problems at once, each with file, line and column, in the order of the file', () => {
    assert.deepEqual(
      problemsOf(`
sed: 4
proxies:
  mysql:
    lisen: 127.0.0.1:3307
    behavior: 120:error
    protocol: htp
    seed: -1
    faults:
      - { fault: latncy, rate: 20% }
      - { fault: latency, rate: 220%, jiter: 1, latency: soon }
      - { fault: latency, type: latency }
      - { rate: 20% }
      - { fault: latency }
      - { type: latency, stream: sideways }
      - { fault: slicer, average_size: 5, size_variation: 9 }
      - { fault: latency }
  other: 5
  third: { backend: nowhere }
`),
      [
        'proxies.yaml:2:1: unknown key sed of the configuration: did you mean seed?',
        'proxies.yaml:5:5: unknown key lisen of proxy mysql: did you mean listen?',
        'proxies.yaml:5:5: backend of proxy mysql is missing: write backend: HOST:PORT',
        'proxies.yaml:6:15: behavior "120:error": the percentages add up to 120, more than 100; write it as 20:delay,5:error',
        `proxies.yaml:7:15: protocol of proxy mysql must be one of ${protocols}, not "htp"`,
        'proxies.yaml:8:11: seed of proxy mysql must be a whole number from 0, not -1',
        'proxies.yaml:10:18: there is no fault latncy: did you mean latency?',
        'proxies.yaml:11:33: rate of latency must be a share from 0 to 1, or a percentage such as 20%, not "220%"',
        'proxies.yaml:11:39: unknown key jiter of latency: did you mean jitter?',
        'proxies.yaml:11:58: latency of latency must be milliseconds from 0 to 2000000000, or a time such as 250ms, 2s, 1m, not "soon"',
        'proxies.yaml:12:9: a fault has either fault: TYPE or type: TYPE, not both',
        'proxies.yaml:13:9: which fault? Write fault: TYPE, such as fault: delay',
        'proxies.yaml:15:9: stream was invalid, can be either upstream or downstream',
        'proxies.yaml:17:9: proxy mysql has a fault latency_downstream already; give this one another name',
        'proxies.yaml:18:10: a proxy must be a map of names and values',
        'proxies.yaml:19:21: backend of proxy third must be HOST:PORT, such as localhost:6379, or tls://HOST:PORT, not "nowhere"',
      ],
    )
  })

  it('says what a behavior is wrong about, where that is written', () => {
    assert.deepEqual(
      problemsOf(`
proxies:
  a:
    backend: localhost:80
    behavior: 20:dely
    behaviors: { delay: { slep: 1, sleep: -2 }, sleepy: {} }
`).map((problem) => problem.replace(/: known ones are .*/, '')),
      [
        'proxies.yaml:5:15: there is no fault dely: did you mean delay?',
        'proxies.yaml:6:27: unknown key slep of delay: did you mean sleep?',
        'proxies.yaml:6:43: sleep of delay must be seconds from 0 to 2000000, or a time such as 250ms, 2s, 1m, not -2',
        'proxies.yaml:6:49: there is no fault sleepy',
      ],
    )
  })

  it('may be JSON, whose places are told, too', () => {
    const text = '{\n\t"proxies": {\n\t\t"a": { "backend": "localhost:80", "protokol": "tcp" }\n\t}\n}\n'
    assert.deepEqual(problemsOf(text, 'p.json'), [
      'p.json:3:37: unknown key protokol of proxy a: did you mean protocol?',
    ])
    assert.deepEqual(read(text.replace('protokol', 'protocol'), 'p.json').proxies, [
      { name: 'a', backend: 'localhost:80', protocol: 'tcp' },
    ])
  })

  it('may be the list of Toxiproxy, whose toxics count', () => {
    const list = [
      {
        name: 'redis',
        listen: '127.0.0.1:0',
        upstream: 'localhost:6379',
        enabled: null,
        Logger: {},
        toxics: [
          { type: 'latency', attributes: { latency: 1000 }, toxicity: 0.5 },
          { name: 'cut', type: 'limit_data', stream: 'upstream', attributes: { bytes: 5 } },
        ],
      },
      { Name: 'off', Listen: ':8080', Upstream: 'x:1', Enabled: false, toxics: null },
    ]
    assert.deepEqual(read(JSON.stringify(list), 'toxiproxy.json').proxies, [
      {
        name: 'redis',
        listen: '127.0.0.1:0',
        backend: 'localhost:6379',
        faults: [
          { name: 'latency_downstream', type: 'latency', toxicity: 0.5, attributes: { latency: 1000 } },
          { name: 'cut', type: 'limit_data', stream: 'upstream', attributes: { bytes: 5 } },
        ],
      },
      { name: 'off', listen: ':8080', backend: 'x:1', enabled: false },
    ])
    assert.deepEqual(
      problemsOf('[{"upstream": "x:1"}, {"name": "a"}, {"name": "a", "upstream": "x:1"}]', 'x.json'),
      [
        'x.json:1:2: name of the proxy is missing',
        'x.json:1:23: backend of proxy a is missing: write backend: HOST:PORT',
        'x.json:1:38: there is a proxy a already; give this one another name',
      ],
    )
  })

  it('knows variables that are not set, keys that stand twice, and what is empty', () => {
    assert.deepEqual(problemsOf('proxies: { a: { backend: "${NOPE}:80" } }'), [
      'proxies.yaml:1:26: ${NOPE}: the variable NOPE is not set in the environment',
      'proxies.yaml:1:26: backend of proxy a must be HOST:PORT, such as localhost:6379, or tls://HOST:PORT, not ":80"',
    ])
    assert.deepEqual(problemsOf('proxies: { a: { backend: "x:1", Backend: "y:1" } }'), [
      'proxies.yaml:1:33: backend of proxy a stands there twice',
    ])
    // One line for each problem, whatever is in a name.
    assert.deepEqual(
      problemsOf('"se\\ned": 1\nproxies: { a: { backend: x:1, "\\u2028": 2 } }', 'x.yaml').map((problem) =>
        problem.replace(/;.*/, ''),
      ),
      [
        'x.yaml:1:1: unknown key se\\u000aed of the configuration: did you mean seed?',
        'x.yaml:2:31: unknown key \\u2028 of proxy a',
      ],
    )
    assert.deepEqual(problemsOf('seed: 1\nseed: 2'), ['proxies.yaml:2:1: Map keys must be unique'])
    assert.deepEqual(problemsOf(''), ['proxies.yaml:1:1: is empty: describe proxies, see --help'])
    assert.deepEqual(problemsOf('proxies:\n  a:\n'), [
      'proxies.yaml:2:5: backend of proxy a is missing: write backend: HOST:PORT',
    ])
  })

  it('cannot make much out of little', () => {
    const bomb = Array.from({ length: 12 }, (_, at) => {
      const names = at === 0 ? '["x"]' : `[${Array.from({ length: 9 }, () => `*a${at - 1}`).join(',')}]`
      return `a${at}: &a${at} ${names}`
    })
    assert.match(problemsOf(bomb.join('\n')).join('\n'), /is nested too deep or too large/)
    assert.match(problemsOf('a: &a [*a, *a]').join('\n'), /is nested too deep or too large/)
    assert.ok(problemsOf('['.repeat(50_000)).length > 0)
    assert.ok(problemsOf('{"a":'.repeat(5000), 'x.json').length > 0)
  })

  const placed = /^[^\n:]+:\d+:\d+: ./
  const holds = (file: string) => (text: string) => {
    for (const problem of problemsOf(text, file)) assert.match(problem, placed)
  }

  it('is garbage or not: every problem has its place, and nothing else is thrown', () => {
    const bits = fc.constantFrom(
      'proxies',
      'a',
      'backend: x:1',
      'faults',
      'fault: latency',
      'type',
      'behaviors',
      'behavior',
      'control',
      'schedule',
      'partitions',
      'tls',
      'modules',
      ': ',
      '\n',
      '\n  ',
      '\n    ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&x ',
      '*x',
      '<<',
      '"',
      "'",
      '${HOME',
      '}',
      '!!binary ',
      '!!set ',
      '? ',
      '--- ',
      '...',
      '%',
      '\t',
      '0x1',
      '.nan',
      '1e999',
      '\u0000',
      '__proto__: 1',
      '[vaurien]',
      'proxy = ',
      '=',
    )
    const garbage = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.array(bits).map((each) => each.join('')),
    )
    for (const file of ['x.yaml', 'x.json', 'x.ini', 'x'])
      fc.assert(fc.property(garbage, holds(file)), { numRuns: 150 })
  })

  it('of the right shape with wrong values is told so, each with its place', () => {
    const value = fc.jsonValue({ maxDepth: 2 })
    const key = fc.constantFrom(
      'name',
      'listen',
      'backend',
      'protocol',
      'behavior',
      'behaviors',
      'seed',
      'tls',
      'faults',
      'toxics',
      'enabled',
      'timeout',
      'halfClosedTimeout',
      'mirrorUpstream',
      'maxHeldBytes',
      'upstream',
      'nonsense',
    )
    const fault = fc.dictionary(
      fc.constantFrom(
        'fault',
        'type',
        'name',
        'rate',
        'toxicity',
        'stream',
        'attributes',
        'latency',
        'match',
        'unit',
      ),
      fc.oneof(value, fc.constantFrom('latency', 'error', 'delay', 'upstream')),
    )
    const proxy = fc.dictionary(key, fc.oneof(value, fc.array(fault)))
    const root = fc.record(
      {
        proxies: fc.oneof(fc.dictionary(fc.string(), proxy), fc.array(proxy), value),
        control: value,
        seed: value,
        modules: value,
        events: value,
        schedule: value,
        partitions: value,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(root, (config) => holds('x.json')(JSON.stringify(config))),
      { numRuns: 100 },
    )
  })
})
