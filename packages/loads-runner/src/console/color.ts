import { styleText } from 'node:util'
import type { World } from '../world.ts'

type Style = Parameters<typeof styleText>[0]

/** What catches the eye in a summary: the first rule that fits a line says how it looks. */
const rules: [RegExp, Style][] = [
  [/^Verdict: passed/, ['bold', 'green']],
  [/^Verdict: /, ['bold', 'red']],
  [/^(Errors|Failures): (?!0$)/, ['bold', 'red']],
  [/^(Hits|Success): /, ['bold']],
  [/^(Coverage|warning): /, ['yellow']],
  [/^[A-Z][\w ]*:$/, ['bold']],
]

/** A text with colors, where the stream is a terminal that wants them (see https://no-color.org). */
export function inColor(text: string, stream: World['stdout'], env: World['env']): string {
  if (!stream.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return text
  return text
    .split('\n')
    .map((line) => {
      const rule = rules.find(([pattern]) => pattern.test(line))
      // Which stream it is for is decided above, and it need not be standard output.
      return rule === undefined ? line : styleText(rule[1], line, { validateStream: false })
    })
    .join('\n')
}
