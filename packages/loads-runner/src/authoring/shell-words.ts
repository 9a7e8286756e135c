import { UsageError } from '../errors.ts'

/**
 * Splits a text as a shell does: words, and where one command ends and the next begins (`;`, `&&`, `|`, a line end).
 * Knows '...', "...", $'...', backslashes and comments; variables and substitutions are not run and stay as they are.
 *
 * @throws {UsageError} a quote that does not end
 */
export function shellCommands(text: string): string[][] {
  const commands: string[][] = []
  let words: string[] = []
  let word: string | null = null
  const endWord = () => {
    if (word !== null) words.push(word)
    word = null
  }
  const endCommand = () => {
    endWord()
    if (words.length > 0) commands.push(words)
    words = []
  }
  for (let at = 0; at < text.length;) {
    const quoted = readQuoted(text, at)
    if (quoted !== null) {
      word = (word ?? '') + quoted.value
      at = quoted.end
      continue
    }
    const letter = text[at]!
    const pair = text.slice(at, at + 2)
    if (pair === '\\\n' || pair === '\\\r') at += text.startsWith('\\\r\n', at) ? 3 : 2
    else if (letter === '\\') {
      word = (word ?? '') + (text[at + 1] ?? '')
      at += 2
    } else if (/[;|&\n]/.test(letter)) {
      endCommand()
      at++
    } else if (/\s/.test(letter)) {
      endWord()
      at++
    } else if (letter === '#' && word === null) {
      const end = text.indexOf('\n', at)
      at = end === -1 ? text.length : end
    } else {
      word = (word ?? '') + letter
      at++
    }
  }
  endCommand()
  return commands
}

interface Quoted {
  value: string
  /** The place behind it. */
  end: number
}

function readQuoted(text: string, at: number): Quoted | null {
  if (text[at] === "'") {
    const end = text.indexOf("'", at + 1)
    if (end === -1) throw unended(text, at)
    return { value: text.slice(at + 1, end), end: end + 1 }
  }
  if (text[at] === '"') return readDouble(text, at)
  return text.startsWith("$'", at) ? readAnsi(text, at) : null
}

/** Within "..." a backslash counts before `$`, a backtick, `"`, itself and a line end only. */
function readDouble(text: string, start: number): Quoted {
  let value = ''
  for (let at = start + 1; at < text.length; at++) {
    const letter = text[at]!
    if (letter === '"') return { value, end: at + 1 }
    const next = text[at + 1] ?? ''
    if (letter !== '\\' || !/[$`"\\\n]/.test(next)) value += letter
    else {
      if (next !== '\n') value += next
      at++
    }
  }
  throw unended(text, start)
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  E: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** $'...' of bash, which browsers use for what has quotes or line ends in it. */
function readAnsi(text: string, start: number): Quoted {
  let value = ''
  for (let at = start + 2; at < text.length;) {
    const letter = text[at]!
    if (letter === "'") return { value, end: at + 1 }
    if (letter !== '\\') {
      value += letter
      at++
      continue
    }
    const code = /^\\(?:x([\da-f]{1,2})|u([\da-f]{1,4})|U([\da-f]{1,8})|([0-7]{1,3}))/i.exec(
      text.slice(at, at + 12),
    )
    if (code !== null) {
      const number =
        code[4] === undefined ? parseInt(code[1] ?? code[2] ?? code[3]!, 16) : parseInt(code[4], 8)
      value += number <= 0x10ffff ? String.fromCodePoint(number) : ''
      at += code[0].length
      continue
    }
    const next = text[at + 1] ?? ''
    value += escapes[next] ?? (/["'\\?]/.test(next) ? next : `\\${next}`)
    at += 2
  }
  throw unended(text, start)
}

function unended(text: string, at: number): UsageError {
  return new UsageError(`curl: the quote at ${JSON.stringify(text.slice(at, at + 20))} does not end`)
}
