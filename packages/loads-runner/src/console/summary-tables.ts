import type { Stats, Summary } from '@loads-runner/metrics'
import { formatCount, formatMillis } from './figures.ts'
import { quantileColumns, quantiles, quantileText } from './quantile-text.ts'
import { textTable } from './text-table.ts'
import type { Column } from './text-table.ts'

/** The tables of a summary. */

/** Rows of a table before it is cut; all of them are in summary.json. */
export const mostRows = 10
const mostAgents = 50

const right = 'right' as const

/** Service time, and beside it response time where there was a schedule to be late for. */
export function timesText({ serviceTime, responseTime }: Summary): string {
  if (serviceTime.count === 0) return ''
  const rows = [
    { name: 'service', stats: serviceTime },
    ...(responseTime === null ? [] : [{ name: 'response', stats: responseTime }]),
  ]
  type Row = (typeof rows)[number]
  const columns: Column<Row>[] = [
    ...(responseTime === null ? [] : [{ title: '', of: (row: Row) => row.name }]),
    { title: 'min', align: right, of: ({ stats }) => formatMillis(stats.min) },
    ...quantiles.map(([name, , title]) => ({
      title,
      align: right,
      of: ({ stats }: Row) => quantileText(stats, name),
    })),
    { title: 'max', align: right, of: ({ stats }) => formatMillis(stats.max) },
  ]
  const note =
    responseTime === null ? '' : '  (response: from the moment at which the schedule meant to start)\n'
  return `Request times:\n${textTable(rows, columns, '  ')}${note}`
}

interface Outcomes {
  successes: number
  errors: number
  failures: number
  interrupted: number
  duration: Stats
  responseTime: Stats | null
}

function outcomesTable<T extends Outcomes>(
  rows: readonly T[],
  title: string,
  name: (row: T) => string,
): string {
  const open = rows.some(({ responseTime }) => responseTime !== null)
  return textTable(
    rows.slice(0, mostRows),
    [
      { title, of: name },
      { title: 'success', align: right, of: (row) => formatCount(row.successes) },
      { title: 'error', align: right, of: (row) => formatCount(row.errors) },
      { title: 'failure', align: right, of: (row) => formatCount(row.failures) },
      { title: 'cut', align: right, of: (row) => formatCount(row.interrupted) },
      ...quantileColumns<T>(['p50', 'p95'], (row) => row.duration),
      { title: 'max', align: right, of: (row) => formatMillis(row.duration.max) },
      ...(open ? quantileColumns<T>(['p95'], (row) => row.responseTime, 'response ') : []),
    ],
    '  ',
  )
}

export function executionsText({ executions }: Summary): string {
  const table = outcomesTable(executions, 'test', (row) => row.test)
  return section('Executions:', table, executions.length)
}

export function scenariosText({ scenarios }: Summary): string {
  const table = outcomesTable(scenarios, 'scenario', (row) => row.name)
  return section('Scenarios:', table, scenarios.length)
}

export function slowestText({ series }: Summary): string {
  const rows = series.toSorted((a, b) => (b.serviceTime.p95 ?? 0) - (a.serviceTime.p95 ?? 0))
  type Row = (typeof rows)[number]
  const kinds = rows.some(({ kind }) => kind !== 'http')
  const open = rows.some(({ responseTime }) => responseTime !== null)
  const table = textTable(
    rows.slice(0, mostRows),
    [
      ...(kinds ? [{ title: 'kind', of: (row: Row) => row.kind }] : []),
      { title: 'name', of: nameOf },
      { title: 'status', of: (row) => row.status },
      { title: 'hits', align: right, of: (row) => formatCount(row.count) },
      { title: 'failed', align: right, of: (row) => formatCount(row.failed) },
      ...quantileColumns<Row>(['p50', 'p95', 'p99'], (row) => row.serviceTime),
      { title: 'max', align: right, of: (row) => formatMillis(row.serviceTime.max) },
      ...(open ? quantileColumns<Row>(['p95'], (row) => row.responseTime, 'response ') : []),
    ],
    '  ',
  )
  return section('Slowest requests:', table, rows.length)
}

function nameOf(row: Summary['series'][number]): string {
  const name =
    row.method === '' || row.name.startsWith(`${row.method} `) ? row.name : `${row.method} ${row.name}`
  return [withTags(name, row.tags), ...(row.partial ? ['(partial)'] : [])].join(' ')
}

function withTags(name: string, tags: Readonly<Record<string, string>>): string {
  return [name, ...Object.entries(tags).map(([tag, value]) => `${tag}=${value}`)].join(' ')
}

/** Those that failed first. */
export function checksText({ checks }: Summary): string {
  const rows = checks.toSorted((one, other) => other.failed - one.failed)
  const table = textTable(
    rows.slice(0, mostRows),
    [
      { title: '', of: (row) => (row.failed > 0 ? '✗' : '✓') },
      { title: 'name', of: (row) => withTags(row.name, row.tags) },
      { title: 'test', of: (row) => row.test },
      { title: 'ok', align: right, of: (row) => percent(row.ok, row.ok + row.failed) },
      { title: 'failed', align: right, of: (row) => formatCount(row.failed) },
    ],
    '  ',
  )
  return section('Checks:', table, rows.length)
}

