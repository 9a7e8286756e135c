import assert from 'node:assert/strict'
import fc from 'fast-check'
import { format } from 'prettier'
import { readHar } from '../../src/authoring/har.ts'
import { planRecording } from '../../src/authoring/plan-recording.ts'
import type { RecordingOptions } from '../../src/authoring/plan-recording.ts'
import { moduleText } from '../../src/authoring/test-module.ts'
import { UsageError } from '../../src/errors.ts'
import { runModule } from './run-module.ts'

const style = { parser: 'typescript', semi: false, singleQuote: true, printWidth: 110 } as const
const site = 'http://shop.example:8080'

interface Entry {
  method?: string
  url: string
  headers?: Record<string, string>
  body?: { type: string; text: string } | { type: string; params: object[] }
  status?: number
  type?: string
  answer?: string
  location?: string
  setCookie?: string
  at?: number
  page?: string
}

function har(...entries: Entry[]): string {
  const pairs = (values: Record<string, string>) =>
    Object.entries(values).map(([name, value]) => ({ name, value }))
  return JSON.stringify({
    log: {
      pages: [{ id: 'p1', title: 'Login page' }],
      entries: entries.map((each, index) => ({
        pageref: each.page,
        startedDateTime: new Date(1_767_225_600_000 + (each.at ?? index * 100)).toISOString(),
        time: 50,
        request: {
          method: each.method ?? 'GET',
          url: each.url,
          headers: pairs(each.headers ?? {}),
          ...(each.body === undefined
            ? {}
            : {
                postData: {
                  mimeType: each.body.type,
                  ...('text' in each.body ? { text: each.body.text } : { params: each.body.params }),
                },
              }),
        },
        response: {
          status: each.status ?? 200,
          headers: pairs({
            ...(each.location === undefined ? {} : { location: each.location }),
            ...(each.setCookie === undefined ? {} : { 'set-cookie': each.setCookie }),
          }),
          content: { mimeType: each.type ?? 'text/html', text: each.answer ?? '' },
        },
      })),
    },
  })
}

function planned(text: string, options: Partial<RecordingOptions> = {}) {
  const { requests } = readHar(text, 's.har')
  return planRecording(requests, { source: 's.har', name: 'shop', all: false, pauses: false, ...options })
}

const source = (text: string, options: Partial<RecordingOptions> = {}) =>
  moduleText(planned(text, options).plan)

