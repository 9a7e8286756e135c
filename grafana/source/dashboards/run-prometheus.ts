import { dashboard } from '../dashboard.ts'
import { heat, lines, stat, table, type Part } from '../panel.ts'
import {
  asHeat,
  chosenNames,
  now,
  ofRun,
  overTime,
  perSecond,
  prometheus,
  promMoments,
  promVariables,
  quantile,
  totalOf,
  totalQuantile,
} from '../promql.ts'

const duration = 'loads_hit_duration_seconds'
const half = { datasource: prometheus, width: 12, height: 8 }

function total(title: string, description: string, expr: string, unit: string, decimals = 0): Part {
  return stat({
    title,
    description,
    datasource: prometheus,
    targets: now({ value: expr }),
    unit,
    decimals,
    width: 4,
    height: 4,
    noValue: '-',
  })
}

function quantiles(metric: string): Record<string, string> {
  return {
    p50: quantile(0.5, metric),
    p95: quantile(0.95, metric),
    p99: quantile(0.99, metric),
    'p99.9': quantile(0.999, metric),
  }
}

const byName = (expr: string) => overTime({ '{{method}} {{name}}': expr })

export const runPrometheus = dashboard({
  uid: 'loads-run-prometheus',
  title: 'Loads: run (Prometheus)',
  description: 'One run out of Prometheus, with quantiles of native histograms: within 1 % of the summary.',
  tags: ['prometheus'],
  variables: promVariables,
  annotations: promMoments,
  sections: [
    {
      title: 'The whole run so far',
      panels: [
        total('Hits', 'Requests that were tried, warm-up excluded.', totalOf('loads_hits_total'), 'locale'),
        total(
          'Failed',
          'Share of hits that failed.',
          `${totalOf('loads_hits_failed_total')} / ${totalOf('loads_hits_total')}`,
          'percentunit',
          2,
        ),
        total('p50', 'Half of all hits took no longer.', totalQuantile(0.5, duration), 's', 4),
        total('p95', '95 of 100 hits took no longer.', totalQuantile(0.95, duration), 's', 4),
        total('p99', '99 of 100 hits took no longer.', totalQuantile(0.99, duration), 's', 4),
        total('Users now', 'Virtual users that were active last.', totalOf('loads_users'), 'none'),
      ],
    },
    {
      title: 'Load',
      panels: [
        lines({
          ...half,
          title: 'Rate, planned and actual',
          description:
            'Executions per second that fell due, that began, that were dropped; and hits per second.',
          targets: overTime({
            planned: perSecond('loads_starts_planned_total'),
            started: perSecond('loads_starts_total'),
            dropped: perSecond('loads_starts_dropped_total'),
            hits: perSecond('loads_hits_total'),
          }),
          unit: 'reqps',
          colored: { dropped: 'bad' },
        }),
        lines({
          ...half,
          title: 'Users',
          description: 'Virtual users that are active, over all agents.',
          targets: overTime({ users: `sum (${ofRun('loads_users')})` }),
          unit: 'none',
        }),
        lines({
          ...half,
          title: 'Hits, failed hits, errors',
          description: 'Hits per second, those that failed, and executions per second that did not succeed.',
          targets: overTime({
            hits: perSecond('loads_hits_total'),
            failed: perSecond('loads_hits_failed_total'),
            errors: perSecond('loads_executions_total', '', 'outcome=~"failure|error"'),
          }),
          unit: 'reqps',
          colored: { failed: 'bad', errors: 'warn' },
        }),
        lines({
          ...half,
          title: 'Hits by status',
          description: 'Hits per second by HTTP status, or by the class of error where there was no answer.',
          targets: overTime({ '{{status}}': perSecond('loads_hits_total', 'status') }),
          unit: 'reqps',
          stacked: true,
        }),
      ],
    },
    {
      title: 'Latency',
      panels: [
        lines({
          ...half,
          title: 'Service time',
          description: 'Quantiles of all hits of the cluster, of merged native histograms.',
          targets: overTime(quantiles(duration)),
          unit: 's',
        }),
        heat({
          ...half,
          title: 'Service time, every hit',
          description: 'How many hits took how long, out of the native histograms.',
          targets: asHeat(perSecond(duration)),
          unit: 's',
        }),
        lines({
          ...half,
          title: 'Response time, from the intended start',
          description:
            'Of the first hit of each execution, from when its start was due; models with a rate only.',
          targets: overTime(quantiles('loads_response_time_seconds')),
          unit: 's',
        }),
        lines({
          ...half,
          title: 'Bytes',
          description: 'Bytes per second of requests and answers.',
          targets: overTime({
            received: perSecond('loads_bytes_received_total'),
            sent: perSecond('loads_bytes_sent_total'),
          }),
          unit: 'Bps',
        }),
      ],
    },
    {
      title: 'By name',
      panels: [
        table({
          ...half,
          width: 24,
          title: 'By name, whole run',
          description: 'Hits, failed hits and quantiles of each name over the whole run.',
          targets: now(
            {
              hits: totalOf('loads_hits_total', 'test, method, name', chosenNames),
              failed: totalOf('loads_hits_failed_total', 'test, method, name', chosenNames),
              p95: totalQuantile(0.95, duration, 'test, method, name', chosenNames),
              p99: totalQuantile(0.99, duration, 'test, method, name', chosenNames),
            },
            'table',
          ),
          unit: 'none',
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'Value #A', title: 'Hits', unit: 'locale' },
            { field: 'Value #B', title: 'Failed', unit: 'locale', heat: true },
            { field: 'Value #C', title: 'p95', unit: 's', heat: true },
            { field: 'Value #D', title: 'p99', unit: 's', heat: true },
          ],
          transformations: [{ id: 'merge', options: {} }],
        }),
        lines({
          ...half,
          title: 'p95 by name',
          description: 'The 95 % quantile of each chosen name.',
          targets: byName(quantile(0.95, duration, 'method, name', chosenNames)),
          unit: 's',
        }),
        lines({
          ...half,
          title: 'Hits by name',
          description: 'Hits per second of each chosen name.',
          targets: byName(perSecond('loads_hits_total', 'method, name', chosenNames)),
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
          description: 'Errors of the whole run by type.',
          targets: now({ count: totalOf('loads_errors_total', 'type') }, 'table'),
          unit: 'none',
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'type', title: 'Type' },
            { field: 'Value', title: 'Count', unit: 'locale', heat: true },
          ],
          noValue: 'no errors',
        }),
        table({
          ...half,
          title: 'Thresholds',
          description: '1 where a threshold holds, 0 where it is crossed.',
          targets: now(
            { ok: `min by (expression) (last_over_time(${ofRun('loads_threshold_ok')}[$__range]))` },
            'table',
          ),
          unit: 'none',
          columns: [
            { field: 'Time', title: 'Time', hidden: true },
            { field: 'expression', title: 'Threshold' },
            { field: 'Value', title: 'Holds' },
          ],
        }),
      ],
    },
    {
      title: 'Agents and the target',
      panels: [
        lines({
          ...half,
          title: 'Hits by agent',
          description: 'Hits per second of each agent.',
          targets: overTime({ '{{agent}}': perSecond('loads_agent_hits_total', 'agent') }),
          unit: 'reqps',
          stacked: true,
        }),
        lines({
          ...half,
          title: 'Event loop lag by agent',
          description: 'The longest that a load thread was busy with something else in the last second.',
          targets: overTime({
            '{{agent}}': `max by (agent) (${ofRun('loads_agent_event_loop_lag_seconds')})`,
          }),
          unit: 's',
        }),
        lines({
          ...half,
          title: 'Processor by agent',
          description: 'Cores in use by each agent.',
          targets: overTime({ '{{agent}}': `sum by (agent) (${ofRun('loads_agent_cpu_cores')})` }),
          unit: 'none',
        }),
        lines({
          ...half,
          title: 'The target itself',
          description: 'Figures that the target tells of itself (--observe).',
          targets: overTime({ '{{name}}': ofRun('loads_observed') }),
          unit: 'short',
          noValue: 'nothing was observed',
        }),
      ],
    },
  ],
})
