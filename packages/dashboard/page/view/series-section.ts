import type { RunModel } from '../../src/model.ts'
import { DataTable, type Column } from './data-table.ts'
import { element, setText } from './dom.ts'
import { formatCount, formatMillis, formatRate, formatShare, plural } from './figures.ts'
import { plainLabel } from './labels.ts'
import { quantileText, type QuantileName } from './quantiles.ts'
import { panel, type Part, type Section } from './section.ts'
import { isRequest, lineCounts, requestLines, type SeriesLine } from './series-lines.ts'
import { drawSparks } from './sparkline.ts'
import { matches } from './table-window.ts'

const mostSparks = 4

function quantileColumn(name: QuantileName): Column<SeriesLine> {
  return {
    key: name,
    title: name,
    help: `Service time: ${name}. ~: fewer than 10 samples lie beyond it.`,
    align: 'right',
    width: 96,
    text: ({ time }) => quantileText(time, name),
    sort: ({ time }) => time?.[name] ?? null,
  }
}

const columns: Column<SeriesLine>[] = [
  {
    key: 'name',
    title: 'Name',
    draw: drawName,
    sort: ({ name, status }) => `${name} ${status}`,
  },
  {
    key: 'status',
    title: 'Status',
    width: 120,
    text: ({ status }) => plainLabel(status, 60),
    sort: ({ status }) => status,
  },
  {
    key: 'count',
    title: 'Hits',
    align: 'right',
    width: 92,
    text: ({ count }) => formatCount(count),
    sort: ({ count }) => count,
  },
  {
    key: 'rate',
    title: 'Rate',
    align: 'right',
    width: 84,
    text: ({ perSecond }) => formatRate(perSecond),
    sort: ({ perSecond }) => perSecond,
  },
  {
    key: 'failed',
    title: 'Failed',
    align: 'right',
    width: 130,
    text: ({ failed, count }) =>
      failed === 0 ? '0' : `${formatCount(failed)} (${formatShare(count === 0 ? null : failed / count)})`,
    sort: ({ failed }) => failed,
  },
  quantileColumn('p50'),
  quantileColumn('p95'),
  quantileColumn('p99'),
  {
    key: 'max',
    title: 'max',
    align: 'right',
    width: 84,
    text: ({ time }) => formatMillis(time?.max ?? null),
    sort: ({ time }) => time?.max ?? null,
  },
  {
    key: 'rate-line',
    title: 'Rate, lately',
    width: 116,
    draw: (cell, line) => drawSparks(cell, [{ values: lineCounts(line), color: 'rate' }]),
  },
  {
    key: 'p95-line',
    title: 'p95, lately',
    help: 'Of a name with several statuses: a line for each of the four most frequent.',
    width: 116,
    draw: (cell, { parts }) =>
      drawSparks(
        cell,
        parts
          .toSorted((one, other) => other.count - one.count)
          .slice(0, mostSparks)
          .map(({ spark }) => ({ values: spark.p95, color: 'p95' })),
      ),
  },
]

function drawName(cell: HTMLElement, { name, test, status }: SeriesLine): void {
  if (cell.childElementCount === 0) cell.append(element('b'), element('span'))
  const [title, where] = cell.children
  setText(title!, plainLabel(name, 160))
  setText(where!, plainLabel(test, 80))
  const words = plainLabel(`${name} ${status} ${test}`, 600)
  if (cell.title !== words) cell.title = words
}

/** All requests by name. */
export class SeriesSection implements Section {
  readonly root: HTMLElement
  readonly #table: DataTable<SeriesLine>
  readonly #search: HTMLInputElement
  readonly #count = element('span', { class: 'hint', 'aria-live': 'off' })
  #lines: SeriesLine[] = []

  constructor() {
    this.#search = element('input', {
      type: 'search',
      placeholder: 'Search',
      'aria-label': 'Search requests: words of a name, test, status or tag',
      spellcheck: 'false',
      oninput: () => this.#show(),
    })
    this.#table = new DataTable<SeriesLine>({
      label: 'Requests',
      columns,
      key: ({ key }) => key,
      children: ({ children }) => children,
      sort: { key: 'count', descending: true },
      tone: ({ failed }) => (failed > 0 ? 'bad' : null),
      empty: 'No hits were recorded yet.',
      maxHeight: 520,
    })
    this.root = panel('Requests', [this.#count, this.#search], this.#table.root)
  }

  update({ series }: RunModel, changed: ReadonlySet<Part>): void {
    if (!changed.has('series')) return
    this.#lines = requestLines(series.filter(isRequest))
    this.#show()
  }

  destroy(): void {
    this.#table.destroy()
    this.root.remove()
  }

  #show(): void {
    const search = this.#search.value.trim()
    const shown = search === '' ? this.#lines : this.#lines.filter(({ words }) => matches(search, words))
    setText(
      this.#count,
      search === ''
        ? plural(this.#lines.length, 'name')
        : `${formatCount(shown.length)} of ${plural(this.#lines.length, 'name')}`,
    )
    this.#table.setEmptyText(
      search === '' ? 'No hits were recorded yet.' : 'No name, test, status or tag holds these words.',
    )
    this.#table.setRows(shown)
  }
}
