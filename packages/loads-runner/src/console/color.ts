import { styleText } from 'node:util'
import type { World } from '../world.ts'

type Style = Parameters<typeof styleText>[0]

/** What catches the eye in a summary: the first rule that fits a line says how it looks. */
const rules: [RegExp, Style][] = [
  [/^Verdict: passed/, ['bold', 'green']],
  [/^Verdict: /, ['bold', 'red']],
  [/^(Errors|Failures): (?!0$)/, ['bold', 'red']],
  [/^(Hits|Success): /, ['bold']],
  [/^(Coverage|Doubtful|Warm-up|warning): /, ['yellow']],
  [/^Schedule: .*\b[1-9][\d,]* dropped/, ['bold', 'red']],
  [/^ {2}✗ /, ['red']],
  [/^ {2}✓ /, ['green']],
  [/^[A-Z][\w ]*:$/, ['bold']],
]

/** Is the stream a terminal that wants colors? See https://no-color.org. */
export function wantsColor(stream: Pick<World['stdout'], 'isTTY'>, env: World['env']): boolean {
  return stream.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** A text with colors, where the stream is a terminal that wants them. */
export function inColor(text: string, stream: World['stdout'], env: World['env']): string {
  if (!wantsColor(stream, env)) return text
  return text
    .split('\n')
    .map((line) => {
      const rule = rules.find(([pattern]) => pattern.test(line))
      // Which stream it is for is decided above, and it need not be standard output.
      return rule === undefined ? line : styleText(rule[1], line, { validateStream: false })
    })
    .join('\n')
}
