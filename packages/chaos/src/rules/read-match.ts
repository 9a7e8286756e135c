import type { Match } from './match.ts'

/** Verbs, or headers, of one match. */
const most = 100

const texts = ['path', 'text', 'client'] as const

/**
 * Reads a match as it was written; undefined when it is none. Where there are only texts, it is one:
 * `verb=GET,HEAD path=/users/* header.accept=*json*`.
 */
export function readMatch(written: unknown): Match | undefined {
  const value = typeof written === 'string' ? partsOf(written) : written
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const match: { -readonly [K in keyof Match]: Match[K] } = {}
  for (const [key, part] of Object.entries(value as Record<string, unknown>)) {
    if (key === 'verb' || key === 'method' || key === 'command') {
      const verbs = typeof part === 'string' ? part.split(',').map((each) => each.trim()) : part
      if (!Array.isArray(verbs) || verbs.length === 0 || verbs.length > most || !verbs.every(isText))
        return undefined
      match.verb = verbs
    } else if (key === 'header') {
      if (typeof part !== 'object' || part === null || Array.isArray(part)) return undefined
      const values = Object.values(part)
      if (values.length > most || !values.every(isText)) return undefined
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

function partsOf(written: string): Record<string, unknown> | undefined {
  const parts: Record<string, unknown> = {}
  const header: Record<string, string> = {}
  for (const part of written.trim().split(/\s+/)) {
    const [, key, text] = /^([^=]+)=(.*)$/.exec(part) ?? []
    if (key === undefined || text === undefined) return undefined
    if (key.startsWith('header.')) header[key.slice('header.'.length)] = text
    else parts[key] = text
  }
  return Object.keys(header).length === 0 ? parts : { ...parts, header }
}
