import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { Control } from '../support/control.ts'

const run = promisify(execFile)

/** The calls of the Python client, by what comes with Python: a stack of HTTP that is not Node's. */
const script = `
import json, sys, urllib.request, urllib.error
base = sys.argv[1]
def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
            return [answer.status, json.loads(text) if text else None]
    except urllib.error.HTTPError as error:
        return [error.code, json.loads(error.read())]
out = []
out.append(call('GET', '/version'))
out.append(call('POST', '/proxies', {'name': 'p', 'upstream': 'localhost:1', 'listen': '127.0.0.1:0', 'enabled': None}))
out.append(call('POST', '/proxies', {'name': 'p', 'upstream': 'localhost:1'}))
out.append(call('POST', '/proxies/p/toxics', {'type': 'latency', 'stream': 'upstream', 'name': None, 'toxicity': 1.0, 'attributes': {'latency': 2}}))
out.append(call('GET', '/proxies/p/toxics'))
out.append(call('DELETE', '/proxies/p/toxics/latency_upstream'))
out.append(call('POST', '/reset'))
out.append(call('DELETE', '/proxies/p'))
out.append(call('GET', '/proxies/p'))
print(json.dumps(out))
`

describe('Python', () => {
  it('#10 drives proxies and toxics', async function () {
    if (spawnSync('python3', ['--version']).status !== 0) {
      assert.ok(!process.env['CI'], 'python3 must be installed')
      console.warn('    python3 is not installed: nothing was tested')
      this.skip()
    }
    await using control = await Control.start()
    const { stdout } = await run('python3', ['-c', script, control.url], { timeout: 60_000 })
    const answers = JSON.parse(stdout) as [number, any][]
    assert.deepEqual(
      answers.map(([status]) => status),
      [200, 201, 409, 200, 200, 204, 204, 204, 404],
    )
    assert.equal(answers[2]![1].error, 'proxy already exists')
    assert.deepEqual(answers[4]![1], [answers[3]![1]])
    assert.equal(answers[3]![1].name, 'latency_upstream')
  })
})
