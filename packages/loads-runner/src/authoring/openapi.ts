import { parseDocument } from 'yaml'
import { UsageError } from '../errors.ts'
import { Fields, fromJson } from './expression.ts'
import type { Expression } from './expression.ts'
import { Node } from './input-file.ts'
import { camelCase, Names, pascalCase, snakeCase } from './names.ts'
import { planOpenApiBody } from './openapi-body.ts'
import { planSecurity } from './openapi-security.ts'
import type { PlannedClass, PlannedMethod, PlannedModule, PlannedRequest } from './planned-test.ts'
import { References, Sampler } from './schema-sample.ts'

const verbs = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/** Operations of one document; more is a mistake. */
const mostOperations = 10_000

export interface OpenApiPlan {
  plan: PlannedModule
  operations: number
  warnings: string[]
}

/**
 * A test module for an OpenAPI document (3.0 or 3.1, JSON or YAML): a class per tag, a test per operation.
 *
 * @throws {UsageError} no such document; names file and place
 */
export function planOpenApi(text: string, file: string, serverUrl: string | null): OpenApiPlan {
  const root = new Node(parse(text, file), file)
  const version = root.at('openapi').missing ? null : String(root.at('openapi').value)
  if (version === null) {
    if (!root.at('swagger').missing)
      root.at('swagger').fail('this is Swagger 2.0: convert it to OpenAPI 3 first (any converter does)')
    throw new UsageError(`${file}: has no "openapi": an OpenAPI document begins with openapi: 3.0.0 or 3.1.0`)
  }
  if (!/^3\.[01](\.|$)/.test(version))
    root.at('openapi').fail(`version ${version} is not known here: 3.0 and 3.1 are`)
  return new OpenApiPlanner(root, file, serverUrl).plan()
}

/** YAML holds JSON; a text that is JSON is read faster as such. */
function parse(text: string, file: string): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text) as unknown
    } catch {
      // It may be YAML in braces, and that reader says where it is wrong.
    }
  }
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined) {
    const [place] = error.linePos ?? []
    const where = place === undefined ? '' : `:${place.line}:${place.col}`
    throw new UsageError(`${file}${where}: ${error.message.split(/ at line \d/)[0]}`)
  }
  try {
    return document.toJS() as unknown
  } catch (problem) {
    // Aliases without end.
    throw new UsageError(`${file}: ${(problem as Error).message}`)
  }
}

class OpenApiPlanner {
  readonly #root: Node
  readonly #file: string
  readonly #references: References
  readonly #sampler: Sampler
  readonly #serverUrl: string | null
  readonly #warnings: string[] = []
  readonly #classes = new Map<string, { planned: PlannedClass; methods: Names }>()
  readonly #classNames = new Names()

  constructor(root: Node, file: string, serverUrl: string | null) {
    this.#root = root
    this.#file = file
    this.#references = new References(root)
    this.#sampler = new Sampler(this.#references)
    this.#serverUrl = serverUrl ?? this.#server()
  }

