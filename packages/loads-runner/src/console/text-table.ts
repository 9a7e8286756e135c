export interface Column<T> {
  title: string
  /** Figures stand at the right. */
  align?: 'left' | 'right'
  of: (row: T) => string
}

/** A table in plain text, two blanks between columns, each line indented. Empty without rows. */
export function textTable<T>(rows: readonly T[], columns: readonly Column<T>[], indent = ''): string {
  if (rows.length === 0) return ''
  const lines = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => oneLine(column.of(row)))),
  ]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)))
  return lines
    .map((line) => {
      const cells = line.map((cell, index) =>
        columns[index]!.align === 'right' ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!),
      )
      return `${indent}${cells.join('  ')}`.trimEnd() + '\n'
    })
    .join('')
}

/** Control characters in a name or message must not move the cursor or break a table. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}
