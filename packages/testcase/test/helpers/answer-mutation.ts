/** A source of numbers from 0 up to (not including) `below`. */
export type Pick = (below: number) => number

const statusLines = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 301',
  'HTTP/1.1 500 ',
]
const headers = [
  'Content-Type: text/plain',
  'Date: Sat, 21 Nov 2026 03:58:00 GMT',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: Keep-Alive, x',
  'Set-Cookie: a=b; Path=/',
  'X-Empty:',
  'x-blank: \t a b \t',
  'Keep-Alive: timeout=5',
  'X-High: \xe9\xa0',
  'Server: nginx/1.22',
]
const informational = [
  '',
  '',
  '',
  '',
  'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n',
  'HTTP/1.1 102 Processing\r\n\r\n',
]
const noise = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '9',
  'f',
  '"',
  '\\',
  '\0',
  '\x7f',
  '\xff',
  'x',
  '-',
]
const lines = [
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip\r\n',
  ' folded\r\n',
  'Connection: close\r\n',
  'HTTP/1.1 200 OK\r\n',
  '0\r\n\r\n',
]

/** A valid answer of any kind, as latin1 text. */
export function makeAnswer(pick: Pick): string {
  const one = <T>(list: readonly T[]): T => list[pick(list.length)]!
  const list = Array.from({ length: pick(5) }, () => one(headers))
  const body = 'abcdefgh\r\n'.repeat(pick(4)) + 'x'.repeat(pick(20))
  const kind = pick(4)
  let tail = ''
  if (kind === 0 || kind === 3) {
    list.splice(pick(list.length + 1), 0, `Content-Length: ${body.length}`)
    tail = body
  } else if (kind === 1) {
    list.splice(
      pick(list.length + 1),
      0,
      one(['Transfer-Encoding: chunked', 'transfer-encoding: gzip, Chunked']),
    )
    for (let at = 0; at < body.length;) {
      const size = 1 + pick(body.length - at)
      const digits = pick(2) === 0 ? size.toString(16) : size.toString(16).toUpperCase().padStart(4, '0')
      tail += `${digits}${one(['', '', ';a', ';a=b;c="d;e"'])}\r\n${body.slice(at, at + size)}\r\n`
      at += size
    }
    tail += `0\r\n${one(['', '', 'X-Trailer: y\r\n', 'A: b\r\nC: d\r\n'])}\r\n`
  } else tail = body
  return `${one(informational)}${one(statusLines)}\r\n${list.map((line) => `${line}\r\n`).join('')}\r\n${tail}`
}

/** The same with a few wounds. */
export function mutate(text: string, pick: Pick): string {
  let mutated = text
  for (let count = pick(4); count > 0; count--) {
    const at = pick(mutated.length + 1)
    const [before, after] = [mutated.slice(0, at), mutated.slice(at)]
    const much = 1 + pick(6)
    switch (pick(6)) {
      case 0:
        mutated = before + noise[pick(noise.length)]! + after
        break
      case 1:
        mutated = before + after.slice(much)
        break
      case 2:
        mutated = before + noise[pick(noise.length)]! + after.slice(1)
        break
      case 3: {
        // Beside the lines there are.
        const line = mutated.indexOf('\n', at) + 1
        mutated = mutated.slice(0, line) + lines[pick(lines.length)]! + mutated.slice(line)
        break
      }
      case 4:
        mutated = before + after.slice(0, much).repeat(2) + after.slice(much)
        break
      default:
        mutated = before
    }
  }
  return mutated
}
