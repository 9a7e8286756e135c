import { dashboard } from '../dashboard.ts'
import {
  asTable,
  chosenNames,
  eachSpan,
  fields,
  influx,
  moments,
  oneRunByName,
  overTime,
  wholeRun,
} from '../influxql.ts'
import { lines, table } from '../panel.ts'
import {
  byStatus,
  eventTable,
  failures,
  latencyHeat,
  nameTable,
  observed,
  rate,
  serviceTime,
  thresholdStates,
  thresholdTable,
  total,
  users,
  verdict,
} from './figures.ts'

const half = { datasource: influx, width: 12, height: 8 }

export const run = dashboard({
  uid: 'loads-run',
  title: 'Loads: run',
  description: 'One run: its rate, its errors, its latencies, name by name.',
  tags: ['influxdb'],
  variables: oneRunByName,
  annotations: moments,
  sections: [
    {
      title: 'The whole run so far',
      panels: [
        verdict(),
        total('Hits', 'Requests that were tried, warm-up excluded.', '"hits"', 'locale'),
        total('Failed', 'Share of hits that failed.', '"failed" / "hits"', 'percentunit', {
          decimals: 2,
          steps: [
            { color: 'green', value: null },
            { color: 'orange', value: 0.001 },
            { color: 'red', value: 0.01 },
          ],
        }),
        total('Hits per second', 'Mean over the whole load.', '"hits_per_second"', 'reqps', { decimals: 1 }),
        total('p50', 'Half of all hits took no longer.', '"p50"', 'ms', { decimals: 1 }),
        total('p95', '95 of 100 hits took no longer.', '"p95"', 'ms', { decimals: 1 }),
        total('p99', '99 of 100 hits took no longer.', '"p99"', 'ms', { decimals: 1 }),
        total('Users now', 'Virtual users that are active now.', '"active_users"', 'none'),
      ],
    },
    { title: 'Load', panels: [rate(), users(), failures(), byStatus()] },
    {
      title: 'Latency',
      panels: [
        serviceTime(),
        latencyHeat(),
        lines({
          ...half,
          title: 'Response time, from the intended start',
          description:
            'Of the first hit of each execution, from when its start was due: what waiting users would feel. Only in models that are driven by a rate.',
          targets: overTime(
            `SELECT ${fields('response_p50', 'response_p95', 'response_p99', 'lateness_p99')} FROM "loads_run" WHERE ${eachSpan}`,
          ),
          unit: 'ms',
          noValue: 'not a model with a rate',
        }),
        lines({
          ...half,
          title: 'Bytes',
          description: 'Bytes of requests and answers per interval.',
          targets: overTime(`SELECT ${fields('bytes_in', 'bytes_out')} FROM "loads_run" WHERE ${eachSpan}`),
          unit: 'bytes',
        }),
      ],
    },
    {
      title: 'By name',
      panels: [
        nameTable(),
        lines({
          ...half,
          title: 'p95 by name',
          description: 'The 95 % quantile of each chosen name, of all its hits in each interval.',
          targets: overTime(
            `SELECT "p95" FROM "loads_names" WHERE ${eachSpan} AND ${chosenNames} GROUP BY "test", "method", "name"`,
            '$tag_method $tag_name',
          ),
          unit: 'ms',
        }),
        lines({
          ...half,
          title: 'Hits by name',
          description: 'Hits per second of each chosen name.',
          targets: overTime(
            `SELECT "per_second" FROM "loads_names" WHERE ${eachSpan} AND ${chosenNames} GROUP BY "test", "method", "name"`,
            '$tag_method $tag_name',
          ),
          unit: 'reqps',
        }),
      ],
    },
    {
      title: 'Errors and thresholds',
      panels: [
        table({
          ...half,
          title: 'Errors',
          description:
            'Groups of errors of the whole run so far; numbers, ids and quoted texts in them count as the same.',
          targets: asTable(
            `SELECT ${fields('type', 'message', 'count', 'first_seen', 'last_seen')} FROM "loads_errors" WHERE ${wholeRun}`,
          ),
          unit: 'none',
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'type', title: 'Type', width: 160 },
            { field: 'message', title: 'The first message' },
            { field: 'count', title: 'Count', unit: 'locale', width: 100, heat: true },
            { field: 'first_seen', title: 'First', unit: 'dateTimeAsIso', width: 180 },
            { field: 'last_seen', title: 'Last', unit: 'dateTimeAsIso', width: 180 },
          ],
          sortBy: 'Count',
          noValue: 'no errors',
        }),
        table({
          ...half,
          title: 'Executions',
          description:
            'Executions of each test, whole run so far: what became of them, and how long they took.',
          targets: asTable(
            `SELECT ${fields('test', 'successes', 'failures', 'errors', 'interrupted', 'p50', 'p95', 'p99')} FROM "loads_executions" WHERE ${wholeRun} AND "test" =~ /^$test$/`,
          ),
          unit: 'none',
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'test', title: 'Test' },
            { field: 'failures', title: 'failures', heat: true },
            { field: 'errors', title: 'errors', heat: true },
            ...['p50', 'p95', 'p99'].map((field) => ({ field, title: field, unit: 'ms' })),
          ],
        }),
        thresholdStates(),
        thresholdTable(),
      ],
    },
    {
      title: "The target's own figures, and what tests recorded",
      panels: [
        observed(),
        table({
          ...half,
          title: 'Checks, steps, counters, gauges, timings',
          description: 'What tests recorded under names of their own, whole run so far.',
          targets: asTable(
            `SELECT ${fields('kind', 'test', 'name', 'count', 'failed', 'value', 'per_second', 'p50', 'p95', 'p99')} FROM "loads_custom" WHERE ${wholeRun}`,
          ),
          unit: 'none',
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'failed', title: 'failed', heat: true },
            ...['p50', 'p95', 'p99'].map((field) => ({ field, title: field, unit: 'ms' })),
          ],
        }),
        table({
          ...half,
          title: 'Phases',
          description: 'Parts of the time of hits (--phases), whole run so far.',
          targets: asTable(
            `SELECT ${fields('test', 'method', 'name', 'phase', 'count', 'mean', 'p50', 'p95', 'p99')} FROM "loads_phases" WHERE ${wholeRun}`,
          ),
          unit: 'ms',
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'count', title: 'count', unit: 'locale' },
            { field: 'p95', title: 'p95', heat: true },
          ],
          noValue: 'phases were not measured',
        }),
      ],
    },
    {
      title: 'Moments',
      panels: [
        eventTable(
          'Moments',
          'Starts, stops, notes, faults, agents, operators and thresholds, as they came.',
          ['start', 'stop', 'state', 'agent', 'fault', 'note', 'control', 'threshold'],
          24,
        ),
      ],
    },
  ],
})
