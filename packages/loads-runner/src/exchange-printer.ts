import { observeExchanges } from '@loads-runner/testcase'
import type { Exchange } from '@loads-runner/testcase'
import { formatBytes, formatMillis } from './console/figures.ts'

/** Of a body so many characters are shown. */
const mostCharacters = 2000
/** What their values open is nobody's business who looks over the shoulder. */
const secretHeader =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|.*(?:api-?key|token|secret).*)$/i

/** Prints each request of a single user and what came of it, for `--verbose`. */
export class ExchangePrinter {
  /** Shows what happens in this thread from now on. */
  static start(write: (text: string) => void): ExchangePrinter {
    observeExchanges((exchange) => write(exchangeText(exchange)))
    return new ExchangePrinter()
  }

  stop(): void {
    observeExchanges(null)
  }
}

export function exchangeText(exchange: Exchange): string {
  const { executionId, method, url, requestHeaders, requestBody, response, error } = exchange
  const sent = [...pairsOf(requestHeaders)].map(headerLine('>'))
  const lines = [
    `> ${method} ${plain(url)}  (${plain(executionId)})`,
    ...sent,
    ...bodyLines('>', requestBody),
  ]
  if (error !== null) lines.push(`! ${error.class}: ${plain(error.message)}`)
  if (response !== null) {
    lines.push(
      `< ${response.status} in ${formatMillis(response.elapsed)}, ${formatBytes(response.bytesIn)}`,
      ...response.headers.map(headerLine('<')),
      ...bodyLines('<', response.body),
    )
  }
  return `${lines.join('\n')}\n\n`
}

function headerLine(mark: string) {
  return ([name, value]: readonly [string, string]) =>
    `${mark} ${plain(name)}: ${secretHeader.test(name) ? '[redacted]' : plain(value)}`
}

function* pairsOf(list: readonly string[]): Iterable<readonly [string, string]> {
  for (let index = 0; index + 1 < list.length; index += 2) yield [list[index]!, list[index + 1]!]
}

function bodyLines(mark: string, body: string | Uint8Array | null): string[] {
  if (body === null || body.length === 0) return []
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const text = textOf(bytes.subarray(0, mostCharacters * 4))
  if (text === null) return [mark, `${mark} ${formatBytes(bytes.length)} that are no text`]
  const shown = text.slice(0, mostCharacters)
  const rest = bytes.length - Buffer.byteLength(shown)
  return [
    mark,
    ...shown.split(/\r?\n/).map((line) => `${mark} ${plain(line)}`),
    ...(rest > 0 ? [`${mark} ... ${formatBytes(rest)} more`] : []),
  ]
}

/** Null for what is no text. A cut within a character is none. */
function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('utf8').replace(/\ufffd{1,3}$/, '')
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u0008\u000e-\u001f]|\ufffd/.test(text) ? null : text
}

/** What a server sends must not move the cursor. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ' ')
}
