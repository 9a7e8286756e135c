import type { RunListRow } from '../../src/model.ts'

/** What a search looks for. Pure. */
export interface Term {
  field: 'any' | 'project' | 'user' | 'label' | 'verdict' | 'state'
  /** In small letters. */
  text: string
}

const fields: ReadonlySet<string> = new Set(['project', 'user', 'label', 'verdict', 'state'])

/** `nightly project:shop label:commit=abc verdict:failed "two words"`: each word must be found. */
export function parseSearch(search: string): Term[] {
  const words = search.toLowerCase().match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
  return words.flatMap((word): Term[] => {
    const plain = word.replaceAll('"', '')
    const [, name, text] = /^([a-z]+):(.*)$/s.exec(plain) ?? []
    const isField = name !== undefined && fields.has(name) && word.startsWith(name)
    if (!isField) return plain === '' ? [] : [{ field: 'any', text: plain }]
    // Somebody is still typing.
    return text === '' ? [] : [{ field: name as Term['field'], text: text! }]
  })
}

export function matches(row: RunListRow, terms: readonly Term[]): boolean {
  return terms.every((term) => matchesTerm(row, term))
}

function matchesTerm(row: RunListRow, { field, text }: Term): boolean {
  const has = (value: string | null) => value !== null && value.toLowerCase().includes(text)
  switch (field) {
    case 'project':
      return has(row.project)
    case 'user':
      return has(row.user)
    case 'verdict':
      return row.verdict?.toLowerCase().startsWith(text) ?? false
    case 'state':
      return row.state.startsWith(text)
    case 'label':
      return Object.entries(row.labels).some(([name, value]) => matchesLabel(name, value, text))
    case 'any':
      return [
        row.runId,
        row.project,
        row.user,
        row.verdict,
        row.state,
        ...row.names,
        ...labelTexts(row),
      ].some(has)
  }
}

/** `commit` finds the label, `commit=ab` a value that begins so. */
function matchesLabel(name: string, value: string, text: string): boolean {
  const [wanted = '', ...rest] = text.split('=')
  if (rest.length === 0) return name.toLowerCase().includes(wanted)
  return name.toLowerCase() === wanted && value.toLowerCase().startsWith(rest.join('='))
}

function labelTexts({ labels }: RunListRow): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`)
}
