import type { ErrorRow, RunModel } from '../../src/model.ts'
import { DataTable, type Column } from './data-table.ts'
import { element, setShown, setText } from './dom.ts'
import { formatClock, formatCount, formatElapsed } from './figures.ts'
import { plainLabel } from './labels.ts'
import type { PaneContext } from './pane-context.ts'
import { panel, type Part, type Section } from './section.ts'

const mostRows = 200
const mostLetters = 20_000

/** Errors of executions, grouped: a row opens and shows one of them as it was. */
export class ErrorsSection implements Section {
  readonly root: HTMLElement
  readonly #table: DataTable<ErrorRow>
  readonly #more = element('p', { class: 'empty', hidden: true })

  constructor(context: PaneContext) {
    const when = (at: number) => {
      const start = context.startedAt()
      return start === null ? formatClock(at) : `${formatElapsed(at - start)} · ${formatClock(at)}`
    }
    const columns: Column<ErrorRow>[] = [
      {
        key: 'message',
        title: 'Error',
        draw: (cell, { type, message }) => {
          if (cell.childElementCount === 0) cell.append(element('b'), element('span'))
          setText(cell.children[0]!, plainLabel(type, 60))
          setText(cell.children[1]!, plainLabel(message, 300))
        },
        sort: ({ type, message }) => `${type} ${message}`,
      },
      {
        key: 'count',
        title: 'Count',
        align: 'right',
        width: 92,
        text: ({ count }) => formatCount(count),
        sort: ({ count }) => count,
      },
      {
        key: 'first',
        title: 'First seen',
        align: 'right',
        width: 150,
        text: ({ firstSeen }) => when(firstSeen),
        sort: ({ firstSeen }) => firstSeen,
      },
      {
        key: 'last',
        title: 'Last seen',
        align: 'right',
        width: 150,
        text: ({ lastSeen }) => when(lastSeen),
        sort: ({ lastSeen }) => lastSeen,
      },
    ]
    this.#table = new DataTable<ErrorRow>({
      label: 'Errors',
      columns,
      key: ({ type, message }) => JSON.stringify([type, message]),
      detail: ({ message, sample }) =>
        element('pre', {}, (sample === '' ? message : sample).slice(0, mostLetters)),
      sort: { key: 'count', descending: true },
      empty: 'No execution has ended with an error.',
    })
    this.root = panel('Errors', [], this.#table.root, this.#more)
  }

  update({ errors }: RunModel, changed: ReadonlySet<Part>): void {
    if (!changed.has('errors')) return
    const rows = errors.toSorted((one, other) => other.count - one.count).slice(0, mostRows)
    this.#table.setRows(rows)
    const more = errors.length - rows.length
    setShown(this.#more, more > 0)
    setText(this.#more, `and ${formatCount(more)} more groups, which are rarer`)
  }

  destroy(): void {
    this.#table.destroy()
    this.root.remove()
  }
}
