import { heat, lines, stat, states, table, type Part } from '../panel.ts'
import { MappingType, type ValueMapping } from '@grafana/schema'
import { asTable, chosenNames, eachSpan, fields, influx, overTime, thisRun, wholeRun } from '../influxql.ts'

/** Panels that several dashboards of InfluxDB show. */

/** Fields that are rates, called by what they count. */
function perSecond(...counts: string[]): string {
  return counts.map((count) => `"${count}_per_second" AS "${count}"`).join(', ')
}

const common = { datasource: influx, height: 8 }

export const quantiles = fields('p50', 'p95', 'p99', 'p999', 'max')

export function rate(width = 12): Part {
  return lines({
    ...common,
    title: 'Rate, planned and actual',
    description:
      'Executions per second that fell due, that began, and that were dropped because no user was free. Models that are not driven by a rate have none of these: their hits per second are here alone.',
    targets: overTime(
      `SELECT ${perSecond('planned', 'started', 'dropped', 'hits')} FROM "loads_run" WHERE ${eachSpan}`,
    ),
    unit: 'reqps',
    width,
    colored: { dropped: 'bad' },
  })
}

export function users(width = 12): Part {
  return lines({
    ...common,
    title: 'Users',
    description: 'Virtual users that were active at the end of each interval, over all agents.',
    targets: overTime(`SELECT ${fields('active_users')} FROM "loads_run" WHERE ${eachSpan}`),
    unit: 'none',
    width,
  })
}

export function failures(width = 12): Part {
  return lines({
    ...common,
    title: 'Hits, failed hits, errors',
    description:
      'Hits per second, those of them that failed (no complete answer, or an unexpected status), and executions per second that ended as failure or error.',
    targets: overTime(`SELECT ${perSecond('hits', 'failed', 'errors')} FROM "loads_run" WHERE ${eachSpan}`),
    unit: 'reqps',
    width,
    colored: { failed: 'bad', errors: 'warn' },
  })
}

export function serviceTime(width = 12): Part {
  return lines({
    ...common,
    title: 'Service time',
    description:
      'From sending a request to the last byte of its answer: quantiles of all hits of the whole cluster in each interval. Choose the resolution above; nothing is averaged.',
    targets: overTime(`SELECT ${quantiles} FROM "loads_run" WHERE ${eachSpan}`),
    unit: 'ms',
    width,
  })
}

export function byStatus(width = 12): Part {
  return lines({
    ...common,
    title: 'Hits by status',
    description: 'Hits per second by HTTP status, or by the class of error where there was no answer.',
    targets: overTime(
      `SELECT sum("per_second") FROM "loads_hits" WHERE ${eachSpan} GROUP BY time($span), "status" fill(none)`,
      '$tag_status',
    ),
    unit: 'reqps',
    width,
    stacked: true,
  })
}

export function observed(width = 24): Part {
  return lines({
    ...common,
    title: 'The target itself',
    description: 'Figures that the target tells of itself, on the time axis of the run (--observe).',
    targets: overTime(
      `SELECT "value" FROM "loads_observed" WHERE ${thisRun} GROUP BY "source", "name"`,
      '$tag_name ($tag_source)',
    ),
    unit: 'short',
    width,
    noValue: 'nothing was observed',
  })
}

export function latencyHeat(width = 12): Part {
  return heat({
    ...common,
    title: 'Service time, every hit',
    description:
      'How many hits took how long: each row is a range of durations that ends at the figure beside it.',
    targets: overTime(
      `SELECT sum("hits") FROM "loads_latency" WHERE ${eachSpan} GROUP BY time($span), "le" fill(none)`,
      '$tag_le',
    ),
    unit: 'ms',
    width,
  })
}

export function agentTable(width = 24): Part {
  return table({
    ...common,
    title: 'Agents',
    description: 'Each agent of the run, how it stands, and what it has done so far, warm-up included.',
    targets: asTable(
      `SELECT ${fields('agent', 'host', 'state', 'active_users', 'hits', 'windows', 'windows_missing')} FROM "loads_agents" WHERE ${wholeRun}`,
    ),
    unit: 'none',
    width,
    columns: [
      { field: 'Time', title: 'Time', hidden: true },
      { field: 'agent', title: 'Agent' },
      { field: 'host', title: 'Host' },
      { field: 'state', title: 'State' },
      { field: 'active_users', title: 'Users' },
      { field: 'hits', title: 'Hits', unit: 'locale' },
      { field: 'windows', title: 'Windows' },
      { field: 'windows_missing', title: 'Missing', heat: true },
    ],
  })
}

