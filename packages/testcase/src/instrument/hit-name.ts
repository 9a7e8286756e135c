const id = /^(?:\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i

/**
 * What a request is called that tells no template of its own: its path without query, where each segment that is all
 * digits, a UUID or at least 16 hexadecimal digits is `:id`. The origin stands in front where it is not the test's own.
 */
export function hitName(origin: string, path: string, ownOrigin: string | null): string {
  const end = path.search(/[?#]/)
  const folded = (end === -1 ? path : path.slice(0, end))
    .split('/')
    .map((segment) => (id.test(segment) ? ':id' : segment))
    .join('/')
  return origin === ownOrigin ? folded : origin + folded
}

/** Long statements are told apart by their beginning. */
const longestStatement = 120

/**
 * What a database statement is called: on one line, numbers and quoted texts as `?`, cut at 120 characters. Values that
 * are bound to it are never looked at.
 */
export function statementName(statement: string): string {
  // Far more than can be left of it, so that a huge statement costs no more than a small one.
  return statement
    .slice(0, 4000)
    .replace(/'(?:[^']|'')*'|(?<![\w$@:.])\d+(?:\.\d+)?\b/g, '?')
    .replace(/\(\s*\?(?:\s*,\s*\?)+\s*\)/g, '(?)')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, longestStatement)
}
