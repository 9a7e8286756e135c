const mark = 'warning: '

/** The line on standard error by which the process of a run's proxies tells its console what the user should know. */
export function warningLine(text: string): string {
  return `${mark}${text.replaceAll('\n', ' ')}\n`
}

/** Null: another line. */
export function readWarning(line: string): string | null {
  return line.startsWith(mark) ? line.slice(mark.length) : null
}
