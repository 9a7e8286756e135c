import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { runCli } from './helpers/run-cli.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'

/** A server that misbehaves in one way. Returns its port. */
async function badServer(act: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    act(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUpAfterTest(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const afterRequest = (act: (socket: Socket) => void) => (socket: Socket) =>
  void socket.once('data', () => act(socket))
const begunAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it'

describe('a target that misbehaves', function () {
  this.timeout(60_000)

  it('gives one failed, timed hit with its class for every attempt', async () => {
    const [refused, hangs, resets, closes, ends, babbles, stalls] = await Promise.all([
      closedPort(),
      badServer(() => {}),
      badServer(afterRequest((socket) => socket.resetAndDestroy())),
      badServer(afterRequest((socket) => socket.end())),
      badServer(afterRequest((socket) => socket.end(begunAnswer))),
      badServer(afterRequest((socket) => socket.end('SSH-2.0-nonsense\r\n'))),
      badServer(afterRequest((socket) => socket.write(begunAnswer))),
    ])
    const cases = {
      refused: [`http://127.0.0.1:${refused}/`, 'refused'],
      hangs: [`http://127.0.0.1:${hangs}/`, 'timeout'],
      stalls: [`http://127.0.0.1:${stalls}/`, 'timeout'],
      resets: [`http://127.0.0.1:${resets}/`, 'reset'],
      closes: [`http://127.0.0.1:${closes}/`, 'closed'],
      ends: [`http://127.0.0.1:${ends}/`, 'closed'],
      babbles: [`http://127.0.0.1:${babbles}/`, 'protocol'],
      plain: [`https://127.0.0.1:${babbles}/`, 'tls'],
      socket_refused: [`ws://127.0.0.1:${refused}/`, 'refused'],
      socket_hangs: [`ws://127.0.0.1:${hangs}/`, 'timeout'],
      socket_resets: [`ws://127.0.0.1:${resets}/`, 'reset'],
    } as const
    // Where an answer comes, it is waited for.
    const method = ([name, [url, word]]: [string, readonly [string, string]]) =>
      `async test_${name}() {
        const options = ${word === 'timeout' ? '{}' : `{ timeout: '30s' }`}
        await this.${url.startsWith('ws') ? 'createWs' : 'session.get'}('${url}', options)
      }`
    const args = ['bad.TestBad', '--users', '2', '--timeout', '500ms']
    const run = await runCli(args, {
      files: {
        'bad.ts': `
          import { TestCase } from 'loads-runner'
          export class TestBad extends TestCase { ${Object.entries(cases).map(method).join('\n')} }`,
      },
    })
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { series, hits, tests, verdict, reasons } = run.summary!
    const found = series.map(({ test, status, count, failed, serviceTime }) => {
      assert.equal(serviceTime.count, count)
      assert.ok(serviceTime.min! > 0, `${test} took no time`)
      if (status === 'timeout') {
        assert.ok(
          serviceTime.min! >= 499 && serviceTime.max! < 20_000,
          `${test}: ${JSON.stringify(serviceTime)}`,
        )
      }
      return `${test} ${status}: ${failed} of ${count} failed`
    })
    const expected = Object.entries(cases).map(
      ([name, [, word]]) => `TestBad.test_${name} ${word}: 2 of 2 failed`,
    )
    assert.deepEqual(found.toSorted(), expected.toSorted())
    const attempts = expected.length * 2
    assert.deepEqual([hits.count, hits.failed, hits.interrupted], [attempts, attempts, 0])
    assert.deepEqual([tests.errors, tests.failures, tests.successes], [attempts, 0, 0])
    assert.equal(verdict, 'failed')
    assert.deepEqual(reasons, [`${attempts} of ${attempts} executions had errors`])
    assert.match(run.stdout, /the connection was refused/)
    assert.match(run.stdout, /^Status: .*\brefused 4\b.*\btimeout 6\b/m)
  })

  it('is no error of a test that expects it', async () => {
    const port = await closedPort()
    const run = await runCli(['bad.TestBad'], {
      files: {
        'bad.ts': `
          import assert from 'node:assert/strict'
          import { TestCase } from 'loads-runner'
          export class TestBad extends TestCase {
            async test_down() {
              await assert.rejects(this.session.get('http://127.0.0.1:${port}/'), { class: 'refused' })
            }
          }`,
      },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.deepEqual([run.summary!.hits.failed, run.summary!.tests.successes], [1, 1])
  })
})
