import { basename } from 'node:path'
import { UsageError } from '../errors.ts'
import { readCurlFlags } from './curl-flags.ts'
import type { CurlCommand } from './curl-flags.ts'
import { takeCredentials } from './har.ts'
import type { Recorded, RecordedBody, RecordedField } from './recorded.ts'
import { shellCommands } from './shell-words.ts'

/** Reads a file that a command sends. */
export type ReadFile = (file: string) => Promise<Buffer>

export interface CurlRequests {
  requests: Recorded[]
  /** What the user should know: a sentence each. */
  warnings: string[]
}

/**
 * The requests of one or more curl commands, as they are typed or as a browser copies them.
 *
 * @throws {UsageError} not curl, unknown flags, no URL, a file that cannot be read
 */
export async function readCurl(text: string, readFile: ReadFile): Promise<CurlRequests> {
  const result: CurlRequests = { requests: [], warnings: [] }
  for (const [name, ...words] of shellCommands(text)) {
    // On Windows a browser writes curl.exe; a prompt may have been copied, too.
    const isPrompt = name === '$' || name === '%'
    const program = isPrompt ? words.shift() : name
    if (!/^(?:.*[/\\])?curl(?:\.exe)?$/.test(program ?? ''))
      throw new UsageError(`curl: the command begins with ${JSON.stringify(program ?? '')}, not with curl`)
    for (const part of splitAtNext(words)) await addRequests(readCurlFlags(part), readFile, result)
  }
  if (result.requests.length === 0)
    throw new UsageError("curl: there is no command: loads import curl 'curl ...'")
  result.warnings = [...new Set(result.warnings)]
  return result
}

/** `--next` begins another request of the same command. */
function splitAtNext(words: readonly string[]): string[][] {
  const parts: string[][] = [[]]
  for (const word of words) {
    if (word === '--next' || word === '-:') parts.push([])
    else parts.at(-1)!.push(word)
  }
  return parts
}

async function addRequests(command: CurlCommand, readFile: ReadFile, result: CurlRequests): Promise<void> {
  const flags = new Flags(command.flags)
  const addresses = [...command.urls, ...flags.all('url')]
  if (addresses.length === 0) throw new UsageError('curl: the command has no URL')
  if (flags.has('insecure')) result.warnings.push('curl -k: run the test with --insecure')
  const { proxy, 'max-time': maxTime } = { proxy: flags.last('proxy'), 'max-time': flags.last('max-time') }
  if (proxy !== null) result.warnings.push(`curl -x: run the test with --proxy ${proxy}`)
  if (maxTime !== null) result.warnings.push(`curl -m: run the test with --timeout ${maxTime}`)
  const data = await dataOf(command, readFile)
  const form = await formOf(command, readFile)
  if (data !== null && form !== null)
    throw new UsageError('curl: -d and -F exclude each other: a request has one body')
  for (const address of addresses) {
    const url = urlOf(address)
    const headers: [string, string][] = [...takeCredentials(url), ...headersOf(flags)]
    for (const query of flags.all('url-query')) url.search += `${url.search === '' ? '' : '&'}${query}`
    const inQuery = flags.has('get') && data !== null
    if (inQuery) url.search += `${url.search === '' ? '' : '&'}${data.text}`
    const body = inQuery ? null : bodyOf(data, form, headers, flags.has('json'))
    const implied = flags.has('head') ? 'HEAD' : body === null ? 'GET' : 'POST'
    const method = (flags.last('request') ?? implied).toUpperCase()
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) throw new UsageError(`curl: -X ${method} is no method`)
    result.requests.push(recorded(method, url, headers, body))
  }
}

class Flags {
  readonly #flags: CurlCommand['flags']

  constructor(flags: CurlCommand['flags']) {
    this.#flags = flags
  }

  has(name: string): boolean {
    return this.#flags.some(([each]) => each === name)
  }

  all(name: string): string[] {
    return this.#flags.filter(([each]) => each === name).map(([, value]) => value)
  }

  last(name: string): string | null {
    return this.all(name).at(-1) ?? null
  }
}

function urlOf(text: string): URL {
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(address)) throw new UsageError(`curl: ${JSON.stringify(text)} is no URL`)
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new UsageError(`curl: ${JSON.stringify(text)}: only http and https can be tested`)
  url.hash = ''
  return url
}

function headersOf(flags: Flags): [string, string][] {
  const headers: [string, string][] = flags.all('header').flatMap((line): [string, string][] => {
    const at = line.indexOf(':')
    // `-H 'Name;'` sends it empty, `-H 'Name:'` takes it away.
    if (at === -1) return line.endsWith(';') ? [[line.slice(0, -1), '']] : []
    const value = line.slice(at + 1).trim()
    return value === '' ? [] : [[line.slice(0, at).trim(), value]]
  })
  const user = flags.last('user')
  if (user !== null) {
    const pair = user.includes(':') ? user : `${user}:`
    headers.push(['authorization', `Basic ${Buffer.from(pair).toString('base64')}`])
  }
  const bearer = flags.last('oauth2-bearer')
  if (bearer !== null) headers.push(['authorization', `Bearer ${bearer}`])
  const cookies = flags.all('cookie')
  const file = cookies.find((cookie) => !cookie.includes('='))
  if (file !== undefined)
    throw new UsageError(
      `curl: -b ${file} is a file of cookies: give the cookies themselves (-b 'name=value')`,
    )
  if (cookies.length > 0) headers.push(['cookie', cookies.join('; ')])
  return headers
}

