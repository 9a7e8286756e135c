import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { eachHttpClient } from '../../helpers/http-clients.ts'
import { bodyOf, serveHttp, stopServers } from '../../helpers/servers.ts'
import { makeUser, releaseUsers } from '../../helpers/user.ts'

/** `/go/STATUS?to=URL` redirects; `/loop` to itself; anything else shows what it got. */
async function redirecting() {
  const { url } = await serveHttp((request, response) => {
    void bodyOf(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://x')
      const [, verb, status] = pathname.split('/')
      if (verb === 'go') {
        response.writeHead(Number(status), {
          location: searchParams.get('to')!,
          'set-cookie': 'seen=1; Path=/',
        })
        return response.end('moved')
      }
      if (verb === 'loop') return response.writeHead(302, { location: '/loop' }).end()
      if (verb === 'nowhere') return response.writeHead(302).end('no location')
      return response.end(
        JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }),
      )
    })
  })
  return url
}

interface Shown {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

eachHttpClient('redirects', () => {
  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('are followed, each hop a hit of its own, with the cookies they set', async () => {
    const { test, meter } = makeUser({ serverUrl: await redirecting() })
    const answer = await test.session.get('/go/302?to=/go/301%3Fto%3D/end%3Fa=1')
    assert.equal(answer.redirected, true)
    assert.equal(new URL(answer.url).pathname, '/end')
    assert.equal(answer.json<Shown>().headers['cookie'], 'seen=1')
    assert.deepEqual(meter.lines, ['GET /go/302 302', 'GET /go/301 301', 'GET /end 200'])
  })

  it('take the name of the test for every hop', async () => {
    const { test, meter } = makeUser({ serverUrl: await redirecting() })
    await test.session.get('/go/302?to=/end', { name: 'login', tags: { step: 'in' } })
    assert.deepEqual(meter.lines, ['GET login 302', 'GET login 200'])
    assert.deepEqual(meter.hits[1]!.tags, { step: 'in' })
  })

  it('turn into GET, or keep method and body, as fetch does it', async () => {
    const { test } = makeUser({ serverUrl: await redirecting() })
    const after = async (method: string, status: number) => {
      const options = method === 'HEAD' ? {} : { json: { a: 1 } }
      const answer = await test.session.request(method, `/go/${status}?to=/end`, options)
      if (method === 'HEAD') return `${answer.method} -`
      const shown = answer.json<Shown>()
      assert.equal(shown.headers['content-type'], shown.body === '' ? undefined : 'application/json')
      return `${shown.method} ${shown.body}`
    }
    assert.equal(await after('POST', 301), 'GET ')
    assert.equal(await after('POST', 302), 'GET ')
    assert.equal(await after('POST', 303), 'GET ')
    assert.equal(await after('PUT', 303), 'GET ')
    assert.equal(await after('PUT', 302), 'PUT {"a":1}')
    assert.equal(await after('POST', 307), 'POST {"a":1}')
    assert.equal(await after('POST', 308), 'POST {"a":1}')
    assert.equal(await after('HEAD', 303), 'HEAD -')
  })

  it('keep credentials with their origin', async () => {
    const [one, two] = [await redirecting(), await redirecting()]
    const { test } = makeUser({ serverUrl: one })
    const auth = { bearer: 'secret' }
    const headers = { cookie: 'own=1' }
    const same = (await test.session.get('/go/302?to=/end', { auth, headers })).json<Shown>().headers
    assert.equal(same['authorization'], 'Bearer secret')
    assert.equal(same['cookie'], 'own=1')
    const other = (await test.session.get(`/go/302?to=${two}/end`, { auth, headers })).json<Shown>().headers
    assert.equal(other['authorization'], undefined)
    assert.notEqual(other['cookie'], 'own=1')
    assert.equal(other['host'], new URL(two).host)
  })

  it('are left to the test, or refused, when asked', async () => {
    const { test, meter } = makeUser({ serverUrl: await redirecting() })
    const manual = await test.session.get('/go/302?to=/end', { redirect: 'manual' })
    assert.deepEqual([manual.status, manual.headers.get('location'), manual.redirected], [302, '/end', false])
    await assert.rejects(test.session.get('/go/302?to=/end', { redirect: 'error' }), {
      code: 'TESTCASE_REDIRECT',
    })
    assert.deepEqual(meter.lines, ['GET /go/302 302', 'GET /go/302 302'])
  })

  it('without Location are answers', async () => {
    const { test } = makeUser({ serverUrl: await redirecting() })
    assert.equal((await test.session.get('/nowhere')).text(), 'no location')
  })

  it('end after 20 hops', async () => {
    const { test, meter } = makeUser({ serverUrl: await redirecting() })
    await assert.rejects(test.session.get('/loop'), {
      code: 'TESTCASE_REDIRECT',
      message: /more than 20 redirects/,
    })
    assert.equal(meter.hits.length, 21)
  })

  it('go to HTTP only', async () => {
    const { test } = makeUser({ serverUrl: await redirecting() })
    for (const to of ['file:///etc/passwd', 'http://', 'mailto:x']) {
      await assert.rejects(
        test.session.get(`/go/302?to=${to}`),
        { code: 'TESTCASE_REDIRECT', message: /no http/ },
        to,
      )
    }
  })

  it('do not send a stream twice', async () => {
    const { test, meter } = makeUser({ serverUrl: await redirecting() })
    const body = Readable.from(['once'])
    await assert.rejects(test.session.post('/go/307?to=/end', { body }), {
      code: 'TESTCASE_REDIRECT',
      message: /sent twice/,
    })
    assert.deepEqual(meter.lines, ['POST /go/307 307'])
  })
})