describe('import har', () => {
  it('makes an idiomatic test of a login and what follows', async () => {
    const text = source(
      har(
        {
          url: `${site}/`,
          page: 'p1',
          headers: { Accept: 'text/html,*/*', 'User-Agent': 'x', ':path': '/' },
        },
        { url: `${site}/logo.png`, type: 'image/png' },
        {
          at: 3000,
          method: 'POST',
          url: `${site}/api/login`,
          headers: { 'Content-Type': 'application/json', 'Content-Length': '9', 'X-Key': 'k' },
          body: { type: 'application/json', text: '{"user":"me"}' },
          type: 'application/json',
          answer: '{"token":"abc123def","user":{"id":123456}}',
        },
        {
          at: 3100,
          url: `${site}/api/users/123456/orders?page=2&tag=a&tag=b`,
          headers: { Authorization: 'Bearer abc123def' },
        },
        { at: 3200, method: 'DELETE', url: `${site}/api/orders/77`, status: 404, type: '' },
        { at: 3300, method: 'PURGE', url: 'http://other.example/cache', status: 304 },
      ),
    )
    assert.equal(
      text,
      `// From s.har
import { TestCase } from 'loads-runner'

export class TestShop extends TestCase {
  static serverUrl = 'http://shop.example:8080'

  async test_shop() {
    // page: Login page
    const page = await this.session.get('/')
    this.assertEqual(page.status, 200)

    // 3.0 s later
    const login = await this.session.post('/api/login', { headers: { 'x-key': 'k' }, json: { user: 'me' } })
    this.assertEqual(login.status, 200)
    const userId = login.json<{ user: { id: number } }>().user.id
    const token = login.json<{ token: string }>().token

    const orders = await this.session.get('/api/users/:userId/orders', {
      params: { userId },
      query: { page: '2', tag: ['a', 'b'] },
      auth: { bearer: token },
    })
    this.assertEqual(orders.status, 200)

    const orders2 = await this.session.delete('/api/orders/:orderId', {
      params: { orderId: '77' },
      status: 404,
    })
    this.assertEqual(orders2.status, 404)

    const cache = await this.session.request('PURGE', 'http://other.example/cache')
    this.assertEqual(cache.status, 200)
  }
}
`,
    )
    assert.equal(await format(text, style), text)
  })

  it('sends what the server answers now, not what it answered then', async () => {
    const text = source(
      har(
        {
          url: `${site}/cart`,
          type: 'application/json',
          answer: '{"items":[{"id":"item-0001"}],"csrf":"c-s-r-f-1"}',
        },
        {
          method: 'POST',
          url: `${site}/buy`,
          headers: { 'content-type': 'application/json', 'X-Csrf': 'c-s-r-f-1' },
          body: { type: 'application/json', text: '{"item":"item-0001","note":"mine"}' },
        },
      ),
    )
    const { requests } = await runModule(text, ({ url }) =>
      url === '/cart'
        ? { status: 200, json: { items: [{ id: 'item-9999' }], csrf: 'new' } }
        : { status: 200 },
    )
    assert.deepEqual(requests[1]!.options, {
      headers: { 'x-csrf': 'new' },
      json: { item: 'item-9999', note: 'mine' },
    })
  })

  it('leaves alone what the user had sent before any answer had it, and words that are no ids', () => {
    const text = source(
      har(
        {
          method: 'POST',
          url: `${site}/users`,
          body: { type: 'application/json', text: '{"name":"user-4711"}' },
          type: 'application/json',
          answer: '{"name":"user-4711","state":"active","day":"2026-01-01"}',
        },
        { url: `${site}/find?name=user-4711&state=active&day=2026-01-01` },
      ),
    )
    assert.doesNotMatch(text, /json\(|json</)
  })

  it('takes redirects together, as the session does', async () => {
    const result = planned(
      har(
        { method: 'POST', url: `${site}/login`, status: 302, location: '/home' },
        { url: `${site}/home`, status: 301, location: `${site}/start` },
        { url: `${site}/start`, status: 200 },
        { url: `${site}/home`, status: 200 },
      ),
    )
    assert.deepEqual([result.requests, result.redirects], [2, 2])
    const { requests } = await runModule(moduleText(result.plan))
    assert.deepEqual(
      requests.map(({ method, url }) => `${method} ${url}`),
      ['POST /login', 'GET /home'],
    )
  })

  it('waits as long as the user did when told', async () => {
    const text = source(
      har({ url: `${site}/a`, at: 0 }, { url: `${site}/b`, at: 2050 }, { url: `${site}/c`, at: 2200 }),
      {
        pauses: true,
      },
    )
    assert.deepEqual((await runModule(text)).pauses, [2000])
  })

  it('writes forms, files and odd bodies', async () => {
    const boundary = '----x'
    const text = source(
      har(
        {
          method: 'POST',
          url: `${site}/form`,
          body: { type: 'application/x-www-form-urlencoded', text: 'a=1&a=2&b=x+y%26' },
        },
        {
          method: 'POST',
          url: `${site}/upload`,
          headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
          body: {
            type: `multipart/form-data; boundary=${boundary}`,
            text:
              `--${boundary}\r\ncontent-disposition: form-data; name="title"\r\n\r\nhello\r\n` +
              `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\nline 1\r\nline 2\r\n--${boundary}--\r\n`,
          },
        },
        {
          method: 'POST',
          url: `${site}/big`,
          headers: { 'content-type': 'application/json' },
          body: { type: 'application/json', text: '{"id":12345678901234567890}' },
        },
        {
          method: 'PUT',
          url: `${site}/x`,
          headers: { 'content-type': 'text/csv' },
          body: { type: 'text/csv', text: 'a,b\n' },
        },
      ),
    )
    const [form, upload, big, csv] = (await runModule(text)).requests
    assert.deepEqual(form!.options, { form: { a: ['1', '2'], b: 'x y&' } })
    const data = upload!.options['multipart'] as FormData
    assert.equal(data.get('title'), 'hello')
    const file = data.get('file') as File
    assert.deepEqual([file.name, file.type, await file.text()], ['a.txt', 'text/plain', 'line 1\r\nline 2'])
    assert.deepEqual(upload!.options['headers'], undefined)
    // No number of JavaScript is that one.
    assert.deepEqual(big!.options, {
      headers: { 'content-type': 'application/json' },
      body: '{"id":12345678901234567890}',
    })
    assert.deepEqual(csv!.options, { headers: { 'content-type': 'text/csv' }, body: 'a,b\n' })
  })

  it('leaves assets out, keeps them with --all, and says what is no HTTP', () => {
    const text = har(
      { url: `${site}/app.js`, type: '' },
      { url: `${site}/data`, type: 'application/json' },
      { url: 'ws://shop.example/live' },
    )
    assert.equal(planned(text).requests, 1)
    assert.equal(planned(text).assets, 1)
    assert.equal(planned(text, { all: true }).requests, 2)
    assert.equal(readHar(text, 's.har').others, 1)
  })

  it('warns of credentials and of cookies from before', () => {
    const { warnings } = planned(
      har(
        {
          url: `${site}/a`,
          headers: { Authorization: 'Bearer s3cr3t-s3cr3t', Cookie: 'old=1; sid=2' },
          setCookie: 'sid=2',
        },
        { url: `${site}/b`, headers: { Cookie: 'sid=2' } },
      ),
    )
    assert.equal(warnings.length, 2)
    assert.match(warnings[0]!, /^1 of the requests hold credentials/)
    assert.match(warnings[1]!, /\(old\)/)
  })

  it('names file and place of what is wrong', () => {
    const problem = (text: string) => {
      try {
        readHar(text, 's.har')
      } catch (error) {
        assert.ok(error instanceof UsageError)
        return error.message
      }
      return 'none'
    }
    assert.match(problem('{"log": '), /^s\.har.*is no JSON/)
    assert.match(problem('{}'), /^s\.har: has no "log"/)
    assert.equal(problem('{"log":{}}'), 's.har: log.entries: is missing: there is nothing to import')
    assert.equal(problem('{"log":{"entries":[{}]}}'), 's.har: log.entries[0].request: is missing')
    assert.equal(
      problem('{"log":{"entries":[{"request":{"url":"http://a/","method":7}}]}}'),
      's.har: log.entries[0].request.method: must be a text',
    )
    assert.equal(problem('{"log":{"entries":{}}}'), 's.har: log.entries: must be a list')
  })

  it('says any strings of strangers exactly, in a module that parses', async () => {
    const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 20 }))
    const entry = fc.record({
      segment: anyText,
      query: fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 5 }), anyText), { maxLength: 3 }),
      header: anyText,
      page: anyText,
      json: fc.jsonValue({ stringUnit: 'binary', maxDepth: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 4 }), anyText, async (entries, name) => {
        const log = {
          pages: entries.map(({ page }, index) => ({ id: `p${index}`, title: page })),
          entries: entries.map(({ segment, query, header, json }, index) => {
            const url = new URL(site)
            url.pathname = `/${encodeURIComponent(Buffer.from(segment).toString())}`
            for (const [key, value] of query) url.searchParams.append(key, value)
            return {
              pageref: `p${index}`,
              request: {
                method: 'POST',
                url: url.href,
                headers: [{ name: 'x-any', value: header }],
                postData: { mimeType: 'application/json', text: JSON.stringify(json) },
              },
              response: { status: 200, headers: [], content: {} },
            }
          }),
        }
        const text = source(JSON.stringify({ log }), { name, source: name })
        const { requests } = await runModule(text)
        assert.equal(requests.length, entries.length)
        for (const [index, { url, options }] of requests.entries()) {
          const { json, header } = entries[index]!
          // A number that JavaScript cannot hold is sent as text.
          const sentJson = 'json' in options ? options['json'] : JSON.parse(options['body'])
          assert.deepEqual(asJson(sentJson), asJson(json))
          const sent = (options['headers'] as Record<string, string> | undefined)?.['x-any']
          if (sent !== undefined) assert.equal(sent, header)
          const filled = url.replace(
            /\/:(\w+)/g,
            (_, key: string) => `/${encodeURIComponent(options['params'][key])}`,
          )
          const original = new URL(log.entries[index]!.request.url)
          assert.equal(new URL(filled, site).pathname, original.pathname)
          if (options['query'] !== undefined) {
            const made = new URLSearchParams()
            for (const [key, value] of Object.entries<string | string[]>(options['query']))
              for (const one of [value].flat()) made.append(key, one)
            const pairs = (search: URLSearchParams) =>
              [...search].map((pair) => JSON.stringify(pair)).toSorted()
            assert.deepEqual(pairs(made), pairs(original.searchParams))
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
