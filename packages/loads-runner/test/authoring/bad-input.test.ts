import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readCurl } from '../../src/authoring/curl.ts'
import { readHar } from '../../src/authoring/har.ts'
import { planOpenApi } from '../../src/authoring/openapi.ts'
import { planCurl } from '../../src/authoring/plan-curl.ts'
import { planRecording } from '../../src/authoring/plan-recording.ts'
import { moduleText } from '../../src/authoring/test-module.ts'
import { UsageError } from '../../src/errors.ts'
import { runModule } from './run-module.ts'

const har = {
  log: {
    pages: [{ id: 'p', title: 't' }],
    entries: [
      {
        pageref: 'p',
        startedDateTime: '2026-01-01T00:00:00Z',
        time: 3,
        request: {
          method: 'POST',
          url: 'http://h/a/12?x=1',
          headers: [{ name: 'a', value: 'b' }],
          postData: { mimeType: 'application/json', text: '{"a":1}', params: [{ name: 'a', value: 'b' }] },
        },
        response: {
          status: 302,
          redirectURL: '/b',
          headers: [{ name: 'location', value: '/b' }],
          content: { mimeType: 'application/json', text: '{"id":"abc-123"}' },
        },
      },
    ],
  },
}

const api = {
  openapi: '3.1.0',
  info: { title: 'T' },
  servers: [{ url: 'http://{h}/', variables: { h: { default: 'x' } } }],
  security: [{ key: [] }],
  tags: [{ name: 'a', description: 'b' }],
  paths: {
    '/a/{id}': {
      parameters: [{ name: 'id', in: 'path', schema: { type: 'integer', minimum: 2 } }],
      put: {
        operationId: 'x',
        tags: ['a'],
        parameters: [{ name: 'q', in: 'query', example: 1 }],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } },
        responses: { 200: {} },
      },
    },
  },
  components: {
    schemas: {
      A: { allOf: [{ type: 'object', required: ['b'], properties: { b: { type: 'array', items: {} } } }] },
    },
    securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } },
  },
}

/** A document in which one thing is something else. */
function damaged(document: object): fc.Arbitrary<unknown> {
  const paths: string[][] = []
  const visit = (value: unknown, path: string[]) => {
    paths.push(path)
    if (typeof value === 'object' && value !== null)
      for (const [key, each] of Object.entries(value)) visit(each, [...path, key])
  }
  visit(document, [])
  const strange = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      '',
      0,
      -1,
      true,
      [],
      {},
      [[]],
      [null],
      { $ref: '#/' },
      { $ref: '#/paths' },
      'http://',
      '%',
    ),
    fc.jsonValue({ maxDepth: 2 }),
  )
  return fc.tuple(fc.constantFrom(...paths), strange).map(([path, value]) => {
    if (path.length === 0) return value
    const copy = structuredClone(document) as any
    const parent = path.slice(0, -1).reduce((node, key) => node[key], copy)
    parent[path.at(-1)!] = value
    return copy as unknown
  })
}

/** What is wrong is said as such, and what is accepted makes a module that runs. */
async function acceptsOrSays(make: () => string | Promise<string>): Promise<void> {
  let text: string
  try {
    text = await make()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    assert.notEqual(error.message, '')
    return
  }
  await runModule(text, () => ({ status: 200, json: {} })).catch((error: Error) => {
    // It runs: the target of this test answers whatever it likes.
    if (error.name === 'SyntaxError' || 'errors' in error) throw error
  })
}

describe('input that is wrong in any place', () => {
  it('HAR', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(har), (document) =>
        acceptsOrSays(() => {
          const { requests } = readHar(JSON.stringify(document), 'a.har')
          return moduleText(planRecording(requests, { source: 'a', name: 'a', all: true, pauses: true }).plan)
        }),
      ),
      { numRuns: 500 },
    )
  })

  it('OpenAPI', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(api), (document) =>
        acceptsOrSays(() => moduleText(planOpenApi(JSON.stringify(document), 'a.json', null).plan)),
      ),
      { numRuns: 1000 },
    )
  })

  it('YAML', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'&*a: -[]{}!|>\'"\n#,?'.split('')), maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(text, (each) =>
        acceptsOrSays(() => moduleText(planOpenApi(each, 'a.yaml', null).plan)),
      ),
    )
  })

  it('curl', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        '-d',
        '-H',
        '-F',
        '-u',
        '-G',
        '-X',
        '--json',
        '-b',
        '-I',
        '--data-urlencode',
        '-F',
        '--next',
        ';',
      ),
      fc.constantFrom('http://h/a', 'h', 'a=b', '@f', '{"a":1}', 'A: b', 'a=@f;type=x', 'http://%', ':', '='),
      fc.string({ unit: 'binary', maxLength: 6 }).map((each) => `'${each.replaceAll("'", '')}'`),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(word), (words) =>
        acceptsOrSays(async () => {
          const { requests } = await readCurl(`curl ${words.join(' ')}`, () =>
            Promise.resolve(Buffer.from('x')),
          )
          return moduleText(planCurl(requests, 'curl'))
        }),
      ),
      { numRuns: 1000 },
    )
  })
})
