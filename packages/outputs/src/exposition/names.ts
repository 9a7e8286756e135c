import type { MetricFamily } from './family.ts'

type Row = [name: string, type: MetricFamily['type'], unit: MetricFamily['unit'], help: string]

/** All metrics of a run, in the order in which they are shown. The table in the README of this package tells more. */
const rows = [
  ['loads_run_info', 'gauge', '', 'Always 1; its labels tell what the run is'],
  ['loads_run_state', 'gauge', '', '1 for the state that the run is in, 0 for the others'],
  ['loads_users', 'gauge', '', 'Active users'],
  ['loads_hits_total', 'counter', '', 'Hits after the warm-up, failed and interrupted ones included'],
  ['loads_hits_failed_total', 'counter', '', 'Hits after the warm-up without the answer that was expected'],
  [
    'loads_hit_duration_seconds',
    'histogram',
    'seconds',
    'Service time of hits: from sending to the last byte',
  ],
  [
    'loads_response_time_seconds',
    'histogram',
    'seconds',
    'From the intended start to the end of the first hit of an execution (open models)',
  ],
  ['loads_phase_duration_seconds', 'histogram', 'seconds', 'Parts of the time of hits'],
  ['loads_bytes_received_total', 'counter', 'bytes', 'Bytes received by hits'],
  ['loads_bytes_sent_total', 'counter', 'bytes', 'Bytes sent by hits'],
  [
    'loads_executions_total',
    'counter',
    '',
    'Executions of tests that have ended after the warm-up, by outcome',
  ],
  [
    'loads_execution_duration_seconds',
    'histogram',
    'seconds',
    'Duration of executions that were not interrupted',
  ],
  [
    'loads_execution_response_time_seconds',
    'histogram',
    'seconds',
    'From the intended start to the end of an execution (open models)',
  ],
  [
    'loads_starts_planned_total',
    'counter',
    '',
    'Executions that fell due, the warm-up included (open models)',
  ],
  ['loads_starts_total', 'counter', '', 'Executions that began, the warm-up included'],
  ['loads_starts_dropped_total', 'counter', '', 'Executions that fell due and never began (open models)'],
  [
    'loads_start_lateness_seconds',
    'histogram',
    'seconds',
    'From the intended to the actual start of executions (open models)',
  ],
  ['loads_errors_total', 'counter', '', 'Errors by type'],
  ['loads_counter_total', 'counter', '', 'Counters that tests keep, by name'],
  ['loads_gauge', 'gauge', '', 'Gauges that tests set, by name'],
  ['loads_timing_seconds', 'histogram', 'seconds', 'Durations that tests record, by name'],
  ['loads_checks_total', 'counter', '', 'Checks by name; status is ok or failed'],
  ['loads_step_duration_seconds', 'histogram', 'seconds', 'Duration of steps, by name'],
  [
    'loads_connection_events_total',
    'counter',
    '',
    'What became of connections: opened, closed, tls, tls-resumed',
  ],
  [
    'loads_socket_events_total',
    'counter',
    '',
    'What happened on WebSockets: opened, closed, message-sent, message-received',
  ],
  ['loads_socket_bytes_sent_total', 'counter', 'bytes', 'Bytes sent on WebSockets after the handshake'],
  [
    'loads_socket_bytes_received_total',
    'counter',
    'bytes',
    'Bytes received on WebSockets after the handshake',
  ],
  ['loads_agent_users', 'gauge', '', 'Active users by agent'],
  ['loads_agent_hits_total', 'counter', '', 'Hits by agent, the warm-up included'],
  ['loads_agent_windows_missing_total', 'counter', '', 'Windows of figures that were given up, by agent'],
  [
    'loads_agent_event_loop_lag_seconds',
    'gauge',
    'seconds',
    'Lag of the event loop in the last second, by agent',
  ],
  ['loads_agent_cpu_cores', 'gauge', '', 'Use of processors in the last second, by agent; 1 is one core'],
  ['loads_agent_lateness_seconds', 'gauge', 'seconds', 'Lateness of starts in the last second, by agent'],
  ['loads_threshold_ok', 'gauge', '', '1 where a threshold holds, 0 where it is crossed'],
  ['loads_observed', 'gauge', '', 'What the target says of itself, by name'],
] as const satisfies Row[]

export type MetricName = (typeof rows)[number][0]

export interface Metric {
  name: MetricName
  type: MetricFamily['type']
  unit: MetricFamily['unit']
  help: string
}

export const metrics: readonly Metric[] = rows.map(([name, type, unit, help]) => ({ name, type, unit, help }))

const byName = new Map(metrics.map((metric) => [metric.name, metric]))

export function metricNamed(name: MetricName): Metric {
  return byName.get(name)!
}
