import type { Interval } from '@loads-runner/history'
import { stringify } from 'csv-stringify/sync'
import type { OutputEnvironment } from '../environment.ts'
import type { Output } from '../output.ts'
import { FigureRows, type FigureRow } from './figure-rows.ts'
import { StreamOutput } from './stream-output.ts'

type Cell = string | number | null
type Column = readonly [header: string, cell: (row: FigureRow, interval: Interval) => Cell]

const columns: readonly Column[] = [
  ['at', (_row, { at }) => new Date(at).toISOString()],
  ['elapsed', (_row, { fromMs }) => fromMs / 1000],
  ['span', (_row, { spanMs }) => spanMs / 1000],
  ['revision', (_row, { revision }) => revision],
  ['warm_up', (_row, { warmUp }) => (warmUp ? 1 : 0)],
  ['kind', ({ kind }) => kind],
  ['test', ({ test }) => test],
  ['name', ({ name }) => name],
  ['method', ({ method }) => method],
  ['status', ({ status }) => status],
  ['tags', ({ tags }) => tagText(tags)],
  ['count', ({ count }) => count],
  ['failed', ({ failed }) => failed],
  ['per_second', ({ perSecond }) => perSecond],
  ['bytes_in', ({ bytesIn }) => bytesIn],
  ['bytes_out', ({ bytesOut }) => bytesOut],
  ['value', ({ value }) => value],
  ['min', ({ min }) => min],
  ['mean', ({ mean }) => mean],
  ['p50', ({ p50 }) => p50],
  ['p90', ({ p90 }) => p90],
  ['p95', ({ p95 }) => p95],
  ['p99', ({ p99 }) => p99],
  ['p999', ({ p999 }) => p999],
  ['max', ({ max }) => max],
]

/** `csv:FILE`: a row per second and series, and one of all hits. */
export function createCsv(args: string, environment: OutputEnvironment): Output {
  const rows = new CsvRows()
  return new StreamOutput({
    name: 'csv',
    args,
    environment,
    wants: ['interval'],
    begin: () => rows.head(),
    render: (record) => (record.type === 'interval' ? rows.of(record.interval) : ''),
  })
}

/** Intervals as CSV (RFC 4180). A text that a spreadsheet would take for a formula gets a leading '. */
export class CsvRows {
  readonly #rows = new FigureRows()

  head(): string {
    return textOf([columns.map(([header]) => header)])
  }

  of(interval: Interval): string {
    return textOf(this.#rows.of(interval).map((row) => columns.map(([, cell]) => cell(row, interval))))
  }
}

function textOf(rows: readonly (readonly Cell[])[]): string {
  return stringify(rows as Cell[][], { escape_formulas: true })
}

/** JSON, for lack of a sign that tags cannot hold; '' without any. */
function tagText(tags: Readonly<Record<string, string>>): string {
  return Object.keys(tags).length === 0 ? '' : JSON.stringify(tags)
}
