import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { startCli } from './helpers/run-cli.ts'
import type { RunningCli } from './helpers/run-cli.ts'
import { shownAt } from './helpers/shown-run.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'

const steady = ({ url }: OwnServer) => ({
  'steady.ts': `
    import { TestCase } from 'loads-runner'
    export class TestSteady extends TestCase {
      async test_hit() {
        await this.session.get('${url}/', { name: '/' })
        await new Promise((done) => setTimeout(done, 20))
      }
    }`,
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** Of a refusal. */
  code: string
}

interface Asked {
  method?: string
  headers?: OutgoingHttpHeaders
  body?: string
}

/** Whatever headers somebody may send. */
function ask(url: string, { method = 'GET', headers = {}, body = '' }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.once('end', () => {
        const refusal = (response.statusCode ?? 0) >= 400 ? (JSON.parse(text) as { code: string }) : null
        const { statusCode: status = 0 } = response
        resolve({ status, headers: response.headers, text, code: refusal?.code ?? '' })
      })
    })
    asking.once('error', reject)
    asking.end(body)
  })
}

interface Shown {
  cli: RunningCli
  target: OwnServer
  /** `http://127.0.0.1:PORT/`, whatever it is bound to. */
  url: string
  port: number
  token: string
  runId: string
}

/** A run that goes on, and its page. */
async function showRun(host: string): Promise<Shown> {
  const target = await startServer()
  const load = ['--users', '2', '--duration', '600s']
  const cli = await startCli(['steady', ...load, '--dashboard', '--dashboard-bind', `${host}:0`], {
    files: steady(target),
    timeoutMs: 170_000,
  })
  const [, address, token] = await cli.waitForLine(shownAt)
  const port = Number(new URL(address!).port)
  await target.sawRequests(10)
  const url = `http://127.0.0.1:${port}/`
  const { text } = await ask(`${url}api/runs`, { headers: { Authorization: `Bearer ${token!}` } })
  const [run] = JSON.parse(text) as { runId: string }[]
  return { cli, target, url, port, token: token!, runId: run!.runId }
}

const json = { 'Content-Type': 'application/json' }

