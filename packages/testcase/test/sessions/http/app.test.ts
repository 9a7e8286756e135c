import assert from 'node:assert/strict'
import { isAssertionFailure } from '../../../src/assertion-failure.ts'
import { TestCase } from '../../../src/test-case.ts'
import { serveHttp, stopServers } from '../../helpers/servers.ts'
import { makeUser, releaseUsers } from '../../helpers/user.ts'

describe('AppClient', () => {
  let url: string

  beforeEach(async () => {
    const served = await serveHttp((request, response) => {
      response.statusCode = Number(request.url!.slice(1, 4))
      response.setHeader('set-cookie', 'a=1')
      response.end(`${request.method} says hello`)
    })
    url = served.url
  })

  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('returns answers of 2xx and 3xx', async () => {
    const { app } = makeUser({ serverUrl: url }).test
    for (const method of ['get', 'post', 'put', 'patch', 'delete', 'options'] as const) {
      const answer = await app[method]('/201')
      assert.deepEqual([answer.status, answer.ok], [201, true])
      assert.equal(answer.text(), `${method.toUpperCase()} says hello`)
    }
    assert.equal((await app.head('/200')).text(), '')
    assert.equal((await app.get('/304')).status, 304)
  })

  it('gives access to everything of the answer', async () => {
    const answer = await makeUser({ serverUrl: url }).test.app.get('/200')
    assert.equal(answer.url, `${url}/200`)
    assert.deepEqual(answer.cookies, { a: '1' })
    assert.equal(answer.headers.get('set-cookie'), 'a=1')
    assert.equal(answer.redirected, false)
    assert.ok(answer.elapsed > 0)
    assert.equal(answer.bytes.toString(), 'GET says hello')
    assert.throws(() => answer.json(), { code: 'TESTCASE_BODY' })
    assert.equal(answer.response.status, 200)
  })

  it('fails the test for any other status, and shows what came', async () => {
    const { test, meter } = makeUser({ serverUrl: url })
    const thrown = await test.app.get('/404').catch((error: unknown) => error)
    assert.ok(isAssertionFailure(thrown))
    assert.equal(
      (thrown as Error).message,
      `GET ${url}/404 answered 404, expected 2xx or 3xx: GET says hello`,
    )
    assert.deepEqual(meter.lines, ['GET /404 404 failed'])
  })

  it('takes the status that the test expects, and only that', async () => {
    const { test, meter } = makeUser({ serverUrl: url })
    assert.equal((await test.app.get('/404', { status: 404 })).status, 404)
    assert.equal((await test.app.get('/410', { status: [404, 410] })).status, 410)
    await assert.rejects(test.app.get('/200', { status: [404, 410] }), {
      code: 'ERR_ASSERTION',
      message: /answered 200, expected 404 or 410/,
    })
    await assert.rejects(test.app.get('/200', { status: (status) => status > 400 }), {
      code: 'ERR_ASSERTION',
    })
    assert.deepEqual(meter.lines, ['GET /404 404', 'GET /410 410', 'GET /200 200', 'GET /200 200'])
  })

  it('checks the text of an answer', async () => {
    const answer = await makeUser({ serverUrl: url }).test.app.get('/200')
    answer.mustContain('says', /HELLO/i).mustNotContain('goodbye', /^hello/)
    assert.throws(() => answer.mustContain('says', 'goodbye'), {
      code: 'ERR_ASSERTION',
      message: /the body does not contain "goodbye": GET says hello$/,
    })
    assert.throws(() => answer.mustNotContain(/hello/), {
      code: 'ERR_ASSERTION',
      message: /the body contains \/hello\//,
    })
  })

  it('takes the server of the run before that of the class, and either may be changed', async () => {
    class WithUrl extends TestCase {
      static override serverUrl = 'http://127.0.0.1:9'
    }
    assert.equal(makeUser({}, WithUrl).test.app.serverUrl, 'http://127.0.0.1:9')
    const { test } = makeUser({ serverUrl: 'http://127.0.0.1:10' }, WithUrl)
    assert.equal(test.app.serverUrl, 'http://127.0.0.1:10')
    test.app.serverUrl = url
    assert.equal((await test.app.get('/200')).status, 200)
    assert.equal((await test.session.get('/200')).status, 200)
  })

  it('names both ways to give a server when there is none', async () => {
    class WithoutUrl extends TestCase {}
    const { test, meter } = makeUser({}, WithoutUrl)
    await assert.rejects(test.app.get('/x'), {
      code: 'TESTCASE_NO_SERVER_URL',
      message: /static serverUrl = 'http:\/\/localhost:8080'" in WithoutUrl, or run with --server-url/,
    })
    assert.deepEqual(meter.lines, [])
  })
})