  plan(): OpenApiPlan {
    let operations = 0
    const paths = this.#root.at('paths')
    if (paths.missing) paths.fail('is missing: there is nothing to import')
    for (const [path, given] of paths.entries()) {
      if (!path.startsWith('/')) {
        if (!path.startsWith('x-')) given.fail('the name of a path begins with /')
        continue
      }
      if (given.missing) continue
      const item = this.#references.follow(given)
      for (const verb of verbs) {
        const operation = item.at(verb)
        if (operation.missing) continue
        if (++operations > mostOperations) paths.fail(`has more than ${mostOperations} operations`)
        this.#add(path, verb, item, operation)
      }
    }
    if (operations === 0) paths.fail('has no operation: there is nothing to import')
    const title = this.#title()
    const comments = [`From ${this.#file}${title === '' ? '' : `: ${title}`}`]
    const classes = [...this.#classes.values()].map(({ planned }) => planned)
    return { plan: { comments, classes }, operations, warnings: [...new Set(this.#warnings)] }
  }

  #add(path: string, verb: string, item: Node, operation: Node): void {
    const tag = operation.at('tags').items()[0]?.text() ?? ''
    let group = this.#classes.get(tag)
    if (group === undefined) {
      const fallback = pascalCase(this.#title()) || 'Api'
      const name = this.#classNames.take(`Test${pascalCase(tag) || fallback}`, 'TestApi')
      const planned = { name, comments: this.#describe(tag), serverUrl: this.#serverUrl, methods: [] }
      this.#classes.set(tag, (group = { planned, methods: new Names() }))
    }
    const id = operation.at('operationId').textOr('')
    const words = snakeCase(id) || snakeCase(`${verb} ${path}`)
    const name = group.methods.take(`test_${words}`, `test_${verb}`)
    const method: PlannedMethod = { name, requests: [this.#request(path, verb, item, operation)] }
    group.planned.methods.push(method)
  }

  #request(path: string, verb: string, item: Node, operation: Node): PlannedRequest {
    const params: [string, Expression][] = []
    const query: [string, Expression][] = []
    const headers: [string, Expression][] = []
    const cookies: string[] = []
    const names = new Map<string, string>()
    for (const parameter of this.#parameters(item, operation)) {
      const place = parameter.at('in').text()
      const name = parameter.at('name').text()
      const value = this.#parameterValue(parameter, place === 'path')
      if (value === undefined) continue
      if (place === 'path') names.set(name, textOf(value))
      else if (place === 'query') query.push([name, queryValue(value)])
      else if (place === 'cookie') cookies.push(`${name}=${encodeURIComponent(textOf(value))}`)
      else if (place !== 'header')
        parameter.at('in').fail(`"${place}" is none of path, query, header, cookie`)
      else if (!/^(accept|content-type|authorization)$/i.test(name))
        headers.push([name.toLowerCase(), textOf(value)])
    }
    if (cookies.length > 0) headers.push(['cookie', cookies.join('; ')])
    const url = fillPath(path, names, params, operation)
    const security = planSecurity(this.#root, this.#references, operation, this.#warnings)
    const body = planOpenApiBody(this.#references, this.#sampler, operation.at('requestBody'))
    const type = body?.contentType ?? null
    const summary = operation.at('summary').textOr('')
    return {
      comments: summary === '' ? [] : [summary],
      pauseMs: null,
      method: verb.toUpperCase(),
      url,
      params: new Fields(params),
      query: new Fields([...query, ...security.query]),
      headers: new Fields([
        ...headers,
        ...security.headers,
        ...(type === null ? [] : [['content-type', type] as const]),
      ]),
      auth: security.auth,
      body: body?.planned ?? null,
      expected: this.#expected(operation),
      variable: 'answer',
      captures: [],
    }
  }

  /** Those of the path, and over them those of the operation. */
  #parameters(item: Node, operation: Node): Node[] {
    const found = new Map<string, Node>()
    for (const list of [item.at('parameters'), operation.at('parameters')]) {
      for (const each of list.items()) {
        const parameter = this.#references.follow(each)
        found.set(`${parameter.at('in').text()} ${parameter.at('name').text()}`, parameter)
      }
    }
    return [...found.values()]
  }

  /** Undefined for one that may be left out and of which nothing is shown. */
  #parameterValue(parameter: Node, always: boolean): unknown {
    const shown = this.#shown(parameter)
    if (shown !== undefined) return shown
    const [, media] = parameter.at('content').entries()[0] ?? []
    const schema = media === undefined ? parameter.at('schema') : media.at('schema')
    const required = always || parameter.at('required').value === true
    if (schema.missing) return required ? 'text' : undefined
    const target = this.#references.follow(schema).record()
    const isShown = 'example' in target || 'default' in target || 'const' in target || 'examples' in target
    return required || isShown ? this.#sampler.sample(schema) : undefined
  }

  #shown(parameter: Node): unknown {
    const example = parameter.at('example')
    if (example.value !== undefined) return example.value
    const [, first] = parameter.at('examples').entries()[0] ?? []
    return first === undefined ? undefined : this.#references.follow(first).at('value').value
  }

  #expected(operation: Node): PlannedRequest['expected'] {
    const codes = operation
      .at('responses')
      .entries()
      .map(([code]) => code)
    const exact = codes.find((code) => /^2\d\d$/.test(code)) ?? codes.find((code) => /^3\d\d$/.test(code))
    return exact?.startsWith('2') === true ? Number(exact) : 'ok'
  }

  #server(): string | null {
    const [server] = this.#root.at('servers').items()
    if (server === undefined) return this.#noServer()
    const url = server
      .at('url')
      .text()
      .replaceAll(/\{([^}]*)\}/g, (whole, name: string) => {
        const variable = server.at('variables').missing ? null : server.at('variables').at(name)
        if (variable === null || variable.missing)
          server.at('url').fail(`{${name}} is no variable of the server`)
        return textOf(variable!.at('default').value ?? whole)
      })
    // One that is relative belongs to where the document is served.
    if (!/^https?:/i.test(url) || !URL.canParse(url)) return this.#noServer()
    return url.replace(/\/$/, '')
  }

  #noServer(): null {
    this.#warnings.push(
      'the document names no server: give it with --url here, or with loads-runner --server-url',
    )
    return null
  }

  #title(): string {
    const info = this.#root.at('info')
    return info.missing ? '' : info.at('title').textOr('')
  }

  #describe(tag: string): string[] {
    const found = this.#root
      .at('tags')
      .items()
      .find((each) => each.at('name').value === tag)
    const text = found?.at('description').textOr('').split('\n')[0] ?? ''
    return text === '' ? [] : [text]
  }
}

/** `/pets/{pet-id}` is `/pets/:petId`; a part within a segment is filled here. */
function fillPath(
  path: string,
  values: ReadonlyMap<string, string>,
  params: [string, Expression][],
  operation: Node,
): string {
  const names = new Names()
  return path.replaceAll(/\/(:?)([^/]*)/g, (_, colon: string, segment: string) => {
    const whole = /^\{([^}]+)\}$/.exec(segment)
    const value = (name: string): string => {
      const known = values.get(name)
      if (known === undefined) operation.fail(`{${name}} of the path is no parameter`)
      return known!
    }
    if (whole !== null) {
      const name = names.take(camelCase(whole[1]!), 'id')
      params.push([name, value(whole[1]!)])
      return `/:${name}`
    }
    const filled = segment.replaceAll(/\{([^}]+)\}/g, (_part, name: string) =>
      encodeURIComponent(value(name)),
    )
    return `/${colon === '' ? '' : '%3A'}${filled}`
  })
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

function queryValue(value: unknown): Expression {
  if (Array.isArray(value)) return value.map(textOf)
  return typeof value === 'object' ? textOf(value) : fromJson(value)
}
