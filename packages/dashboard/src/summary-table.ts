import type { Stats } from '@loads-runner/metrics'
import { escapeHtml } from './escape-html.ts'
import type { RunModel } from './model.ts'

/** More rows are for those who can run the script. */
const mostRows = 200
const mostText = 300

/** The figures of a run as plain tables, for readers without a script. */
export function summaryTable({ head, totals, series, errors, thresholds, summary }: RunModel): string {
  const rows: [string, string][] = [
    ['Run', head.runId],
    ['State', head.state],
    ...(summary === null ? [] : [['Verdict', summary.verdict] as [string, string]]),
    ...(summary?.reasons ?? []).map((reason): [string, string] => ['', reason]),
    ['Hits', count(totals.hits)],
    ['Failed hits', count(totals.failedHits)],
    [
      'Executions',
      `${count(totals.executions)} (${count(totals.failures)} failures, ${count(totals.errors)} errors)`,
    ],
    ['Service time', timeText(totals.serviceTime)],
    ...(totals.responseTime === null
      ? []
      : [['Response time', timeText(totals.responseTime)] as [string, string]]),
    ['Coverage', `${(totals.coverage * 100).toFixed(2)} %`],
  ]
  const parts = [
    `<h1>${cell(head.names.join(' '))}</h1>`,
    table(['Figure', 'Value'], rows),
    thresholds.length === 0
      ? ''
      : table(
          ['Threshold', 'Value', 'Holds'],
          thresholds.map(({ expression, text, ok }) => [
            expression,
            text,
            ok === null ? 'no data' : ok ? 'yes' : 'no',
          ]),
        ),
    table(
      ['Kind', 'Test', 'Name', 'Method', 'Status', 'Count', 'Failed', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
      series.map(({ kind, test, name, method, status, count: n, failed, time }) => [
        kind,
        test,
        name,
        method,
        status,
        count(n),
        count(failed),
        ...[time?.p50, time?.p95, time?.p99, time?.max].map(millis),
      ]),
    ),
    errors.length === 0
      ? ''
      : table(
          ['Error', 'Message', 'Count'],
          errors.map(({ type, message, count: n }) => [type, message, count(n)]),
        ),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = rows.slice(0, mostRows)
  const more = rows.length > mostRows ? [`<p>and ${rows.length - mostRows} more</p>`] : []
  return [
    '<table>',
    `<tr>${names.map((name) => `<th>${cell(name)}</th>`).join('')}</tr>`,
    ...shown.map((row) => `<tr>${row.map((text) => `<td>${cell(text)}</td>`).join('')}</tr>`),
    '</table>',
    ...more,
  ].join('\n')
}

function cell(text: string): string {
  return escapeHtml(text.length > mostText ? `${text.slice(0, mostText)}…` : text)
}

function timeText({ p50, p95, p99, max }: Stats): string {
  return `p50 ${millis(p50)}, p95 ${millis(p95)}, p99 ${millis(p99)}, max ${millis(max)} (ms)`
}

function millis(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : String(Number(value.toPrecision(4)))
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
