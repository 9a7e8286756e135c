import {
  Code,
  Fields,
  isIdentifier,
  lineWidth,
  print,
  printFlat,
  stringLiteral,
  unsafe,
} from './expression.ts'
import type { Expression } from './expression.ts'
import type { Capture, FormPart, PlannedClass, PlannedModule, PlannedRequest } from './planned-test.ts'

export type Language = 'typescript' | 'javascript'

/** By the end of the name of the file. */
export function languageOf(file: string): Language {
  return /\.[cm]?js$/.test(file) ? 'javascript' : 'typescript'
}

const verbs = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options'])
const indent = 4
const margin = ' '.repeat(indent)

/** The text of a test module: idiomatic, formatted, and the same for the same plan. */
export function moduleText(plan: PlannedModule, language: Language = 'typescript'): string {
  const classes = plan.classes.map((each) => classText(each, language))
  const pauses = plan.classes.some(({ methods }) =>
    methods.some(({ requests }) => requests.some(({ pauseMs }) => pauseMs !== null)),
  )
  const imports = [
    ...(pauses ? ["import { setTimeout as sleep } from 'node:timers/promises'\n"] : []),
    "import { TestCase } from 'loads-runner'\n",
  ]
  const top = plan.comments.map((line) => commentLine(line, '')).join('')
  return `${top}${imports.join('')}\n${classes.join('\n')}`
}

function classText({ name, comments, serverUrl, methods }: PlannedClass, language: Language): string {
  const server = serverUrl === null ? [] : [`  static serverUrl = ${stringLiteral(serverUrl)}\n`]
  const bodies = methods.map(
    (method) =>
      `  async ${method.name}() {\n${method.requests.map((each) => requestText(each, language)).join('\n')}  }\n`,
  )
  const top = comments.map((line) => commentLine(line, '')).join('')
  return `${top}export class ${name} extends TestCase {\n${[...server, ...bodies].join('\n')}}\n`
}

/** A comment of one line, whatever is in the text. */
export function commentLine(text: string, blanks: string): string {
  // Line ends, and marks that make a line look like something else than it is.
  const clean = text.replaceAll(unsafe, ' ').trim()
  const short = clean.length > lineWidth ? `${clean.slice(0, lineWidth)}...`.replace(unsafe, ' ') : clean
  return `${blanks}// ${short}`.trimEnd() + '\n'
}

function requestText(request: PlannedRequest, language: Language): string {
  const { comments, pauseMs, body, expected, captures, variable } = request
  const lines = comments.map((line) => commentLine(line, margin))
  if (pauseMs !== null)
    lines.push(`${margin}await sleep(${Math.round(pauseMs)}, undefined, { signal: this.signal })\n`)
  if (body?.type === 'multipart') lines.push(...formLines(body.variable, body.parts))
  const named = expected !== null || captures.length > 0
  lines.push(callText(request, `${margin}${named ? `const ${variable} = ` : ''}await this.session.`))
  if (expected === 'ok') lines.push(`${margin}this.assertTrue(${variable}.ok)\n`)
  else if (expected !== null) lines.push(`${margin}this.assertEqual(${variable}.status, ${expected})\n`)
  for (const capture of captures) lines.push(captureText(capture, variable, language))
  return lines.join('')
}

function callText(request: PlannedRequest, start: string): string {
  const method = request.method.toLowerCase()
  const first = verbs.has(method) ? [] : [stringLiteral(request.method)]
  const head = `${start}${verbs.has(method) ? method : 'request'}(`
  const words = [...first, stringLiteral(request.url)]
  const options = optionsOf(request)
  const flat = printFlat(options)
  const one = [...words, ...(options.entries.length === 0 ? [] : [flat])]
  if (!one.includes(null) && head.length + one.join(', ').length + 1 <= lineWidth)
    return `${head}${one.join(', ')})\n`
  const hugged = `${head}${words.join(', ')}, `
  if (options.entries.length > 0 && hugged.length + 1 <= lineWidth)
    return `${hugged}${print(options, indent, lineWidth)})\n`
  const inner = ' '.repeat(indent + 2)
  const args = [...words, ...(options.entries.length === 0 ? [] : [print(options, indent + 2, indent + 2)])]
  return `${head}\n${args.map((each) => `${inner}${each},\n`).join('')}${margin})\n`
}

function optionsOf({ params, query, headers, auth, body, expected }: PlannedRequest): Fields {
  const entries: [string, Expression][] = []
  if (params.entries.length > 0) entries.push(['params', params])
  if (query.entries.length > 0) entries.push(['query', query])
  if (headers.entries.length > 0) entries.push(['headers', headers])
  if (auth !== null) entries.push(['auth', auth])
  if (body?.type === 'json' || body?.type === 'form') entries.push([body.type, body.value])
  if (body?.type === 'text') entries.push(['body', body.value])
  if (body?.type === 'bytes') entries.push(['body', bytesCode(body.base64)])
  if (body?.type === 'multipart') entries.push(['multipart', new Code(body.variable)])
  // It is what the test expects, so its hit is no failure.
  if (typeof expected === 'number' && expected >= 400) entries.push(['status', expected])
  return new Fields(entries)
}

function bytesCode(base64: string): Code {
  return new Code(`Buffer.from(${stringLiteral(base64)}, 'base64')`)
}

function formLines(variable: string, parts: readonly FormPart[]): string[] {
  const lines = parts.map(({ name, value, fileName, contentType, base64 }) => {
    const args: Expression[] = [name]
    if (fileName === null && contentType === null && base64 === null) args.push(value)
    else {
      const content = base64 === null ? printFlat(value)! : bytesCode(base64).text
      const type = contentType === null ? '' : `, { type: ${stringLiteral(contentType)} }`
      args.push(new Code(`new Blob([${content}]${type})`))
      args.push(fileName ?? 'blob')
    }
    return appendText(
      variable,
      args.map((each) => printFlat(each)!),
    )
  })
  return [`${margin}const ${variable} = new FormData()\n`, ...lines]
}

function appendText(variable: string, args: readonly string[]): string {
  const head = `${margin}${variable}.append(`
  if (head.length + args.join(', ').length + 1 <= lineWidth) return `${head}${args.join(', ')})\n`
  return `${head}\n${args.map((each) => `${margin}  ${each},\n`).join('')}${margin})\n`
}

function captureText({ variable, path, type }: Capture, answer: string, language: Language): string {
  const places = path.map((part) =>
    typeof part === 'number' ? `[${part}]` : isIdentifier(part) ? `.${part}` : `[${stringLiteral(part)}]`,
  )
  const plain = `${margin}const ${variable.text} = ${answer}.json`
  if (language === 'javascript') return `${plain}()${places.join('')}\n`
  // What a list holds at a place may be missing, as far as the compiler knows.
  const typed = path.map((part, index) => (typeof part === 'number' ? `${places[index]!}!` : places[index]!))
  const line = `${plain}<${typeOf(path, type)}>()${typed.join('')}\n`
  return line.length - 1 <= lineWidth ? line : `${plain}<any>()${places.join('')}\n`
}

/** `{ data: { id: number }[] }` */
function typeOf(path: readonly (string | number)[], type: string): string {
  return path.reduceRight<string>((inner, part) => {
    if (typeof part === 'number') return `${inner}[]`
    return `{ ${isIdentifier(part) ? part : stringLiteral(part)}: ${inner} }`
  }, type)
}
