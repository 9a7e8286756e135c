import { UsageError } from '../errors.ts'
import { Node, parseJson } from './input-file.ts'
import { isAsset } from './recorded.ts'
import type { Recorded, RecordedBody } from './recorded.ts'

/** What a HAR 1.2 file (the "save all as HAR" of a browser) has recorded, in the order of its start. */
export interface Har {
  requests: Recorded[]
  /** Entries that are no HTTP requests: WebSockets, `data:` and `blob:` URLs. */
  others: number
}

/** Longest JSON answer in which ids are looked for, in characters. */
const longestAnswer = 4 * 1024 * 1024

/**
 * @throws {UsageError} no HAR; names file and place
 */
export function readHar(text: string, file: string): Har {
  const log = new Node(parseJson(text, file), file).at('log')
  if (log.missing) throw new UsageError(`${file}: has no "log": a HAR file begins with { "log": { ... } }`)
  const pages = new Map(
    log
      .at('pages')
      .items()
      .map((page) => [page.at('id').textOr(''), page.at('title').textOr('')]),
  )
  const entries = log.at('entries')
  if (entries.missing) entries.fail('is missing: there is nothing to import')
  const requests: Recorded[] = []
  let others = 0
  for (const entry of entries.items()) {
    const url = entry.at('request').at('url').text()
    if (!/^https?:/i.test(url)) others++
    else requests.push(requestOf(entry, url, pages))
  }
  if (requests.every(({ startedAt }) => startedAt !== null))
    requests.sort((one, other) => one.startedAt! - other.startedAt!)
  return { requests, others }
}

function requestOf(entry: Node, address: string, pages: ReadonlyMap<string, string>): Recorded {
  const request = entry.at('request')
  const response = entry.at('response')
  if (!URL.canParse(address)) request.at('url').fail(`"${address}" is no URL`)
  const url = new URL(address)
  url.hash = ''
  const credentials = takeCredentials(url)
  const method = request.at('method').text().toUpperCase()
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) request.at('method').fail(`"${method}" is no method`)
  const headers = [...credentials, ...pairsIn(request.at('headers'))]
  const answerHeaders = response.missing ? [] : pairsIn(response.at('headers'))
  const content = response.missing ? null : response.at('content')
  const responseType = content === null || content.missing ? '' : content.at('mimeType').textOr('')
  const resource = entry.at('_resourceType').value
  const startedAt = Date.parse(entry.at('startedDateTime').textOr(''))
  return {
    method,
    url: url.href,
    headers,
    body: bodyOf(request.at('postData')),
    status: response.missing ? 0 : response.at('status').numberOr(0),
    location: headerIn(answerHeaders, 'location') ?? redirectOf(response),
    responseType,
    json: content === null || content.missing ? null : jsonText(content, responseType),
    setsCookies: answerHeaders.filter(([name]) => name.toLowerCase() === 'set-cookie').flatMap(cookieNames),
    startedAt: Number.isNaN(startedAt) ? null : startedAt,
    durationMs: Math.max(0, entry.at('time').numberOr(0)),
    page: pages.get(entry.at('pageref').textOr('')) ?? '',
    asset: resource === 'preflight' || isAsset(url.href, responseType),
  }
}

/** Credentials in a URL are a header to the server. */
export function takeCredentials(url: URL): [string, string][] {
  const { username, password } = url
  if (username === '' && password === '') return []
  url.username = ''
  url.password = ''
  const pair = `${plain(username)}:${plain(password)}`
  return [['authorization', `Basic ${Buffer.from(pair).toString('base64')}`]]
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function redirectOf(response: Node): string | null {
  return response.missing ? null : response.at('redirectURL').textOr('') || null
}

function pairsIn(list: Node): [string, string][] {
  return list.items().map((pair) => [pair.at('name').text(), pair.at('value').textOr('')])
}

function headerIn(headers: readonly (readonly [string, string])[], wanted: string): string | null {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? null
}

/** Some recorders join several with line ends. */
function cookieNames([, value]: readonly [string, string]): string[] {
  return value.split('\n').map((cookie) => cookie.split('=')[0]!.trim())
}

function bodyOf(postData: Node): RecordedBody | null {
  if (postData.missing) return null
  const fields = postData
    .at('params')
    .items()
    .map((field) => ({
      name: field.at('name').text(),
      value: field.at('value').textOr(''),
      fileName: field.at('fileName').textOr('') || null,
      contentType: field.at('contentType').textOr('') || null,
    }))
  const text = postData.at('text').textOr('')
  if (text === '' && fields.length === 0) return null
  return {
    type: postData.at('mimeType').textOr(''),
    text,
    base64: postData.at('encoding').value === 'base64',
    fields: fields.length === 0 ? null : fields,
  }
}

function jsonText(content: Node, type: string): string | null {
  const text = content.at('text').textOr('')
  if (text === '' || text.length > longestAnswer || !/[/+]json\b/i.test(type)) return null
  return content.at('encoding').value === 'base64' ? Buffer.from(text, 'base64').toString() : text
}