describe('who reaches the page of a run', function () {
  this.timeout(180_000)

  it('are pages of this server only: other names and origins are refused, and changes without the token', async () => {
    const { cli, url, port, token, runId, target } = await showRun('127.0.0.1')
    const bearer = { Authorization: `Bearer ${token}` }
    const refused = async (asked: Asked, status: number, code: string, path = 'api/runs') => {
      const answer = await ask(url + path, asked)
      assert.deepEqual([answer.status, answer.code], [status, code], JSON.stringify(asked))
      // Nobody else's page may read it either.
      assert.equal(answer.headers['access-control-allow-origin'], undefined)
    }
    // A name that somebody has made to point here.
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'x@127.0.0.1'])
      for (const path of ['', 'api/runs', `api/runs/${runId}`, 'api/events'])
        await refused({ headers: { Host: host, ...bearer } }, 421, 'UNKNOWN_HOST', path)
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
      assert.equal((await ask(`${url}api/runs`, { headers: { Host: host } })).status, 200, host)

    // Another site that the reader of the page has open.
    const stop = `api/runs/${runId}/stop`
    for (const origin of ['http://evil.example', 'null', `http://localhost:${port}`, `https://127.0.0.1`]) {
      const headers = { ...json, Origin: origin, ...bearer }
      await refused({ method: 'POST', headers, body: '{}' }, 403, 'FOREIGN_ORIGIN', stop)
      await refused({ headers: { Origin: origin } }, 403, 'FOREIGN_ORIGIN')
    }
    // Its preflight is not answered as it would like.
    const preflight = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' }
    await refused({ method: 'OPTIONS', headers: preflight }, 403, 'FOREIGN_ORIGIN', stop)

    for (const path of ['stop', 'control', 'annotate'].map((each) => `api/runs/${runId}/${each}`)) {
      await refused({ method: 'POST', headers: json, body: '{}' }, 401, 'TOKEN_NEEDED', path)
      const wrong = { ...json, Authorization: `Bearer ${'x'.repeat(token.length)}` }
      await refused({ method: 'POST', headers: wrong, body: '{}' }, 401, 'TOKEN_WRONG', path)
      // Neither does the address hold it, nor a cookie.
      await refused(
        { method: 'POST', headers: json, body: '{}' },
        401,
        'TOKEN_NEEDED',
        `${path}?token=${token}`,
      )
      await refused({ headers: bearer }, 405, 'WRONG_METHOD', path)
    }
    const session = await ask(`${url}api/session`, {
      method: 'POST',
      headers: { ...json, ...bearer },
      body: '{}',
    })
    const cookie = String(session.headers['set-cookie']).split(';')[0]!
    assert.match(String(session.headers['set-cookie']), /HttpOnly; SameSite=Strict/)
    await refused(
      { method: 'POST', headers: { ...json, Cookie: cookie }, body: '{}' },
      401,
      'TOKEN_NEEDED',
      stop,
    )

    // None of it has disturbed the run, and who has the token does stop it.
    const so = target.seen.length
    await target.sawRequests(so + 10)
    const origin = new URL(url).origin
    const last = await ask(url + stop, {
      method: 'POST',
      headers: { ...json, ...bearer, Origin: origin },
      body: '{}',
    })
    assert.equal(last.status, 200, last.text)
    assert.equal((await cli.result).exitCode, 7)
  })

  it('read with the token only where others can reach it', async () => {
    const { cli, url, token, runId, port } = await showRun('0.0.0.0')
    const paths = [
      'api/runs',
      `api/runs/${runId}`,
      `api/runs/${runId}/report`,
      `api/compare?before=a&after=b`,
    ]
    const ours = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4')
    const places = [url, ...(ours === undefined ? [] : [`http://${ours.address}:${port}/`])]
    for (const place of places) {
      for (const path of [...paths, 'api/events', `api/runs/${runId}/events`]) {
        const without = await ask(place + path)
        assert.deepEqual([without.status, without.code], [401, 'TOKEN_NEEDED'], path)
        assert.match(without.headers['www-authenticate'] ?? '', /^Bearer/)
        const wrong = await ask(place + path, { headers: { Authorization: 'Bearer 0123456789abcdef' } })
        assert.deepEqual([wrong.status, wrong.code], [401, 'TOKEN_WRONG'], path)
        const cookie = await ask(place + path, { headers: { Cookie: 'loads-session=0123456789abcdef' } })
        assert.equal(cookie.status, 401, path)
      }
      for (const path of paths.slice(0, 3)) {
        const headers = { Authorization: `Bearer ${token}` }
        assert.equal((await ask(place + path, { headers })).status, 200, path)
      }
      // The page itself says nothing of any run.
      const page = await ask(place)
      assert.equal(page.status, 200)
      assert.ok(!page.text.includes(token) && !page.text.includes(runId))
    }
    const headers = { ...json, Authorization: `Bearer ${token}` }
    const session = await ask(`${url}api/session`, { method: 'POST', headers, body: '{}' })
    const cookie = String(session.headers['set-cookie']).split(';')[0]!
    assert.equal((await ask(`${url}api/runs`, { headers: { Cookie: cookie } })).status, 200)
    cli.kill('SIGINT')
    assert.equal((await cli.result).exitCode, 130)
  })

  it('cannot disturb the run: garbage, requests that never end, and hundreds of connections', async () => {
    const { cli, url, port, target, token } = await showRun('127.0.0.1')
    const sockets: Socket[] = []
    cleanUpAfterTest(() => sockets.forEach((socket) => socket.destroy()))
    const open = (bytes: string | Buffer): Socket => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(bytes)
      sockets.push(socket)
      return socket
    }
    const answered = (bytes: string | Buffer): Promise<string> =>
      new Promise((resolve) => {
        let text = ''
        const socket = open(bytes)
        socket.setEncoding('latin1').on('data', (part: string) => (text += part))
        socket.once('close', () => resolve(text))
      })
    const host = `Host: 127.0.0.1:${port}\r\n`
    assert.match(
      await answered(Buffer.from('\u0000\u0001\u00FFgarbage\r\n\r\n', 'latin1')),
      /^HTTP\/1\.1 400 /,
    )
    assert.match(
      await answered(`GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(40_000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    )
    const post = `POST /api/runs/x/stop HTTP/1.1\r\n${host}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\n`
    const tooMuch = `${post}Content-Length: 100000000\r\n\r\n${'x'.repeat(200_000)}`
    assert.match(await answered(tooMuch), /^HTTP\/1\.1 4(?:00|13) |^$/)
    // Half a head, half a body, a body that does not come, and nothing at all.
    const halves = [
      `GET /api/ru`,
      `${post}Content-Length: 100\r\n\r\n{"mo`,
      `${post}Content-Length: 100\r\n\r\n`,
      '',
    ]
    for (let each = 0; each < 200; each++) open(halves[each % halves.length]!)
    for (let each = 0; each < 100; each++) open(`GET /api/events HTTP/1.1\r\n${host}\r\n`)

    const so = target.seen.length
    await target.sawRequests(so + 200)
    assert.equal((await ask(`${url}api/runs`)).status, 200)
    assert.equal((await ask(url)).status, 200)
    cli.kill('SIGINT')
    const asked = performance.now()
    const { exitCode, summary, stderr } = await cli.result
    assert.ok(performance.now() - asked < 30_000)
    assert.equal(exitCode, 130)
    assert.equal(summary!.hits.count, target.seen.length)
    assert.deepEqual([summary!.hits.failed, summary!.tests.errors, summary!.coverage.ratio], [0, 0, 1])
    assert.doesNotMatch(stderr, /warning|error/i)
  })
})
