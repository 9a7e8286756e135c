import type { Stats, Summary } from '@loads-runner/metrics'
import { formatBytes, formatCount, formatMillis, formatRate, plural } from './figures.ts'
import { oneLine, textTable } from './text-table.ts'

/** Rows of a table before it is cut; all of them are in summary.json. */
const mostRows = 10
const mostErrorGroups = 5
const sampleLines = 8

/** The summary as a person reads it: the classic eight lines first, then everything else that there is to say. */
export function summaryText(summary: Summary, where: string | null = null): string {
  const parts = [
    classicText(summary),
    timesText(summary),
    executionsText(summary),
    slowestText(summary),
    statusText(summary),
    errorsText(summary),
    socketsText(summary),
    ownFiguresText(summary),
    agentsText(summary),
    coverageText(summary),
    generatorText(summary),
    verdictText(summary, where),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

/** What Loads has printed since its first version, in that order. */
export function classicText(summary: Summary): string {
  const { tests, hits, serviceTime, durationSeconds } = summary
  return [
    '',
    `Hits: ${hits.count}`,
    `Duration: ${durationSeconds.toFixed(2)} seconds`,
    `Approximate Average RPS: ${roundRate(hits.perSecond)}`,
    `Average request time: ${secondsText(serviceTime.mean)}`,
    '',
    `Success: ${tests.successes}`,
    `Errors: ${tests.errors}`,
    `Failures: ${tests.failures}`,
    '',
  ].join('\n')
}

function roundRate(perSecond: number): string {
  return perSecond >= 10 ? String(Math.round(perSecond)) : formatRate(perSecond)
}

/** Two digits, or as many more as a fast answer needs to be more than zero. */
function secondsText(millis: number | null): string {
  if (millis === null) return '0.00s'
  const seconds = millis / 1000
  return `${seconds.toFixed(seconds >= 0.01 || seconds === 0 ? 2 : 4)}s`
}

type QuantileName = 'p50' | 'p90' | 'p95' | 'p99' | 'p999' | 'p9999'
const quantiles: [QuantileName, number, string][] = [
  ['p50', 0.5, 'p50'],
  ['p90', 0.9, 'p90'],
  ['p95', 0.95, 'p95'],
  ['p99', 0.99, 'p99'],
  ['p999', 0.999, 'p99.9'],
  ['p9999', 0.9999, 'p99.99'],
]

/** A quantile; `~` before it when too few samples lie beyond it to trust it. */
export function quantileText(stats: Stats, name: QuantileName): string {
  const level = quantiles.find(([each]) => each === name)![1]
  const value = stats[name]
  if (value === null) return '-'
  return `${level > (stats.trustedTo ?? 0) ? '~' : ''}${formatMillis(value)}`
}

function timesText({ serviceTime }: Summary): string {
  if (serviceTime.count === 0) return ''
  const columns = [
    { title: 'min', align: 'right' as const, of: () => formatMillis(serviceTime.min) },
    ...quantiles.map(([name, , title]) => ({
      title,
      align: 'right' as const,
      of: () => quantileText(serviceTime, name),
    })),
    { title: 'max', align: 'right' as const, of: () => formatMillis(serviceTime.max) },
  ]
  return `Request times:\n${textTable([serviceTime], columns, '  ')}`
}

function executionsText({ executions }: Summary): string {
  const table = textTable(
    executions.slice(0, mostRows),
    [
      { title: 'test', of: (row) => row.test },
      { title: 'success', align: 'right', of: (row) => formatCount(row.successes) },
      { title: 'error', align: 'right', of: (row) => formatCount(row.errors) },
      { title: 'failure', align: 'right', of: (row) => formatCount(row.failures) },
      { title: 'cut', align: 'right', of: (row) => formatCount(row.interrupted) },
      { title: 'p50', align: 'right', of: (row) => quantileText(row.duration, 'p50') },
      { title: 'p95', align: 'right', of: (row) => quantileText(row.duration, 'p95') },
      { title: 'max', align: 'right', of: (row) => formatMillis(row.duration.max) },
    ],
    '  ',
  )
  return section('Executions:', table, executions.length)
}

function slowestText({ series }: Summary): string {
  const rows = series.toSorted((a, b) => (b.serviceTime.p95 ?? 0) - (a.serviceTime.p95 ?? 0))
  const table = textTable(
    rows.slice(0, mostRows),
    [
      { title: 'name', of: (row) => nameOf(row) },
      { title: 'status', of: (row) => row.status },
      { title: 'hits', align: 'right', of: (row) => formatCount(row.count) },
      { title: 'failed', align: 'right', of: (row) => formatCount(row.failed) },
      { title: 'p50', align: 'right', of: (row) => quantileText(row.serviceTime, 'p50') },
      { title: 'p95', align: 'right', of: (row) => quantileText(row.serviceTime, 'p95') },
      { title: 'p99', align: 'right', of: (row) => quantileText(row.serviceTime, 'p99') },
      { title: 'max', align: 'right', of: (row) => formatMillis(row.serviceTime.max) },
    ],
    '  ',
  )
  return section('Slowest requests:', table, rows.length)
}

function nameOf(row: Summary['series'][number]): string {
  const name =
    row.method === '' || row.name.startsWith(`${row.method} `) ? row.name : `${row.method} ${row.name}`
  const tags = Object.entries(row.tags).map(([tag, value]) => `${tag}=${value}`)
  return [name, ...tags, ...(row.partial ? ['(partial)'] : [])].join(' ')
}

/** `Status: 2xx 120, 4xx 3, refused 7` */
function statusText({ series, hits }: Summary): string {
  const classes = new Map<string, number>()
  for (const { status, count } of series) {
    const name = /^[1-5]\d\d$/.test(status) ? `${status[0]}xx` : status || 'other'
    classes.set(name, (classes.get(name) ?? 0) + count)
  }
  if (classes.size === 0) return ''
  const sorted = [...classes].sort(([a], [b]) => a.localeCompare(b))
  const failed = hits.failed > 0 ? `; ${formatCount(hits.failed)} failed` : ''
  const traffic = `; ${formatBytes(hits.bytesIn)} in, ${formatBytes(hits.bytesOut)} out`
  return `Status: ${sorted.map(([name, count]) => `${name} ${formatCount(count)}`).join(', ')}${failed}${traffic}\n`
}

function errorsText({ errorGroups }: Summary): string {
  if (errorGroups.length === 0) return ''
  const groups = errorGroups.slice(0, mostErrorGroups).map((group) => {
    const title = `${oneLine(group.type)}: ${oneLine(group.message)}`
    const body = linesBeyond(title, group.sample).slice(0, sampleLines)
    return `  ${formatCount(group.count)} x ${title}\n${body.map((line) => `      ${line}\n`).join('')}`
  })
  const more = errorGroups.length - groups.length
  return `Errors by kind:\n${groups.join('')}${more > 0 ? `  and ${more} more kinds in summary.json\n` : ''}`
}

/** Lines of a sample without those at its beginning that the title has said already. */
function linesBeyond(title: string, sample: string): string[] {
  const lines = sample
    .split('\n')
    .map(oneLine)
    .filter((line) => line !== '')
  // Node puts a code behind the type: AssertionError [ERR_ASSERTION].
  const first = lines.findIndex((line) => !title.includes(line.replace(/ \[\w+\](?=: |$)/, '')))
  return first === -1 ? [] : lines.slice(first)
}

function socketsText({ websockets }: Summary): string {
  if (websockets.opened === 0 && websockets.closed === 0) return ''
  const { opened, closed, messagesSent, messagesReceived, bytesSent, bytesReceived } = websockets
  return (
    `WebSockets: ${formatCount(opened)} opened, ${formatCount(closed)} closed; ` +
    `sent ${plural(messagesSent, 'message')} (${formatBytes(bytesSent)}), ` +
    `received ${plural(messagesReceived, 'message')} (${formatBytes(bytesReceived)})\n`
  )
}

function ownFiguresText({ counters, gauges, timings }: Summary): string {
  const list = (title: string, values: Record<string, number | null>) => {
    const rows = Object.entries(values)
    const table = textTable(
      rows.slice(0, mostRows),
      [
        { title: 'name', of: ([name]) => name },
        { title: 'value', align: 'right', of: ([, value]) => valueText(value) },
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
      { title: 'count', align: 'right', of: ([, stats]) => formatCount(stats.count) },
      { title: 'p50', align: 'right', of: ([, stats]) => quantileText(stats, 'p50') },
      { title: 'p95', align: 'right', of: ([, stats]) => quantileText(stats, 'p95') },
      { title: 'max', align: 'right', of: ([, stats]) => formatMillis(stats.max) },
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

function agentsText({ agents }: Summary): string {
  // A single agent that came through says nothing new.
  if (agents.length === 0 || (agents.length === 1 && agents[0]!.state === 'done')) return ''
  const table = textTable(
    agents.slice(0, 50),
    [
      { title: 'agent', of: (row) => row.id },
      { title: 'host', of: (row) => row.host },
      { title: 'state', of: (row) => row.state },
      { title: 'hits', align: 'right', of: (row) => formatCount(row.hits) },
      {
        title: 'planned',
        align: 'right',
        of: ({ ledger }) => (ledger.planned === 0 ? '-' : formatCount(ledger.planned)),
      },
      { title: 'started', align: 'right', of: (row) => formatCount(row.ledger.started) },
      { title: 'finished', align: 'right', of: (row) => formatCount(row.ledger.finished) },
      { title: 'lost', align: 'right', of: (row) => formatCount(row.ledger.lost) },
      { title: 'windows lost', align: 'right', of: (row) => formatCount(row.windowsLost) },
    ],
    '  ',
  )
  return section('Agents:', table, agents.length, 50)
}

function coverageText({ coverage }: Summary): string {
  if (coverage.missing.length === 0) return ''
  const missing = coverage.missing.slice(0, mostRows).map(({ agent, fromSecond, toSecond, hitsAtMost }) => {
    const bound = hitsAtMost === null ? '' : ` (${plural(hitsAtMost, 'hit')} at most)`
    return `${agent} from second ${fromSecond} to ${toSecond}${bound}`
  })
  const more = coverage.missing.length - missing.length
  const tail = more > 0 ? ` and ${more} more` : ''
  const percent = ((coverage.ratio ?? 0) * 100).toFixed(2)
  return (
    `Coverage: ${percent}% (${coverage.windowsReceived} of ${plural(coverage.windowsOwed, 'window')}); ` +
    `missing: ${missing.join(', ')}${tail}\n`
  )
}

function generatorText({ generator }: Summary): string {
  return generator.warnings.map((warning) => `warning: ${oneLine(warning)}\n`).join('')
}

function verdictText(summary: Summary, where: string | null): string {
  const reasons = summary.reasons.map(reasonText).join('')
  const place = where === null ? '' : `Results: ${where}\n`
  return `Verdict: ${summary.verdict} (seed ${summary.seed}, run ${summary.runId})\n${reasons}${place}`
}

/** The first line is the sentence; stack lines may follow. */
function reasonText(reason: string): string {
  const [sentence = '', ...rest] = reason.split('\n').map(oneLine)
  return `  ${sentence}\n${rest.map((line) => `      ${line}\n`).join('')}`
}

function section(title: string, table: string, rows: number, most = mostRows): string {
  if (table === '') return ''
  const more = rows - most
  return `${title}\n${table}${more > 0 ? `  and ${more} more in summary.json\n` : ''}`
}
