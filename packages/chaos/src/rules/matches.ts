import type { Match } from './match.ts'
import type { Unit } from './decider.ts'

/** Whether all that a match names holds of a unit. */
export function matches(match: Match, { client, request }: Pick<Unit, 'client' | 'request'>): boolean {
  if (match.client !== undefined && !isLike(match.client, client)) return false
  if (
    match.verb === undefined &&
    match.path === undefined &&
    match.header === undefined &&
    match.text === undefined
  )
    return true
  if (request === null) return false
  if (match.verb !== undefined) {
    const { verb } = request
    if (verb === null || !match.verb.some((each) => each.toUpperCase() === verb)) return false
  }
  if (match.path !== undefined && (request.path === null || !isLike(match.path, request.path))) return false
  if (match.text !== undefined && (request.text === null || !isLike(match.text, request.text))) return false
  for (const [name, wanted] of Object.entries(match.header ?? {})) {
    const value = request.header(name.toLowerCase())
    if (value === undefined || !isLike(wanted, value)) return false
  }
  return true
}

/** Whether a text is as a pattern says, in which `*` stands for any text. */
function isLike(pattern: string, text: string): boolean {
  const [first, ...parts] = pattern.split('*') as [string, ...string[]]
  const last = parts.pop()
  if (last === undefined) return text === pattern
  if (!text.startsWith(first)) return false
  // The first place for each part is the best: no other leaves more room for the rest.
  let at = first.length
  for (const part of parts) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
