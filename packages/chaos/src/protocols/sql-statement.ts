/** What a statement is called: its first word, and the table if that stands plainly at its place. */
export interface StatementName {
  /** Upper case; QUERY where the statement begins with no word. */
  verb: string
  /** `SELECT users`: never a value, since those may be secrets. */
  label: string
}

const name = String.raw`[\w$.\x60"]{1,60}`

/** Where a table stands. Nothing in quotes may come before it, lest a word of a value is taken for it. */
const tables: Readonly<Record<string, RegExp>> = {
  SELECT: new RegExp(String.raw`^(?:[^'"$]|\$\d){0,2000}?\sfrom\s+(${name})`, 'i'),
  INSERT: new RegExp(
    String.raw`^\w+\s+(?:(?:low_priority|delayed|high_priority|ignore)\s+)?into\s+(${name})`,
    'i',
  ),
  REPLACE: new RegExp(String.raw`^\w+\s+into\s+(${name})`, 'i'),
  UPDATE: new RegExp(String.raw`^\w+\s+(?:(?:only|ignore)\s+)?(${name})`, 'i'),
  DELETE: new RegExp(String.raw`^\w+\s+from\s+(${name})`, 'i'),
  TRUNCATE: new RegExp(String.raw`^\w+\s+(?:table\s+)?(${name})`, 'i'),
  COPY: new RegExp(String.raw`^\w+\s+(${name})`, 'i'),
  CREATE: new RegExp(
    String.raw`^\w+\s+(?:temporary\s+|temp\s+)?table\s+(?:if\s+not\s+exists\s+)?(${name})`,
    'i',
  ),
  ALTER: new RegExp(String.raw`^\w+\s+table\s+(${name})`, 'i'),
  DROP: new RegExp(String.raw`^\w+\s+table\s+(?:if\s+exists\s+)?(${name})`, 'i'),
}

/** Space, comments and opening brackets before the first word. */
const preface = /^(?:[\s;(]+|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*(?![!M])[^]*?\*\/|\/\*M?!\d*)*/

export function statementName(statement: string): StatementName {
  const plain = statement.slice(preface.exec(statement)?.[0].length ?? 0)
  const verb = /^[a-z]{1,20}(?![\w])/i.exec(plain)?.[0].toUpperCase()
  if (verb === undefined) return { verb: 'QUERY', label: 'QUERY' }
  const table = tables[verb]?.exec(plain)?.[1]?.replaceAll(/[`"]/g, '')
  return { verb, label: table === undefined ? verb : `${verb} ${table}` }
}