/** `100%` is all of them, whatever rounding says. */
function percent(part: number, whole: number): string {
  if (whole === 0) return '-'
  if (part === whole) return '100%'
  return `${(Math.floor((part / whole) * 10_000) / 100).toFixed(2).replace(/\.?0+$/, '')}%`
}

export function stepsText({ steps }: Summary): string {
  type Row = (typeof steps)[number]
  const table = textTable(
    steps.slice(0, mostRows),
    [
      { title: 'name', of: (row) => withTags(row.name, row.tags) },
      { title: 'test', of: (row) => row.test },
      { title: 'count', align: right, of: (row) => formatCount(row.duration.count) },
      ...quantileColumns<Row>(['p50', 'p95', 'p99'], (row) => row.duration),
      { title: 'max', align: right, of: (row) => formatMillis(row.duration.max) },
    ],
    '  ',
  )
  return section('Steps:', table, steps.length)
}

const phaseNames = ['blocked', 'dns', 'connect', 'tls', 'send', 'wait', 'receive'] as const

/** One row per request, one column per part of its time. */
export function phasesText({ phases }: Summary): string {
  const rows = new Map<string, { name: string; times: Map<string, Stats> }>()
  for (const { name, method, phase, time } of phases) {
    const title = method === '' ? name : `${method} ${name}`
    let row = rows.get(title)
    if (row === undefined) rows.set(title, (row = { name: title, times: new Map() }))
    row.times.set(phase, time)
  }
  type Row = { name: string; times: Map<string, Stats> }
  const table = textTable(
    [...rows.values()].slice(0, mostRows),
    [
      { title: 'name', of: (row) => row.name },
      ...phaseNames.map((phase) => ({
        ...quantileColumns<Row>(['p95'], (row) => row.times.get(phase) ?? null)[0]!,
        title: phase,
      })),
    ],
    '  ',
  )
  return section('Parts of the time of requests (p95):', table, rows.size)
}

export function ownFiguresText({ counters, gauges, timings }: Summary): string {
  const list = (title: string, values: Record<string, number | null>) => {
    const rows = Object.entries(values)
    const table = textTable(
      rows.slice(0, mostRows),
      [
        { title: 'name', of: ([name]) => name },
        { title: 'value', align: right, of: ([, value]) => valueText(value) },
      ],
      '  ',
    )
    return section(title, table, rows.length)
  }
  const times = Object.entries(timings)
  const table = textTable(
    times.slice(0, mostRows),
    [
      { title: 'name', of: ([name]) => name },
      { title: 'count', align: right, of: ([, stats]) => formatCount(stats.count) },
      { title: 'p50', align: right, of: ([, stats]) => quantileText(stats, 'p50') },
      { title: 'p95', align: right, of: ([, stats]) => quantileText(stats, 'p95') },
      { title: 'max', align: right, of: ([, stats]) => formatMillis(stats.max) },
    ],
    '  ',
  )
  const parts = [
    list('Counters:', counters),
    list('Gauges:', gauges),
    section('Timings:', table, times.length),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function valueText(value: number | null): string {
  if (value === null) return '-'
  return Number.isInteger(value) ? formatCount(value) : String(value)
}

export function feedsText({ feeds }: Summary): string {
  const table = textTable(
    feeds.slice(0, mostRows),
    [
      { title: 'feed', of: (row) => row.name },
      { title: 'rows', align: right, of: (row) => formatCount(row.rows) },
      { title: 'used', align: right, of: (row) => formatCount(row.used) },
      { title: 'left over', align: right, of: (row) => formatCount(row.leftOver) },
      { title: 'given back', align: right, of: (row) => formatCount(row.returned) },
      { title: 'perhaps twice', align: right, of: (row) => formatCount(row.perhapsTwice) },
    ],
    '  ',
  )
  return section('Unique rows:', table, feeds.length)
}

export function agentsText({ agents }: Summary): string {
  // A single agent that came through says nothing new.
  if (agents.length === 0 || (agents.length === 1 && agents[0]!.state === 'done')) return ''
  type Row = Summary['agents'][number]
  const table = textTable(
    agents.slice(0, mostAgents),
    [
      { title: 'agent', of: (row) => row.id },
      { title: 'host', of: (row) => row.host },
      { title: 'state', of: (row) => row.state },
      { title: 'hits', align: right, of: (row) => formatCount(row.hits) },
      {
        title: 'planned',
        align: right,
        of: ({ ledger }) => (ledger.planned === 0 ? '-' : formatCount(ledger.planned)),
      },
      { title: 'started', align: right, of: (row) => formatCount(row.ledger.started) },
      { title: 'finished', align: right, of: (row) => formatCount(row.ledger.finished) },
      ...(agents.some(({ ledger }) => ledger.dropped > 0)
        ? [{ title: 'dropped', align: right, of: (row: Row) => formatCount(row.ledger.dropped) }]
        : []),
      { title: 'lost', align: right, of: (row) => formatCount(row.ledger.lost) },
      { title: 'windows lost', align: right, of: (row) => formatCount(row.windowsLost) },
    ],
    '  ',
  )
  return section('Agents:', table, agents.length, mostAgents)
}

export function section(title: string, table: string, rows: number, most = mostRows): string {
  if (table === '') return ''
  const more = rows - most
  return `${title}\n${table}${more > 0 ? `  and ${more} more in summary.json\n` : ''}`
}
