import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serveHttp, stopServers } from '../helpers/servers.ts'

const source = fileURLToPath(new URL('../../src/', import.meta.url))

/** Runs a plain script with a test in it, as a user may, and gives what it printed when it ended by itself. */
async function runScript(url: string, http2: boolean): Promise<string> {
  const script = `
    import { TestCase } from '${source}test-case.ts'
    import { attachUser, contextOf } from '${source}user-link.ts'
    const test = new TestCase()
    const context = contextOf(test)
    attachUser(test, { ...context, target: { ...context.target, http2: ${http2} } })
    const answer = await test.session.get('${url}')
    console.log(answer.text())`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 })
  return stdout.trim()
}

describe('requests', () => {
  afterEach(stopServers)

  it('keep a script up, and idle connections do not', async () => {
    const { server, url } = await serveHttp((_request, response) =>
      setTimeout(() => response.end('late'), 300),
    )
    // Nothing but the client ends the connection.
    server.keepAliveTimeout = 0
    assert.equal(await runScript(url, false), 'late')
  })

  it('do so over HTTP/2', async () => {
    const server = createServer((_request, response) => void setTimeout(() => response.end('late'), 300))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      assert.equal(await runScript(`http://127.0.0.1:${port}/`, true), 'late')
    } finally {
      server.close()
    }
  })
})
