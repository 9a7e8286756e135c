import assert from 'node:assert/strict'
import { format } from 'prettier'
import { planOpenApi } from '../../src/authoring/openapi.ts'
import { moduleText } from '../../src/authoring/test-module.ts'
import { UsageError } from '../../src/errors.ts'
import { runModule } from './run-module.ts'

const style = { parser: 'typescript', semi: false, singleQuote: true, printWidth: 110 } as const

const shop = `
openapi: 3.0.3
info: { title: Pet shop, version: '1' }
servers:
  - url: https://{region}.shop.example/v1/
    variables: { region: { default: eu } }
tags:
  - { name: pets, description: All about pets }
security: [{ token: [] }]
paths:
  /pets:
    get:
      operationId: listPets
      summary: All pets
      tags: [pets]
      parameters:
        - { name: limit, in: query, schema: { type: integer, default: 20 } }
        - { name: hidden, in: query, schema: { type: string } }
        - { name: tag, in: query, required: true, schema: { type: array, items: { type: string, enum: [cat, dog] } } }
        - { name: X-Trace, in: header, required: true, example: abc, schema: { type: string } }
      responses: { '200': { description: ok } }
    post:
      operationId: createPet
      tags: [pets]
      requestBody: { $ref: '#/components/requestBodies/Pet' }
      responses: { '201': { description: made } }
  /pets/{pet-id}:
    parameters:
      - { name: pet-id, in: path, required: true, schema: { type: string, format: uuid } }
    delete:
      operationId: delete-pet
      tags: [pets]
      security: []
      responses: { default: { description: gone } }
  /files/{name}.{ext}:
    get:
      parameters:
        - { name: name, in: path, required: true, example: 'a b', schema: { type: string } }
        - { name: ext, in: path, required: true, schema: { type: string, const: txt } }
      responses: { '404': { description: none } }
components:
  securitySchemes: { token: { type: http, scheme: bearer } }
  requestBodies:
    Pet: { content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
  schemas:
    Base: { type: object, required: [id], properties: { id: { type: integer, readOnly: true }, born: { type: string, format: date } } }
    Pet:
      allOf:
        - $ref: '#/components/schemas/Base'
        - type: object
          required: [name, parent]
          properties:
            name: { type: string, minLength: 6 }
            kind: { type: string, enum: [cat, dog] }
            age: { type: integer, minimum: 3 }
            parent: { $ref: '#/components/schemas/Pet' }
            friends: { type: array, items: { $ref: '#/components/schemas/Pet' } }
            owner: { oneOf: [{ type: object, properties: { email: { type: string, format: email } } }, { type: string }] }
`

function problem(text: string): string {
  try {
    planOpenApi(text, 'api.yaml', null)
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error))
    return error.message
  }
  return 'none'
}

const document = (paths: string, rest = '') => `openapi: 3.1.0\ninfo: {title: T}\npaths:\n${paths}\n${rest}`

