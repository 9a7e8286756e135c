import { Fields, fromJson } from './expression.ts'
import type { Expression } from './expression.ts'
import type { Node } from './input-file.ts'
import type { PlannedBody } from './planned-test.ts'
import type { References, Sampler } from './schema-sample.ts'

/** The body that an operation asks for; null where it asks for none. */
export function planOpenApiBody(
  references: References,
  sampler: Sampler,
  given: Node,
): { planned: PlannedBody; contentType: string | null } | null {
  if (given.missing) return null
  const [type, media] = chosen(references.follow(given).at('content').entries()) ?? []
  if (type === undefined || media === undefined) return null
  const value = sampleOf(references, sampler, media)
  if (/[/+]json\b/i.test(type)) {
    const contentType = type.toLowerCase() === 'application/json' ? null : type
    return { planned: { type: 'json', value: fromJson(value) }, contentType }
  }
  if (type.startsWith('application/x-www-form-urlencoded'))
    return { planned: { type: 'form', value: new Fields(fieldsOf(value)) }, contentType: null }
  if (type.startsWith('multipart/')) {
    const parts = fieldsOf(value).map(([name, each]) => ({
      name,
      value: typeof each === 'string' ? each : JSON.stringify(each),
      fileName: isFile(references, media.at('schema'), name) ? `${name}.bin` : null,
      contentType: null,
      base64: null,
    }))
    return { planned: { type: 'multipart', variable: 'form', parts }, contentType: null }
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return { planned: { type: 'text', value: text }, contentType: type }
}

/** What is easiest to write by hand. */
function chosen(media: [string, Node][]): [string, Node] | undefined {
  const wanted = [
    /^application\/json/i,
    /[/+]json\b/i,
    /^application\/x-www-form/i,
    /^multipart\//i,
    /^text\//i,
  ]
  for (const pattern of wanted) {
    const found = media.find(([type]) => pattern.test(type))
    if (found !== undefined) return found
  }
  return media[0]
}

function sampleOf(references: References, sampler: Sampler, media: Node): unknown {
  const example = media.at('example')
  if (example.value !== undefined) return example.value
  const [, first] = media.at('examples').entries()[0] ?? []
  const shown = first === undefined ? undefined : references.follow(first).at('value').value
  return shown === undefined ? sampler.sample(media.at('schema')) : shown
}

function fieldsOf(value: unknown): [string, Expression][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).map(([name, each]) => [
    name,
    typeof each === 'object' && each !== null ? JSON.stringify(each) : (each as Expression),
  ])
}

function isFile(references: References, schema: Node, name: string): boolean {
  if (schema.missing) return false
  const property = references.follow(schema).at('properties')
  const target = property.missing ? property : property.at(name)
  return !target.missing && references.follow(target).at('format').value === 'binary'
}
