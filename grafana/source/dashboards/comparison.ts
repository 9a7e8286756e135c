import { dashboard } from '../dashboard.ts'
import { asTable, fields, influx, twoRuns } from '../influxql.ts'
import { overlaid, table, type Part } from '../panel.ts'

const both = `("run" = '$before' OR "run" = '$after')`
const runs = [
  { variable: 'before', label: 'before' },
  { variable: 'after', label: 'after' },
] as const

/** One figure of both runs by the time since each began. */
function sideBySide(title: string, description: string, field: string, unit: string): Part {
  return overlaid({
    title,
    description: `${description} Both runs begin at 0; the resolution is chosen above.`,
    datasource: influx,
    targets: asTable(
      ...runs.map(
        ({ variable, label }) =>
          `SELECT "elapsed_seconds", "${field}" AS "${label}" FROM "loads_run" WHERE "run" = '$${variable}' AND "span" = '$span'`,
      ),
    ),
    unit,
    width: 12,
    height: 8,
    xField: 'elapsed_seconds',
    xUnit: 's',
  })
}

const millis = (...names: string[]) => names.map((field) => ({ field, title: field, unit: 'ms' }))

export const comparison = dashboard({
  uid: 'loads-comparison',
  title: 'Loads: comparison',
  description: 'Two runs over the time since each began, whatever the days they ran on.',
  tags: ['influxdb'],
  variables: twoRuns,
  // Two runs have no moments in common.
  annotations: [],
  sections: [
    {
      title: 'Whole runs',
      panels: [
        table({
          title: 'Both runs',
          description: 'The figures of each whole run. Time ranges of the dashboard do not matter here.',
          datasource: influx,
          targets: asTable(
            `SELECT ${fields('run', 'hits', 'failed', 'hits_per_second', 'executions', 'failures', 'errors', 'mean', 'p50', 'p95', 'p99', 'p999', 'max', 'duration_seconds')} FROM "loads_run" WHERE ${both} AND "span" = 'run'`,
          ),
          unit: 'none',
          width: 24,
          height: 5,
          columns: [
            { field: 'Time', title: 'Began', unit: 'dateTimeAsIso', width: 180 },
            { field: 'run', title: 'Run' },
            { field: 'hits', title: 'Hits', unit: 'locale' },
            { field: 'failed', title: 'Failed', unit: 'locale' },
            { field: 'hits_per_second', title: 'Per second', unit: 'reqps' },
            { field: 'duration_seconds', title: 'Duration', unit: 's' },
            ...millis('mean', 'p50', 'p95', 'p99', 'p999', 'max'),
          ],
        }),
        table({
          title: 'Verdicts',
          description: 'How each run ended.',
          datasource: influx,
          targets: asTable(
            `SELECT ${fields('run', 'verdict', 'exit_code', 'coverage', 'dropped', 'lost')} FROM "loads_summary" WHERE ${both}`,
          ),
          unit: 'none',
          width: 24,
          height: 5,
          columns: [
            { field: 'Time', title: 'Ended', unit: 'dateTimeAsIso', width: 180 },
            { field: 'run', title: 'Run' },
            { field: 'coverage', title: 'Coverage', unit: 'percentunit' },
          ],
        }),
      ],
    },
    {
      title: 'Over the time since the start',
      panels: [
        sideBySide('Hits per second', 'Hits of the whole cluster.', 'hits_per_second', 'reqps'),
        sideBySide('Failed hits per second', 'Hits that failed.', 'failed_per_second', 'reqps'),
        sideBySide('p50', 'Half of the hits of each interval took no longer.', 'p50', 'ms'),
        sideBySide('p95', '95 of 100 hits of each interval took no longer.', 'p95', 'ms'),
        sideBySide('p99', '99 of 100 hits of each interval took no longer.', 'p99', 'ms'),
        sideBySide('Users', 'Active users at the end of each interval.', 'active_users', 'none'),
      ],
    },
    {
      title: 'By name',
      panels: [
        table({
          title: 'Each name in both runs',
          description: 'Figures of each whole run by name, all statuses together. Sort by name to see pairs.',
          datasource: influx,
          targets: asTable(
            `SELECT ${fields('name', 'method', 'test', 'run', 'hits', 'failed', 'mean', 'p50', 'p95', 'p99', 'max')} FROM "loads_names" WHERE ${both} AND "span" = 'run'`,
          ),
          unit: 'none',
          width: 24,
          height: 12,
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'hits', title: 'Hits', unit: 'locale' },
            { field: 'failed', title: 'Failed', unit: 'locale', heat: true },
            ...millis('mean', 'p50', 'max'),
            { field: 'p95', title: 'p95', unit: 'ms', heat: true },
            { field: 'p99', title: 'p99', unit: 'ms', heat: true },
            { field: 'name', title: 'Name' },
          ],
          sortBy: 'Name',
        }),
      ],
    },
  ],
})