export function eventTable(title: string, description: string, types: readonly string[], width = 12): Part {
  const where = types.map((type) => `"type" = '${type}'`).join(' OR ')
  return table({
    ...common,
    title,
    description,
    targets: asTable(
      `SELECT ${fields('type', 'state', 'title', 'text', 'source', 'ends_at')} FROM "loads_events" WHERE (${where}) AND ${thisRun}`,
    ),
    unit: 'none',
    width,
    columns: [
      { field: 'Time', title: 'Time', unit: 'dateTimeAsIso', width: 180 },
      { field: 'type', title: 'Type', width: 100 },
      { field: 'state', title: 'State', width: 100 },
      { field: 'title', title: 'What' },
      { field: 'text', title: 'Detail' },
      { field: 'source', title: 'By', width: 140 },
      { field: 'ends_at', title: 'Until', unit: 'dateTimeAsIso', width: 180 },
    ],
  })
}

const held: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: {
      true: { text: 'holds', color: 'green', index: 0 },
      false: { text: 'crossed', color: 'red', index: 1 },
    },
  },
]

export function thresholdStates(width = 12): Part {
  return states({
    ...common,
    title: 'Thresholds over time',
    description: 'Whether each threshold held, as it was judged while the run went on.',
    targets: overTime(
      `SELECT "ok" FROM "loads_thresholds" WHERE ${thisRun} GROUP BY "expression"`,
      '$tag_expression',
    ),
    unit: 'none',
    width,
    mappings: held,
    noValue: 'the run has no thresholds',
  })
}

export function thresholdTable(width = 12): Part {
  return table({
    ...common,
    title: 'Thresholds now',
    description: 'The last value of each threshold, in the unit of its expression, and whether it holds.',
    targets: asTable(
      `SELECT last("value") AS "value", last("ok") AS "ok" FROM "loads_thresholds" WHERE ${thisRun} GROUP BY "expression"`,
    ),
    unit: 'none',
    width,
    columns: [
      { field: 'Time', title: 'Time', hidden: true },
      { field: 'expression', title: 'Threshold' },
      { field: 'value', title: 'Value' },
      { field: 'ok', title: 'Holds', width: 100 },
    ],
  })
}

/** One figure of the whole run so far. */
export function total(
  title: string,
  description: string,
  what: string,
  unit: string,
  more: { decimals?: number; steps?: { color: string; value: number | null }[]; width?: number } = {},
): Part {
  const { width = 3, ...style } = more
  return stat({
    title,
    description,
    datasource: influx,
    targets: asTable(`SELECT ${what} AS "value" FROM "loads_run" WHERE ${wholeRun}`),
    unit,
    width,
    height: 4,
    noValue: '-',
    ...style,
    field: 'value',
  })
}

export function verdict(width = 3): Part {
  return stat({
    title: 'Verdict',
    description: 'What became of the run; nothing while it goes on.',
    datasource: influx,
    targets: asTable(`SELECT "exit_code", "verdict" FROM "loads_summary" WHERE "run" = '$run'`),
    unit: 'none',
    width,
    height: 4,
    noValue: 'running',
    field: 'verdict',
    mappings: [
      {
        type: MappingType.ValueToText,
        options: {
          passed: { color: 'green', index: 0 },
          failed: { color: 'red', index: 1 },
          incomplete: { color: 'orange', index: 2 },
          'generator-limited': { color: 'orange', index: 3 },
          aborted: { color: 'purple', index: 4 },
          infrastructure: { color: 'red', index: 5 },
        },
      },
    ],
  })
}

export function nameTable(): Part {
  return table({
    ...common,
    title: 'By name, whole run',
    description:
      'Each name of hits with figures of the whole run so far, all statuses together; quantiles are of all its hits on all agents. The redder, the slower or the more failed.',
    targets: asTable(
      `SELECT ${fields('kind', 'test', 'method', 'name', 'hits', 'failed', 'per_second', 'mean', 'p50', 'p95', 'p99', 'max')} FROM "loads_names" WHERE ${wholeRun} AND ${chosenNames}`,
    ),
    unit: 'none',
    width: 24,
    height: 10,
    columns: [
      { field: 'Time', title: 'Time', hidden: true },
      { field: 'kind', title: 'Kind', width: 90 },
      { field: 'test', title: 'Test' },
      { field: 'method', title: 'Method', width: 90 },
      { field: 'name', title: 'Name' },
      { field: 'hits', title: 'Hits', unit: 'locale', width: 110 },
      { field: 'failed', title: 'Failed', unit: 'locale', width: 100, heat: true },
      { field: 'per_second', title: 'Per second', unit: 'reqps', width: 110 },
      ...['mean', 'p50', 'p95', 'p99', 'max'].map((field) => ({
        field,
        title: field,
        unit: 'ms',
        width: 100,
        heat: field === 'p95' || field === 'p99',
      })),
    ],
    sortBy: 'Hits',
  })
}
