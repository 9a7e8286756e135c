import type { Stats, Summary } from '@loads-runner/metrics'
import type { RunModel } from '../../src/model.ts'
import { DataTable, type Column } from '../view/data-table.ts'
import { element } from '../view/dom.ts'
import { formatBytes, formatCount, formatMillis } from '../view/figures.ts'
import { plainLabel } from '../view/labels.ts'
import { quantileText } from '../view/quantiles.ts'
import { panel } from '../view/section.ts'

/** What only the summary of a run has: tests, scenarios, phases of hits, connections. Pure but for the panels. */

type Test = Summary['executions'][number]
type Phase = Summary['phases'][number]
/** A test, or a scenario. */
export type Executed = Omit<Test, 'test'> & { name: string }

const maxHeight = 320

function counted<Row>(key: string, title: string, of: (row: Row) => number): Column<Row> {
  return { key, title, align: 'right', width: 92, text: (row) => formatCount(of(row)), sort: of }
}

function timed<Row>(of: (row: Row) => Stats): Column<Row>[] {
  const quantiles = (['p50', 'p95', 'p99'] as const).map((name): Column<Row> => ({
    key: name,
    title: name,
    help: '~: fewer than 10 samples lie beyond it',
    align: 'right',
    width: 92,
    text: (row) => quantileText(of(row), name),
    sort: (row) => of(row)[name],
  }))
  const max: Column<Row> = {
    key: 'max',
    title: 'max',
    align: 'right',
    width: 92,
    text: (row) => formatMillis(of(row).max),
    sort: (row) => of(row).max,
  }
  return [...quantiles, max]
}

function executedColumns(title: string): Column<Executed>[] {
  return [
    { key: 'name', title, text: ({ name }) => plainLabel(name, 160), sort: ({ name }) => name },
    counted('started', 'Started', ({ started }) => started),
    counted('successes', 'Successes', ({ successes }) => successes),
    counted('failures', 'Failures', ({ failures }) => failures),
    counted('errors', 'Errors', ({ errors }) => errors),
    counted('interrupted', 'Interrupted', ({ interrupted }) => interrupted),
    ...timed<Executed>(({ duration }) => duration),
  ]
}

const phaseColumns: Column<Phase>[] = [
  {
    key: 'name',
    title: 'Name',
    text: ({ name, method }) => plainLabel(method === '' ? name : `${method} ${name}`, 160),
    sort: ({ name, method }) => `${name} ${method}`,
  },
  { key: 'phase', title: 'Phase', width: 110, text: ({ phase }) => phase, sort: ({ phase }) => phase },
  counted('count', 'Times', ({ time }) => time.count),
  ...timed<Phase>(({ time }) => time),
]

function tablePanel<Row>(
  title: string,
  hint: string,
  columns: Column<Row>[],
  rows: readonly Row[],
  key: (row: Row) => string,
  tone: (row: Row) => 'bad' | null = () => null,
): HTMLElement[] {
  if (rows.length === 0) return []
  const table = new DataTable<Row>({ label: title, columns, key, tone, empty: '', maxHeight })
  table.setRows(rows)
  return [panel(title, hint === '' ? [] : [element('span', { class: 'hint' }, hint)], table.root)]
}

/** Connections and WebSockets as names and values; WebSockets only where there were any. */
export function connectionFacts({ connections, websockets }: Summary): [string, string][] {
  const { opened, closed, tlsHandshakes, tlsResumed } = connections
  const facts: [string, string][] = [
    ['connections opened', formatCount(opened)],
    ['closed', formatCount(closed)],
    ['TLS handshakes', formatCount(tlsHandshakes)],
    ['of them resumed', formatCount(tlsResumed)],
  ]
  if (Object.values(websockets).every((value) => value === 0)) return facts
  return [
    ...facts,
    ['WebSockets opened', formatCount(websockets.opened)],
    ['WebSockets closed', formatCount(websockets.closed)],
    ['messages sent', `${formatCount(websockets.messagesSent)}, ${formatBytes(websockets.bytesSent)}`],
    [
      'messages received',
      `${formatCount(websockets.messagesReceived)}, ${formatBytes(websockets.bytesReceived)}`,
    ],
  ]
}

/** Nothing before the run has ended. */
export function summaryPanels({ summary }: RunModel): HTMLElement[] {
  if (summary === null) return []
  const bad = ({ failures, errors }: Executed) => (failures + errors > 0 ? 'bad' : null)
  const tests = summary.executions.map(({ test, ...rest }): Executed => ({ name: test, ...rest }))
  return [
    ...tablePanel(
      'Executions',
      'How long each took, by test',
      executedColumns('Test'),
      tests,
      (row) => row.name,
      bad,
    ),
    ...tablePanel(
      'Scenarios',
      'How long executions took, by scenario',
      executedColumns('Scenario'),
      summary.scenarios,
      (row) => row.name,
      bad,
    ),
    ...tablePanel(
      'Phases',
      'Parts of the time of hits',
      phaseColumns,
      summary.phases,
      ({ name, method, phase }) => JSON.stringify([name, method, phase]),
    ),
    panel(
      'Connections',
      [],
      element(
        'dl',
        { class: 'settings' },
        ...connectionFacts(summary).map(([name, value]) =>
          element('div', {}, element('dt', {}, name), element('dd', {}, value)),
        ),
      ),
    ),
  ]
}
