/** What a statement is called: its first word, and the table if that stands plainly at its place. */
export interface StatementName {
  /** Upper case; QUERY where the statement begins with no word. */
  verb: string
  /** `SELECT users`: never a value, since those may be secrets. */
  label: string
}

/** What may stand around a name: in MySQL a text stands between double quotes. */
export type NameQuote = '"' | '`'

/** Where a table stands. Nothing in quotes may come before it, lest a word of a value is taken for it. */
function tablesOf(quote: NameQuote): Readonly<Record<string, RegExp>> {
  const at = (before: string): RegExp => new RegExp(String.raw`^${before}(?!\d)([\w$.${quote}]{1,60})`, 'i')
  return {
    SELECT: at(String.raw`(?:[^'"$]|\$\d){0,2000}?\sfrom\s+`),
    INSERT: at(String.raw`\w+\s+(?:(?:low_priority|delayed|high_priority|ignore)\s+)?into\s+`),
    REPLACE: at(String.raw`\w+\s+into\s+`),
    UPDATE: at(String.raw`\w+\s+(?:(?:only|ignore)\s+)?`),
    DELETE: at(String.raw`\w+\s+from\s+`),
    TRUNCATE: at(String.raw`\w+\s+(?:table\s+)?`),
    COPY: at(String.raw`\w+\s+`),
    CREATE: at(String.raw`\w+\s+(?:temporary\s+|temp\s+)?table\s+(?:if\s+not\s+exists\s+)?`),
    ALTER: at(String.raw`\w+\s+table\s+`),
    DROP: at(String.raw`\w+\s+table\s+(?:if\s+exists\s+)?`),
  }
}

const tables = { '"': tablesOf('"'), '`': tablesOf('`') }

/** Space, comments and opening brackets before the first word. */
const preface = /^(?:[\s;(]+|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*(?![!M])[^]*?\*\/|\/\*M?!\d*)*/

export function statementName(statement: string, quote: NameQuote): StatementName {
  const plain = statement.slice(preface.exec(statement)?.[0].length ?? 0)
  const verb = /^[a-z]{1,20}(?![\w])/i.exec(plain)?.[0].toUpperCase()
  if (verb === undefined) return { verb: 'QUERY', label: 'QUERY' }
  const table = tables[quote][verb]?.exec(plain)?.[1]?.replaceAll(quote, '')
  return { verb, label: table === undefined ? verb : `${verb} ${table}` }
}
