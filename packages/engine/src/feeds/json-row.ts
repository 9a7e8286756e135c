import type { FeedRow } from '@loads-runner/testcase'

/**
 * A row of text from the text of a JSON object: numbers and booleans as they are written in JavaScript, null as '',
 * what is nested as JSON.
 *
 * @throws {Error} with the reason alone
 */
export function parseJsonRow(row: Buffer): FeedRow {
  const value: unknown = JSON.parse(row.toString())
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('a row must be an object: {"name": "value", ...}')
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, textOf(each)]))
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value as number | boolean)
}
