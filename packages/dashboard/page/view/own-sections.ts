import type { RunModel, SeriesRow } from '../../src/model.ts'
import { DataTable, type Column } from './data-table.ts'
import { element, setShown, setText } from './dom.ts'
import { formatCount, formatMillis, formatNumber, formatRate, formatShare } from './figures.ts'
import { plainLabel } from './labels.ts'
import { quantileText, type QuantileName } from './quantiles.ts'
import { panel, type Part, type Section } from './section.ts'
import { checkLines, nameOf, statusOf, type CheckLine } from './series-lines.ts'
import { drawSparks } from './sparkline.ts'

const maxHeight = 320

function named<Row>(title: string, of: (row: Row) => [name: string, test: string]): Column<Row> {
  return {
    key: 'name',
    title,
    draw: (cell, row) => {
      if (cell.childElementCount === 0) cell.append(element('b'), element('span'))
      const [name, test] = of(row)
      setText(cell.children[0]!, plainLabel(name, 160))
      setText(cell.children[1]!, plainLabel(test, 80))
    },
    sort: (row) => of(row).join(' '),
  }
}

function number<Row>(
  key: string,
  title: string,
  value: (row: Row) => number | null,
  text: (row: Row) => string,
  width = 80,
): Column<Row> {
  return { key, title, align: 'right', width, text, sort: value }
}

const rowName = (row: SeriesRow): [string, string] => [
  [nameOf(row), statusOf(row)].filter(Boolean).join(' '),
  row.test,
]

function quantile(name: QuantileName): Column<SeriesRow> {
  return number(
    name,
    name,
    ({ time }) => time?.[name] ?? null,
    ({ time }) => quantileText(time, name),
  )
}

const times: Column<SeriesRow> = number(
  'count',
  'Times',
  ({ count }) => count,
  ({ count }) => formatCount(count),
)

function valueAs(title: string): Column<SeriesRow> {
  return number(
    'value',
    title,
    ({ value }) => value,
    ({ value }) => formatNumber(value),
    110,
  )
}

const checkColumns: Column<CheckLine>[] = [
  named('Check', ({ name, tags, test }) => [[name, tags].filter(Boolean).join(' '), test]),
  number(
    'failed',
    'Failed',
    ({ failed }) => failed,
    ({ failed }) => `${failed > 0 ? '✗ ' : ''}${formatCount(failed)}`,
  ),
  number(
    'ok',
    'Held',
    ({ ok }) => ok,
    ({ ok }) => formatCount(ok),
  ),
  number(
    'share',
    'Held, share',
    ({ ok, failed }) => ok / (ok + failed),
    ({ ok, failed }) => formatShare(ok / (ok + failed)),
  ),
]

const timedColumns: Column<SeriesRow>[] = [
  named('Name', rowName),
  times,
  quantile('p50'),
  quantile('p95'),
  quantile('p99'),
  number(
    'max',
    'max',
    ({ time }) => time?.max ?? null,
    ({ time }) => formatMillis(time?.max ?? null),
  ),
  {
    key: 'line',
    title: 'p95, lately',
    width: 116,
    draw: (cell, { spark }) => drawSparks(cell, [{ values: spark.p95, color: 'p95' }]),
  },
]

const counterColumns: Column<SeriesRow>[] = [
  named('Name', rowName),
  valueAs('Sum'),
  times,
  number(
    'rate',
    'Rate',
    ({ perSecond }) => perSecond,
    ({ perSecond }) => formatRate(perSecond),
  ),
]

const gaugeColumns: Column<SeriesRow>[] = [named('Name', rowName), valueAs('Latest'), times]

interface OwnTable {
  title: string
  root: HTMLElement
  /** How many rows it got. */
  set: (series: readonly SeriesRow[]) => number
  destroy: () => void
}

function seriesTable(title: string, kind: string, columns: Column<SeriesRow>[], sort: string): OwnTable {
  const table = new DataTable<SeriesRow>({
    label: title,
    columns,
    key: ({ id }) => id,
    sort: { key: sort, descending: true },
    empty: 'None.',
    maxHeight,
  })
  return {
    title,
    root: panel(title, [], table.root),
    set: (series) => {
      table.setRows(series.filter((row) => row.kind === kind))
      return table.count
    },
    destroy: () => table.destroy(),
  }
}

function checkTable(): OwnTable {
  const table = new DataTable<CheckLine>({
    label: 'Checks',
    columns: checkColumns,
    key: ({ key }) => key,
    sort: { key: 'failed', descending: true },
    tone: ({ failed }) => (failed > 0 ? 'bad' : null),
    empty: 'None.',
    maxHeight,
  })
  return {
    title: 'Checks',
    root: panel('Checks', [], table.root),
    set: (series) => {
      table.setRows(checkLines(series))
      return table.count
    },
    destroy: () => table.destroy(),
  }
}

/** What the tests record of their own: checks, steps, timings, counters, gauges. Those that they do not are named. */
export class OwnSections implements Section {
  readonly root = element('div', { class: 'own' })
  readonly #missing = element('p', { class: 'empty' })
  readonly #tables = [
    checkTable(),
    seriesTable('Steps', 'step', timedColumns, 'p95'),
    seriesTable('Timings', 'timing', timedColumns, 'p95'),
    seriesTable('Counters', 'counter', counterColumns, 'value'),
    seriesTable('Gauges', 'gauge', gaugeColumns, 'value'),
  ]

  constructor() {
    this.root.append(...this.#tables.map(({ root }) => root), this.#missing)
  }

  update({ series }: RunModel, changed: ReadonlySet<Part>): void {
    if (!changed.has('series')) return
    const missing = this.#tables.filter(({ root, set }) => {
      const count = set(series)
      setShown(root, count > 0)
      return count === 0
    })
    setShown(this.#missing, missing.length > 0)
    const names = missing.map(({ title }) => title.toLowerCase()).join(', ')
    setText(this.#missing, `The tests have recorded none of these: ${names}.`)
  }

  destroy(): void {
    for (const { destroy } of this.#tables) destroy()
    this.root.remove()
  }
}