describe('import openapi', () => {
  it('makes a class per tag and a test per operation', async () => {
    const { plan, operations, warnings } = planOpenApi(shop, 'shop.yaml', null)
    const text = moduleText(plan)
    assert.equal(operations, 4)
    assert.deepEqual(warnings, ['tests read TOKEN from the environment: --secret TOKEN=env:TOKEN'])
    assert.equal(
      text,
      `// From shop.yaml: Pet shop
import { TestCase } from 'loads-runner'

// All about pets
export class TestPets extends TestCase {
  static serverUrl = 'https://eu.shop.example/v1'

  async test_list_pets() {
    // All pets
    const answer = await this.session.get('/pets', {
      query: { limit: 20, tag: ['cat'] },
      headers: { 'x-trace': 'abc' },
      auth: { bearer: process.env.TOKEN ?? '' },
    })
    this.assertEqual(answer.status, 200)
  }

  async test_create_pet() {
    const answer = await this.session.post('/pets', {
      auth: { bearer: process.env.TOKEN ?? '' },
      json: {
        born: '2026-01-31',
        name: 'textxx',
        kind: 'cat',
        age: 3,
        parent: null,
        friends: [],
        owner: { email: 'user@example.com' },
      },
    })
    this.assertEqual(answer.status, 201)
  }

  async test_delete_pet() {
    const answer = await this.session.delete('/pets/:petId', {
      params: { petId: '123e4567-e89b-42d3-a456-426614174000' },
    })
    this.assertTrue(answer.ok)
  }
}

export class TestPetShop extends TestCase {
  static serverUrl = 'https://eu.shop.example/v1'

  async test_get_files_name_ext() {
    const answer = await this.session.get('/files/a%20b.txt', { auth: { bearer: process.env.TOKEN ?? '' } })
    this.assertTrue(answer.ok)
  }
}
`,
    )
    assert.equal(await format(text, style), text)
    const { requests } = await runModule(text, ({ method }) => ({ status: method === 'POST' ? 201 : 200 }))
    assert.equal(requests.length, 4)
  })

  it('tells every variable that credentials are read from', () => {
    const schemes = `components: { securitySchemes: { door: { type: http, scheme: basic } } }`
    const text = document(`  /in: { get: { responses: {} } }`, `security: [{ door: [] }]\n${schemes}`)
    assert.deepEqual(planOpenApi(text, 'api.yaml', 'http://localhost').warnings, [
      'tests read DOOR_USER and DOOR from the environment: --secret DOOR_USER=env:DOOR_USER --secret DOOR=env:DOOR',
    ])
  })

  it('reads JSON, and takes the server that is given', () => {
    const json = JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'T' },
      paths: { '/a': { get: { responses: {} }, 'x-other': 1 } },
    })
    const { plan, warnings } = planOpenApi(json, 'a.json', 'http://localhost:1')
    assert.equal(plan.classes[0]!.serverUrl, 'http://localhost:1')
    assert.deepEqual(warnings, [])
    assert.match(planOpenApi(json, 'a.json', null).warnings[0]!, /names no server/)
  })

  it('writes forms, files and other bodies', async () => {
    const body = (type: string, schema: string) =>
      planOpenApi(
        document(
          `  /a:\n    post: { requestBody: { content: { ${type}: { schema: ${schema} } } }, responses: {} }`,
        ),
        'a.yaml',
        'http://h',
      )
    const properties =
      '{ type: object, properties: { name: { type: string }, file: { type: string, format: binary } } }'
    const run = async (type: string, schema: string) =>
      (await runModule(moduleText(body(type, schema).plan))).requests[0]!.options
    assert.deepEqual(await run('application/x-www-form-urlencoded', properties), {
      form: { name: 'text', file: 'text' },
    })
    const form = (await run('multipart/form-data', properties))['multipart'] as FormData
    assert.equal((form.get('file') as File).name, 'file.bin')
    assert.deepEqual(await run('text/csv', '{ type: string, example: "a,b" }'), {
      headers: { 'content-type': 'text/csv' },
      body: 'a,b',
    })
    assert.deepEqual(await run('application/problem+json', '{ type: [string, "null"], examples: [x] }'), {
      headers: { 'content-type': 'application/problem+json' },
      json: 'x',
    })
  })

  it('stays small where schemas refer to each other without end', () => {
    const names = Array.from({ length: 20 }, (_, index) => `S${index}`)
    const schemas = names.map((name) => {
      const all = names.map((other) => `p${other}: { $ref: '#/components/schemas/${other}' }`).join(', ')
      return `    ${name}: { type: object, properties: { ${all} } }`
    })
    const text = document(
      `  /a:\n    post: { requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/S0' } } } }, responses: {} }`,
      `components:\n  schemas:\n${schemas.join('\n')}`,
    )
    const { plan } = planOpenApi(text, 'a.yaml', null)
    assert.ok(moduleText(plan).length < 300_000)
  })

  it('names file and place of what is wrong', () => {
    assert.match(problem('openapi: 3.0.0\npaths: {\n'), /^api\.yaml:\d+:\d+: /)
    assert.match(problem('a: 1'), /^api\.yaml: has no "openapi"/)
    assert.match(problem('swagger: "2.0"'), /^api\.yaml: swagger: this is Swagger 2\.0: convert it/)
    assert.match(problem('openapi: 4.0.0'), /^api\.yaml: openapi: version 4\.0\.0 is not known here/)
    assert.match(problem('openapi: 3.0.0'), /^api\.yaml: paths: is missing/)
    assert.match(problem(document('  /a: {}')), /paths: has no operation/)
    assert.equal(
      problem(document('  /a/{id}: { get: { responses: {} } }')),
      'api.yaml: paths["/a/{id}"].get: {id} of the path is no parameter',
    )
    const body = (ref: string) =>
      document(
        `  /a:\n    post: { requestBody: { content: { application/json: { schema: { $ref: '${ref}' } } } }, responses: {} }`,
        `components: { schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } } }`,
      )
    assert.match(problem(body('#/components/schemas/None')), /"#\/components\/schemas\/None" is not there/)
    assert.match(problem(body('other.yaml#/A')), /is in another file: put all into one first/)
    assert.match(problem(body('#/components/schemas/A')), /leads to itself/)
    assert.match(problem('a: &a [*a, *a]\nopenapi: 3.0.0\npaths: {}'), /^api\.yaml/)
    assert.match(
      problem(document('  /a: { get: { security: [{ none: [] }], responses: {} } }')),
      /is none of components\.securitySchemes/,
    )
  })
})
