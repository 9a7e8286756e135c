import { UsageError } from '../errors.ts'
import { suggestion } from '../option-table.ts'

/** What a curl command says, before it is a request. */
export interface CurlCommand {
  urls: string[]
  flags: [name: string, value: string][]
}

/** Long names by short ones. */
const shortNames: Readonly<Record<string, string>> = {
  X: 'request',
  H: 'header',
  d: 'data',
  F: 'form',
  u: 'user',
  b: 'cookie',
  c: 'cookie-jar',
  k: 'insecure',
  G: 'get',
  I: 'head',
  L: 'location',
  A: 'user-agent',
  e: 'referer',
  m: 'max-time',
  x: 'proxy',
  s: 'silent',
  S: 'show-error',
  v: 'verbose',
  i: 'include',
  f: 'fail',
  o: 'output',
  O: 'remote-name',
  w: 'write-out',
  N: 'no-buffer',
  '#': 'progress-bar',
  g: 'globoff',
  '0': 'http1.0',
  '4': 'ipv4',
  '6': 'ipv6',
}

const withValue = new Set(
  (
    'request header data data-ascii data-raw data-binary data-urlencode form form-string user cookie user-agent ' +
    'referer json url url-query max-time oauth2-bearer ' +
    // These say how curl behaves, not what it sends.
    'cookie-jar connect-timeout output write-out proxy retry retry-delay retry-max-time max-redirs cacert ' +
    'limit-rate speed-limit speed-time keepalive-time stderr'
  ).split(' '),
)

const without = new Set(
  (
    'insecure get head location basic ' +
    'compressed silent show-error verbose include fail fail-with-body no-buffer progress-bar globoff http1.0 http1.1 ' +
    'http2 http2-prior-knowledge http3 ipv4 ipv6 remote-name path-as-is no-progress-meter tcp-nodelay ' +
    'retry-all-errors retry-connrefused no-keepalive tlsv1.2 tlsv1.3 post301 post302 post303 location-trusted'
  ).split(' '),
)

/**
 * Reads the flags of one curl command, its name left out.
 *
 * @throws {UsageError} flags that are not known, all of them at once, or without their value
 */
export function readCurlFlags(words: readonly string[]): CurlCommand {
  const command: CurlCommand = { urls: [], flags: [] }
  const unknown: string[] = []
  const problems: string[] = []
  const rest = [...words]
  const take = (flag: string): string => {
    const value = rest.shift()
    if (value === undefined) problems.push(`curl: ${flag} needs a value`)
    return value ?? ''
  }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith('--') && word !== '--') {
      const name = word.slice(2)
      if (withValue.has(name)) command.flags.push([name, take(word)])
      else if (without.has(name)) command.flags.push([name, ''])
      else if (!name.startsWith('no-') || !without.has(name.slice(3))) unknown.push(word)
      continue
    }
    if (!word.startsWith('-') || word === '-' || word === '--') {
      if (word !== '--') command.urls.push(word)
      continue
    }
    // Several letters in one word; the value of the last may follow at once: -sSXPOST.
    for (let at = 1; at < word.length; at++) {
      const name = shortNames[word[at]!]
      if (name === undefined) {
        unknown.push(`-${word[at]}`)
        break
      }
      if (without.has(name)) command.flags.push([name, ''])
      else {
        command.flags.push([name, at + 1 < word.length ? word.slice(at + 1) : take(`-${word[at]}`)])
        break
      }
    }
  }
  const names = [...withValue, ...without].map((name) => `--${name}`)
  for (const flag of unknown)
    problems.push(
      `curl: flag ${flag} is not known here${flag.startsWith('--') ? suggestion(flag, names) : ''}`,
    )
  if (problems.length > 0) throw new UsageError(problems)
  return command
}
