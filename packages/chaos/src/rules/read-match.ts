import type { Match } from './match.ts'

const texts = ['path', 'text', 'client'] as const

/** Reads a match as it was written; undefined when it is none. */
export function readMatch(value: unknown): Match | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const match: { -readonly [K in keyof Match]: Match[K] } = {}
  for (const [key, part] of Object.entries(value as Record<string, unknown>)) {
    if (key === 'verb' || key === 'method' || key === 'command') {
      const verbs = typeof part === 'string' ? part.split(',').map((each) => each.trim()) : part
      if (!Array.isArray(verbs) || verbs.length === 0 || !verbs.every(isText)) return undefined
      match.verb = verbs
    } else if (key === 'header') {
      if (typeof part !== 'object' || part === null || !Object.values(part).every(isText)) return undefined
      match.header = part as Record<string, string>
    } else {
      const known = texts.find((each) => each === key)
      if (known === undefined || !isText(part)) return undefined
      match[known] = part
    }
  }
  return Object.keys(match).length === 0 ? undefined : match
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 1000
}
