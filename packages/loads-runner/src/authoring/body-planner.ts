import type { Correlation } from './correlation.ts'
import { Fields } from './expression.ts'
import type { Expression } from './expression.ts'
import type { Names } from './names.ts'
import { grouped, pairsOf } from './pairs.ts'
import type { FormPart, PlannedBody } from './planned-test.ts'
import type { RecordedBody } from './recorded.ts'

interface BodyPlan {
  planned: PlannedBody | null
  /** Content-Type that goes with it unless the test says otherwise; null: whatever was recorded is wrong. */
  contentType: string | null
}

interface Context {
  correlation: Correlation | null
  names: Names
}

/** The body of a request as the option that says it best. */
export function planBody(body: RecordedBody, context: Context): BodyPlan {
  const type = body.type.toLowerCase()
  if (body.base64) return { planned: { type: 'bytes', base64: body.text }, contentType: '' }
  if (/[/+]json\b/.test(type)) {
    const value = jsonOf(body.text)
    if (value !== undefined)
      return {
        planned: { type: 'json', value: jsonExpression(value, context) },
        contentType: 'application/json',
      }
  }
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const fields = formOf(body)
    const entries =
      fields === null
        ? null
        : grouped(fields.map(([name, value]) => [name, context.correlation?.codeFor(value) ?? value]))
    if (entries !== null && entries.length > 0)
      return {
        planned: { type: 'form', value: new Fields(entries) },
        contentType: 'application/x-www-form-urlencoded',
      }
  }
  if (type.startsWith('multipart/form-data')) {
    const parts = partsOf(body)
    if (parts !== null) {
      const variable = context.names.take('form', 'form')
      const planned = parts.map((part) => ({ ...part, value: wholeText(part.value, context) }))
      // The boundary of the recording would be wrong.
      return { planned: { type: 'multipart', variable, parts: planned }, contentType: null }
    }
  }
  if (body.text === '') return { planned: null, contentType: '' }
  const value = context.correlation?.textFor(body.text) ?? body.text
  return { planned: { type: 'text', value }, contentType: 'text/plain;charset=UTF-8' }
}

/** Everything in a body that could be an id. */
export function* bodyFields(body: RecordedBody): Generator<string | number> {
  yield body.text
  const value = /json/i.test(body.type) ? jsonOf(body.text) : undefined
  if (value !== undefined) yield* leavesOf(value)
  for (const [, field] of formOf(body) ?? []) yield field
  for (const part of /multipart/i.test(body.type) ? (partsOf(body) ?? []) : [])
    if (typeof part.value === 'string') yield part.value
}

function* leavesOf(value: unknown): Generator<string | number> {
  if (typeof value === 'string' || typeof value === 'number') yield value
  if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) yield* leavesOf(each)
}

/** The value; undefined where it is no JSON, or a number in it would not be sent as it was. */
export function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    const numbers = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').match(/-?\d[\d.eE+-]*/g) ?? []
    return numbers.every(isExact) && depthOf(value) < 200 ? value : undefined
  } catch {
    return undefined
  }
}

function isExact(number: string): boolean {
  return !/^-?\d+$/.test(number) || Number.isSafeInteger(Number(number))
}

function depthOf(value: unknown): number {
  let depth = 0
  let level: unknown[] = [value]
  while (level.length > 0 && depth < 1000) {
    depth++
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
  }
  return depth
}

function jsonExpression(value: unknown, context: Context): Expression {
  if (Array.isArray(value)) return value.map((each) => jsonExpression(each, context))
  if (typeof value === 'object' && value !== null)
    return new Fields(
      Object.entries(value).map(([key, each]) => [key, jsonExpression(each, context)] as const),
    )
  if (typeof value === 'string') return context.correlation?.textFor(value) ?? value
  if (typeof value === 'number') return context.correlation?.codeFor(value) ?? value
  return value as Expression
}

function wholeText(value: Expression, { correlation }: Context): Expression {
  return typeof value === 'string' ? (correlation?.textFor(value) ?? value) : value
}

function formOf({ type, text, fields }: RecordedBody): [string, string][] | null {
  if (!/x-www-form-urlencoded/i.test(type)) return null
  if (text !== '') return pairsOf(text)
  return fields?.map(({ name, value }) => [name, value]) ?? null
}

/** Parts of a multipart body; null where it is not written as it should be. */
function partsOf({ type, text, fields }: RecordedBody): FormPart[] | null {
  if (text === '') {
    return fields?.map((each) => ({ ...each, base64: null })) ?? null
  }
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1] ?? /^--([^\r\n]+)/.exec(text)?.[1]
  if (boundary === undefined) return null
  const pieces = `\r\n${text}`.split(`\r\n--${boundary}`)
  if (pieces.length < 3 || !pieces.at(-1)!.startsWith('--')) return null
  const parts = pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf('\r\n\r\n')
    const head = piece.slice(0, end)
    const name = /name="([^"]*)"/i.exec(head)?.[1]
    if (end === -1 || name === undefined) return null
    return {
      name,
      value: piece.slice(end + 4),
      fileName: /filename="([^"]*)"/i.exec(head)?.[1] ?? null,
      contentType: /^content-type:\s*(.+?)\s*$/im.exec(head)?.[1] ?? null,
      base64: null,
    }
  })
  return parts.every((part) => part !== null) ? parts : null
}
