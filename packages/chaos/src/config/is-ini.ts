import { extname } from 'node:path'

/** Whether a file is INI: by its name, else by its first line that is no comment. */
export function isIni(text: string, file: string): boolean {
  const end = extname(file).toLowerCase()
  if (['.ini', '.cfg', '.conf', '.cnf'].includes(end)) return true
  if (['.yaml', '.yml', '.json'].includes(end)) return false
  const first = text.split(/\r\n|\n|\r/).find((line) => !/^\s*([;#]|$)/.test(line)) ?? ''
  // A list of JSON may begin with the same bracket, but not with a name in it that ends the line.
  return /^\s*\[[A-Za-z][\w:.-]*\]\s*([;#].*)?$/.test(first)
}
