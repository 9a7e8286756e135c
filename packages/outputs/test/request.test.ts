import assert from 'node:assert/strict'
import { knownOutputs } from '../src/registry.ts'
import { parseOutput } from '../src/request.ts'

describe('parseOutput', () => {
  it('takes names and arguments apart', () => {
    const cases: [string, string, string, string][] = [
      ['stdout', 'stdout', '', 'terminal'],
      ['csv:a.csv', 'csv', 'a.csv', 'file'],
      [' csv:a b:c.csv ', 'csv', 'a b:c.csv', 'file'],
      ['influx:http://h:8086/db', 'influx', 'http://h:8086/db', 'server'],
      ['./mine.js', './mine.js', '', 'module'],
      ['../mine.js:x:y', '../mine.js', 'x:y', 'module'],
      ['/opt/mine.mjs:', '/opt/mine.mjs', '', 'module'],
      ['@scope/pkg:http://h/', '@scope/pkg', 'http://h/', 'module'],
      ['npm:pkg', 'npm:pkg', '', 'module'],
      ['npm:pkg:args', 'npm:pkg', 'args', 'module'],
    ]
    for (const [text, name, args, place] of cases)
      assert.deepEqual(parseOutput(text), { text: text.trim(), name, args, place })
  })

  it('names the nearest one and all of them where a name is not known', () => {
    const cases: [string, RegExp][] = [
      ['influxdb:x', /no output "influxdb"; did you mean influx/],
      ['JSON:x', /did you mean json\?/],
      ['promethues', /did you mean prometheus\?/],
      ['statd', /did you mean statsd\?/],
      ['some-package', /no output "some-package"; known ones are stdout, null, .*npm:PACKAGE/],
      ['', /an output needs a name/],
      [':x', /an output needs a name/],
    ]
    for (const [text, message] of cases)
      assert.throws(() => parseOutput(text), { name: 'OutputError', code: 'OUTPUT_UNKNOWN', message })
  })

  it('knows outputs that can be loaded, each by its own name', async () => {
    for (const { name, usage, help, load } of knownOutputs) {
      assert.equal(typeof (await load()), 'function', name)
      assert.ok(usage.startsWith(name))
      assert.notEqual(help, '')
    }
    assert.equal(new Set(knownOutputs.map(({ name }) => name)).size, knownOutputs.length)
  })
})
