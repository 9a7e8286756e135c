import assert from 'node:assert/strict'
import { DashboardServer, type DashboardOptions } from '../src/dashboard-server.ts'
import { Gate } from '../src/gate.ts'
import { ask, EventStream, post } from './support/http-client.ts'
import { runRow, ScriptedSource } from './support/scripted-source.ts'
import { ScriptedRun } from './support/scripted-run.ts'

const token = 'a-token-of-the-tests-0123456789'
const json = { 'content-type': 'application/json' }
const bearer = { authorization: `Bearer ${token}` }

describe('who may do what at the dashboard', () => {
  let source: ScriptedSource
  const open: DashboardServer[] = []

  async function start(changes: Partial<DashboardOptions> = {}): Promise<DashboardServer> {
    source = new ScriptedSource()
    const run = new ScriptedRun()
    source.say('run-1', ...run.begin(), run.second())
    source.see(runRow('run-1'))
    const options = { host: '127.0.0.1', port: 0, source, past: null, token, hostNames: [], version: '1' }
    const server = await DashboardServer.start({ ...options, ...changes })
    open.push(server)
    return server
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()))
  })

  it('changes nothing without the token, on loopback either', async () => {
    const server = await start()
    for (const [headers, code] of [
      [{}, 'TOKEN_NEEDED'],
      [{ authorization: 'Basic abc' }, 'TOKEN_NEEDED'],
      [{ authorization: 'Bearer ' }, 'TOKEN_NEEDED'],
      [{ authorization: `Bearer ${token}x` }, 'TOKEN_WRONG'],
      [{ authorization: `Bearer ${token.slice(1)}` }, 'TOKEN_WRONG'],
      [{ cookie: `loads-session=${token}` }, 'TOKEN_NEEDED'],
    ] as const)
      for (const path of [
        '/api/runs/run-1/stop',
        '/api/runs/run-1/control',
        '/api/runs/run-1/annotate',
        '/api/session',
      ]) {
        const answer = await ask(server, path, {
          method: 'POST',
          headers: { ...json, ...headers },
          body: '{}',
        })
        assert.equal(answer.status, 401, path)
        assert.equal(answer.json().code, code)
        assert.match(answer.json().message, /token/)
        assert.match(answer.headers['www-authenticate']!, /^Bearer/)
      }
    assert.deepEqual(source.asked, [])
  })

  it('takes the token in whatever case HTTP allows', async () => {
    const server = await start()
    const headers = { authorization: `bEARER  ${token}`, ...json }
    const answer = await ask(server, '/api/runs/run-1/stop', { method: 'POST', headers, body: '{}' })
    assert.equal(answer.status, 200)
  })

  it('is not reached by a name that somebody made point here', async () => {
    const server = await start({ hostNames: ['Load.Example'] })
    const { port } = server
    const refused = [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'a@127.0.0.1',
      '127.0.0.1/x',
      '[evil]',
    ]
    for (const host of refused)
      for (const path of ['/', '/api/runs', '/api/events', '/nothing']) {
        const answer = await ask(server, path, { headers: { host } })
        assert.equal(answer.status, 421, `${host} ${path}`)
        assert.equal(answer.json().code, 'UNKNOWN_HOST')
      }
    const admitted = [
      '127.0.0.1',
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      'LOCALHOST',
      '[::1]:80',
      'load.example:8080',
      '192.0.2.7',
    ]
    for (const host of admitted)
      assert.equal((await ask(server, '/api/runs', { headers: { host } })).status, 200, host)
  })

  it('is not steered by pages of other servers', async () => {
    const server = await start()
    const host = `127.0.0.1:${server.port}`
    const headers = { ...bearer, ...json, host }
    const refused = [
      'http://evil.example',
      `http://127.0.0.1:${server.port + 1}`,
      `http://localhost:${server.port}`,
      'null',
      'file://',
      'x',
      `ftp://${host}`,
    ]
    for (const origin of refused) {
      const answer = await ask(server, '/api/runs/run-1/stop', {
        method: 'POST',
        headers: { ...headers, origin },
        body: '{}',
      })
      assert.equal(answer.status, 403, origin)
      assert.equal(answer.json().code, 'FOREIGN_ORIGIN')
      assert.equal((await ask(server, '/api/runs', { headers: { host, origin } })).status, 403, origin)
    }
    assert.deepEqual(source.asked, [])
    const answer = await ask(server, '/api/runs/run-1/stop', {
      method: 'POST',
      headers: { ...headers, origin: `http://${host}` },
      body: '{}',
    })
    assert.equal(answer.status, 200)
    // Behind a proxy that speaks TLS and listens on the usual port.
    const proxied = { host: '192.0.2.7:443', origin: 'https://192.0.2.7' }
    assert.equal((await ask(server, '/api/runs', { headers: proxied })).status, 200)
  })

  it('takes JSON only, and not much of it', async () => {
    const server = await start()
    const send = (headers: Record<string, string>, body: string) =>
      ask(server, '/api/runs/run-1/annotate', { method: 'POST', headers: { ...bearer, ...headers }, body })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', ''])
      assert.equal((await send({ 'content-type': type }, '{"text":"x"}')).status, 415, type)
    assert.equal((await send(json, '{"text":')).json().code, 'BAD_JSON')
    const long = await send(json, JSON.stringify({ text: 'x'.repeat(70_000) }))
    assert.equal(long.status, 413)
    assert.equal(long.json().code, 'TOO_LARGE')
    const chunked = await send(
      { ...json, 'transfer-encoding': 'chunked' },
      JSON.stringify({ text: 'x'.repeat(70_000) }),
    )
    assert.equal(chunked.status, 413)
    assert.equal(
      (await send({ 'content-type': 'application/json; charset=utf-8' }, '{"text":"x"}')).status,
      200,
    )
    assert.equal(source.asked.length, 1)
  })

  it('refuses what makes no sense, with a sentence', async () => {
    const server = await start()
    const bodies: [string, unknown, RegExp][] = [
      ['stop', { mode: 'gently' }, /"mode" must be drain/],
      ['stop', [], /must be an object/],
      ['stop', null, /must be an object/],
      ['stop', { mod: 'kill' }, /"mod" is not known/],
      ['control', {}, /give "target" or "paused"/],
      ['control', { target: -1 }, /"target" must be/],
      ['control', { target: '5' }, /"target" must be/],
      ['control', { paused: 'yes' }, /"paused" must be/],
      ['control', { target: 5, scenario: 3 }, /"scenario" must be/],
      ['annotate', {}, /"text" must be/],
      ['annotate', { text: ' ' }, /"text" must be/],
      ['annotate', { text: 'x'.repeat(2_001) }, /"text" must be/],
      ['annotate', { text: 'x', tags: { a: 1 } }, /"tags" must be/],
      ['annotate', { type: 'observation', text: 'x' }, /"type" must be/],
      ['annotate', { type: 'fault', id: 'f', state: 'stops' }, /"state" must be/],
    ]
    for (const [action, body, message] of bodies) {
      const answer = await post(server, `/api/runs/run-1/${action}`, token, body)
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.match(answer.json().message, message)
    }
    assert.deepEqual(source.asked, [])
  })

  it('knows its paths and their methods', async () => {
    const server = await start()
    const cases: [string, string, number][] = [
      ['POST', '/', 405],
      ['DELETE', '/api/runs', 405],
      ['PUT', '/api/runs/run-1', 405],
      ['GET', '/api/runs/run-1/stop', 405],
      ['GET', '/api/session', 405],
      ['OPTIONS', '/api/runs', 405],
      ['GET', '/nothing', 404],
      ['GET', '/api', 404],
      ['GET', '/api/runs/', 404],
      ['GET', '/api/runs/nobody', 404],
      ['GET', '/api/runs/nobody/events', 404],
      ['GET', '/api/runs/run-1/unknown', 404],
      ['GET', '/api/runs/run-1/events/more', 404],
      ['GET', '/api/runs/%E0%A4%A', 404],
      ['GET', '/../../etc/passwd', 404],
      ['GET', '/api/runs/..%2F..%2Fetc%2Fpasswd', 404],
      ['HEAD', '/api/runs', 200],
      ['HEAD', '/', 200],
    ]
    for (const [method, path, status] of cases) {
      const answer = await ask(server, path, { method })
      assert.equal(answer.status, status, `${method} ${path}`)
      assert.equal(answer.headers['x-content-type-options'], 'nosniff')
      if (method === 'HEAD') assert.equal(answer.text, '')
      else {
        const { code, message } = answer.json()
        assert.ok(typeof code === 'string' && typeof message === 'string')
      }
      if (status === 405) assert.ok(answer.headers.allow)
    }
  })

  it('lets nobody read without the token where others can reach it', async () => {
    const server = await start({ host: '0.0.0.0' })
    const paths = [
      '/api/runs',
      '/api/runs/run-1',
      '/api/runs/run-1/events',
      '/api/runs/run-1/report',
      '/api/events',
      '/api/runs/nobody',
    ]
    for (const path of paths) assert.equal((await ask(server, path)).status, 401, path)
    // The page itself says nothing of runs; it is where the token is typed.
    assert.equal((await ask(server, '/')).status, 200)
    assert.equal((await ask(server, '/api/runs', { headers: bearer })).status, 200)

    const session = await post(server, '/api/session', token, {})
    const [cookie = ''] = session.headers['set-cookie'] ?? []
    assert.match(cookie, /^loads-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    assert.ok(!cookie.includes(token))
    const headers = { cookie: `theme=dark; ${cookie.split(';')[0]}` }
    assert.equal((await ask(server, '/api/runs', { headers })).status, 200)
    const stream = await EventStream.open(server, '/api/runs/run-1/events', headers)
    await stream.until(({ events }) => events.length > 0)
    stream.close()
    assert.equal((await ask(server, '/api/runs', { headers: { cookie: 'loads-session=abc' } })).status, 401)
    // It reads, and that is all.
    const stop = await ask(server, '/api/runs/run-1/stop', {
      method: 'POST',
      headers: { ...headers, ...json },
      body: '{}',
    })
    assert.equal(stop.status, 401)
  })

  it('refuses a token that can be guessed', () => {
    assert.throws(() => new Gate({ token: 'short', hostNames: [], closed: false }), /can be guessed/)
  })
})
