import { agentKey } from '@loads-runner/history'
import {
  interruptedStatus,
  isHitKind,
  overflowName,
  scenarioTag,
  type SeriesTotals,
} from '@loads-runner/metrics'
import { runStateSchema, type AgentState } from '@loads-runner/protocol'
import type { OutputRun } from '../output.ts'
import type { MetricFamily } from './family.ts'
import { FamilyBook } from './family-book.ts'
import { LabelNames } from './label-names.ts'
import type { MetricName } from './names.ts'

const internalCounters: Readonly<Record<string, MetricName>> = {
  'socket.bytes-sent': 'loads_socket_bytes_sent_total',
  'socket.bytes-received': 'loads_socket_bytes_received_total',
}

const gone: ReadonlySet<AgentState> = new Set<AgentState>(['lost', 'fenced', 'done'])

const eventCounters: readonly [prefix: string, MetricName][] = [
  ['connection.', 'loads_connection_events_total'],
  ['socket.', 'loads_socket_events_total'],
]

/**
 * A run as families of cumulative metrics, at any moment. Counters and histograms are the totals that the view of the
 * run keeps, not sums of records: so they equal the summary whatever became of records on their way, also where this
 * began in the middle of the run. Figures of the warm-up are in none of them.
 */
export class RunFigures {
  readonly #run: OutputRun
  readonly #labelNames = new LabelNames()

  constructor(run: OutputRun) {
    this.#run = run
  }

  families(): MetricFamily[] {
    const { runId, spec, view } = this.#run
    const book = new FamilyBook({ run: runId, project: spec.project ?? '' })
    this.#addRun(book)
    for (const series of view.aggregate.series.values()) this.#addSeries(book, series)
    this.#addAgents(book)
    for (const { expression, ok } of view.thresholds)
      if (ok !== null) book.highest('loads_threshold_ok', { expression }, ok ? 1 : 0)
    for (const [name, { source, value }] of view.observations)
      book.highest('loads_observed', { source, name }, value)
    return book.families()
  }

  #addRun(book: FamilyBook): void {
    const { spec, view } = this.#run
    const labels = Object.entries(spec.labels).map(([name, value]) => [
      this.#labelNames.of('label_', name),
      value,
    ])
    book.highest(
      'loads_run_info',
      { user: spec.user ?? '', ...(Object.fromEntries(labels) as Record<string, string>) },
      1,
    )
    for (const state of runStateSchema.options)
      book.highest('loads_run_state', { state }, state === view.state ? 1 : 0)
    book.add('loads_users', {}, view.activeUsers)
    book.add('loads_starts_total', {}, view.started)
    if (!view.isOpen) return
    book.add('loads_starts_planned_total', {}, view.planned)
    book.add('loads_starts_dropped_total', {}, view.dropped)
  }

  #addSeries(book: FamilyBook, series: SeriesTotals): void {
    const { kind, test, name, method, status } = series.key
    const tags = this.#tagLabels(series.key.tags)
    const named = { test, name, ...tags }
    if (isHitKind(kind)) {
      const labels = { kind, ...named, method, status }
      book.add('loads_hits_total', labels, series.count)
      // One that was cut by the end of the run has not failed.
      book.add('loads_hits_failed_total', labels, status === interruptedStatus ? 0 : series.failed)
      book.addTimes('loads_hit_duration_seconds', labels, series)
      book.add('loads_bytes_received_total', labels, series.bytesIn)
      book.add('loads_bytes_sent_total', labels, series.bytesOut)
      return
    }
    switch (kind) {
      case 'hit-response':
        return book.addTimes('loads_response_time_seconds', { ...named, method, status }, series)
      case 'phase':
        return book.addTimes('loads_phase_duration_seconds', { ...named, method, phase: status }, series)
      case 'execution':
        book.add('loads_executions_total', { test, outcome: status, ...tags }, series.count)
        if (status === interruptedStatus) return
        return book.addTimes('loads_execution_duration_seconds', { test, outcome: status, ...tags }, series)
      case 'response':
        if (status === interruptedStatus) return
        return book.addTimes('loads_execution_response_time_seconds', { test, ...tags }, series)
      case 'lateness':
        return book.addTimes('loads_start_lateness_seconds', { test, ...tags }, series)
      case 'error':
        return book.add(
          'loads_errors_total',
          { type: series.detail?.type ?? name, test, ...tags },
          series.count,
        )
      case 'counter':
        return book.add('loads_counter_total', named, series.value)
      case 'gauge':
        // Those that share a series because there were too many names have no value in common.
        if (name !== overflowName) book.highest('loads_gauge', named, series.value)
        return
      case 'timing':
        return book.addTimes('loads_timing_seconds', named, series)
      case 'check':
        return book.add('loads_checks_total', { ...named, status }, series.count)
      case 'step':
        return book.addTimes('loads_step_duration_seconds', named, series)
      case 'internal':
        return this.#addInternal(book, series, { test, ...tags })
    }
  }

  #addInternal(
    book: FamilyBook,
    { key, value }: SeriesTotals,
    labels: Readonly<Record<string, string>>,
  ): void {
    const metric = internalCounters[key.name]
    if (metric !== undefined) return book.add(metric, labels, value)
    for (const [prefix, name] of eventCounters)
      if (key.name.startsWith(prefix))
        book.add(name, { ...labels, event: key.name.slice(prefix.length) }, value)
  }

  /** An agent that came back in another incarnation is one agent. */
  #addAgents(book: FamilyBook): void {
    const { agents, agentFigures } = this.#run.view
    for (const agent of agents.values()) {
      const labels = { agent: agent.id, host: agent.host }
      const figures = agentFigures.get(agentKey(agent.id, agent.incarnation))
      book.add('loads_agent_hits_total', labels, Math.max(agent.hits, figures?.hits ?? 0))
      book.add('loads_agent_windows_missing_total', labels, agent.windowsMissing)
      const isAtWork = !gone.has(agent.state)
      book.add('loads_agent_users', labels, isAtWork ? (figures?.activeUsers ?? agent.activeUsers) : 0)
      if (!isAtWork || figures === undefined || figures.toMs === null) continue
      book.highest('loads_agent_event_loop_lag_seconds', labels, figures.eventLoopLagMs / 1000)
      book.highest('loads_agent_cpu_cores', labels, figures.cpu)
      book.highest('loads_agent_lateness_seconds', labels, figures.latenessMs / 1000)
    }
  }

  #tagLabels(tags: Readonly<Record<string, string>>): Record<string, string> {
    const labels: Record<string, string> = {}
    for (const [tag, value] of Object.entries(tags)) {
      if (tag === scenarioTag) labels.scenario = value
      else labels[this.#labelNames.of('tag_', tag)] = value
    }
    return labels
  }
}
