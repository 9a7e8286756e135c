import assert from 'node:assert/strict'
import { Control } from '../support/control.ts'
import { bodyOf, rawCall, rawRequest, statusOf } from '../support/raw-http.ts'

const token = 'a-token-of-the-user'

describe('who may call the control server', () => {
  it('#10 a browser may not, other clients may', async () => {
    await using control = await Control.start()
    const as = async (agent: string) =>
      (await control.call('GET', '/version', undefined, { 'user-agent': agent })).status
    assert.equal(await as('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'), 403)
    for (const agent of ['toxiproxy-cli/v2.9.0 (linux/amd64)', 'curl/8.5.0', 'Go-http-client/1.1', ''])
      assert.equal(await as(agent), 200, agent)
    const page = await control.call('POST', '/reset', undefined, { origin: 'https://example.com' })
    assert.equal(page.status, 403)
  })

  it('on loopback it answers to its own names only: a name that was made to point here is refused', async () => {
    await using control = await Control.start()
    const as = async (host: string) =>
      statusOf(await rawCall(control.server.address, rawRequest('GET', '/proxies', { Host: host })))
    const { port } = control.server.address
    for (const host of ['localhost', `LOCALHOST:${port}`, `127.0.0.1:${port}`, '[::1]:1', '10.0.0.7'])
      assert.equal(await as(host), 200, host)
    for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '', 'a b', '[zz]'])
      assert.ok([400, 403].includes(await as(host)), host)
    // With a whole URL in place of the path.
    const whole = rawRequest('GET', 'http://127.0.0.1/version', { Host: '127.0.0.1' })
    assert.match(bodyOf(await rawCall(control.server.address, whole)), /loads/)
  })

  it('on all addresses any name will do', async () => {
    await using control = await Control.start({ host: '0.0.0.0' })
    const { port } = control.server.address
    const answer = await rawCall(
      { host: '127.0.0.1', port },
      rawRequest('GET', '/version', { Host: 'toxiproxy:8474' }),
    )
    assert.equal(statusOf(answer), 200)
  })

  it('a token that is asked for must be given', async () => {
    await using control = await Control.start({ token })
    const as = async (headers: Record<string, string>, path = '/proxies') =>
      (await control.call('GET', path, undefined, headers)).status
    for (const path of ['/proxies', '/version', '/metrics', '/events', '/nothing'])
      assert.equal(await as({}, path), 401, path)
    for (const given of [
      '',
      'Bearer',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Basic ${token}`,
      token,
    ])
      assert.equal(await as({ authorization: given }), 401, given)
    assert.equal(await as({ authorization: `Bearer ${token}` }), 200)
    assert.equal(await as({ authorization: `bearer  ${token}` }), 200)
    const refused = await control.call('GET', '/proxies')
    assert.match(refused.headers.get('www-authenticate')!, /^Bearer/)
    assert.equal(refused.json.status, 401)
    const browser = { authorization: `Bearer ${token}`, 'user-agent': 'Mozilla/5.0' }
    assert.equal(await as(browser), 403)
    // Whoever has the token may call it by any name.
    const answer = await rawCall(
      control.server.address,
      rawRequest('GET', '/version', { Host: 'proxies.example', Authorization: `Bearer ${token}` }),
    )
    assert.equal(statusOf(answer), 200)
  })
})