interface Data {
  text: string
  binary: Buffer | null
}

const dataFlags = new Set(['data', 'data-ascii', 'data-raw', 'data-binary', 'data-urlencode', 'json'])

/** All data flags in their order: joined by `&`, those of --json as they are. */
async function dataOf({ flags }: CurlCommand, readFile: ReadFile): Promise<Data | null> {
  const pieces: Buffer[] = []
  let json = false
  for (const [name, value] of flags.filter(([each]) => dataFlags.has(each))) {
    json ||= name === 'json'
    if (name === 'data-urlencode') pieces.push(Buffer.from(await urlEncoded(value, readFile)))
    else if (name === 'data-raw' || !value.startsWith('@')) pieces.push(Buffer.from(value))
    else {
      const content = await readFile(value.slice(1))
      const asText = name === 'data' || name === 'data-ascii'
      pieces.push(
        asText ? Buffer.from(content.toString('latin1').replaceAll(/[\r\n\0]/g, ''), 'latin1') : content,
      )
    }
  }
  if (pieces.length === 0) return null
  const glue = Buffer.from(json ? '' : '&')
  const bytes = Buffer.concat(pieces.flatMap((piece, index) => (index === 0 ? [piece] : [glue, piece])))
  const text = bytes.toString('utf8')
  return { text, binary: Buffer.from(text).equals(bytes) ? null : bytes }
}

/** `content`, `=content`, `name=content`, `@file`, `name@file`. */
async function urlEncoded(value: string, readFile: ReadFile): Promise<string> {
  const [, name = '', mark = '', rest = ''] = /^([^=@]*)([=@])([^]*)$/.exec(value) ?? ['', '', '=', value]
  const content = mark === '@' ? (await readFile(rest)).toString('utf8') : rest
  return `${name === '' ? '' : `${name}=`}${encodeURIComponent(content)}`
}

async function formOf({ flags }: CurlCommand, readFile: ReadFile): Promise<RecordedField[] | null> {
  const fields: RecordedField[] = []
  for (const [flag, text] of flags) {
    if (flag !== 'form' && flag !== 'form-string') continue
    const at = text.indexOf('=')
    if (at < 1) throw new UsageError(`curl: -F ${JSON.stringify(text)} must be name=value`)
    const name = text.slice(0, at)
    const value = text.slice(at + 1)
    if (flag === 'form-string' || !/^[@<]/.test(value)) {
      const [, plain = value, type = null] =
        flag === 'form' ? (/^([^]*?);type=([^;]+)$/.exec(value) ?? []) : []
      fields.push({ name, value: plain, fileName: null, contentType: type })
      continue
    }
    const [file = '', ...parameters] = value.slice(1).split(';')
    const given = (key: string) =>
      parameters
        .find((each) => each.trim().startsWith(`${key}=`))
        ?.split('=')
        .slice(1)
        .join('=')
        .replaceAll('"', '')
    const content = await readFile(file)
    const plain = content.toString('utf8')
    if (!Buffer.from(plain).equals(content))
      throw new UsageError(
        `curl: -F ${name}=${value[0]}${file}: a file that is no text cannot be written into a test`,
      )
    const fileName = value.startsWith('@') ? (given('filename') ?? basename(file)) : null
    fields.push({ name, value: plain, fileName, contentType: given('type') ?? null })
  }
  return fields.length === 0 ? null : fields
}

function bodyOf(
  data: Data | null,
  form: RecordedField[] | null,
  headers: [string, string][],
  json: boolean,
): RecordedBody | null {
  if (form !== null) return { type: 'multipart/form-data', text: '', base64: false, fields: form }
  if (data === null) return null
  const given = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  const type = given ?? (json ? 'application/json' : 'application/x-www-form-urlencoded')
  if (given === undefined) headers.push(['content-type', type])
  if (json && !headers.some(([name]) => name.toLowerCase() === 'accept'))
    headers.push(['accept', 'application/json'])
  const { text, binary } = data
  if (binary !== null) return { type, text: binary.toString('base64'), base64: true, fields: null }
  return { type, text, base64: false, fields: null }
}

function recorded(
  method: string,
  url: URL,
  headers: readonly [string, string][],
  body: RecordedBody | null,
): Recorded {
  return {
    method,
    url: url.href,
    headers,
    body,
    status: 0,
    location: null,
    responseType: '',
    json: null,
    setsCookies: [],
    startedAt: null,
    durationMs: 0,
    page: '',
    asset: false,
  }
}
