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
import { labelSet, type LabelSet } from './label-set.ts'
import type { MetricName } from './names.ts'

const gone: ReadonlySet<AgentState> = new Set<AgentState>(['lost', 'fenced', 'done'])

function internalMetric(name: string): MetricName | null {
  if (name === 'socket.bytes-sent') return 'loads_socket_bytes_sent_total'
  if (name === 'socket.bytes-received') return 'loads_socket_bytes_received_total'
  if (name.startsWith('connection.')) return 'loads_connection_events_total'
  return name.startsWith('socket.') ? 'loads_socket_events_total' : null
}

/**
 * A run as families of cumulative metrics, at any moment. Counters and histograms are the totals that the view of the
 * run keeps, not sums of records: so they equal the summary whatever became of records on their way, also where this
 * began in the middle of the run. Figures of the warm-up are in none of them.
 */
export class RunFigures {
  readonly #run: OutputRun
  readonly #common: Readonly<Record<string, string>>
  readonly #labelNames = new LabelNames()
  /** Labels of a series stay the same: they are made once, and are the same array every time. */
  readonly #labels = new WeakMap<SeriesTotals, LabelSet>()

  constructor(run: OutputRun) {
    this.#run = run
    this.#common = { run: run.runId, project: run.spec.project ?? '' }
  }

  families(): MetricFamily[] {
    const { view } = this.#run
    const book = new FamilyBook()
    this.#addRun(book)
    for (const series of view.aggregate.series.values()) this.#addSeries(book, series)
    this.#addAgents(book)
    for (const { expression, ok } of view.thresholds)
      if (ok !== null) book.highest('loads_threshold_ok', this.#set({ expression }), ok ? 1 : 0)
    for (const [name, { source, value }] of view.observations)
      book.highest('loads_observed', this.#set({ source, name }), value)
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
      this.#set({ user: spec.user ?? '', ...(Object.fromEntries(labels) as Record<string, string>) }),
      1,
    )
    for (const state of runStateSchema.options)
      book.highest('loads_run_state', this.#set({ state }), state === view.state ? 1 : 0)
    const none = this.#set({})
    book.add('loads_users', none, view.activeUsers)
    book.add('loads_starts_total', none, view.started)
    if (!view.isOpen) return
    book.add('loads_starts_planned_total', none, view.planned)
    book.add('loads_starts_dropped_total', none, view.dropped)
  }

  #addSeries(book: FamilyBook, series: SeriesTotals): void {
    const { kind, name, status } = series.key
    const labels = this.#labelsOf(series)
    if (isHitKind(kind)) {
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
        return book.addTimes('loads_response_time_seconds', labels, series)
      case 'phase':
        return book.addTimes('loads_phase_duration_seconds', labels, series)
      case 'execution':
        book.add('loads_executions_total', labels, series.count)
        if (status === interruptedStatus) return
        return book.addTimes('loads_execution_duration_seconds', labels, series)
      case 'response':
        if (status === interruptedStatus) return
        return book.addTimes('loads_execution_response_time_seconds', labels, series)
      case 'lateness':
        return book.addTimes('loads_start_lateness_seconds', labels, series)
      case 'error':
        return book.add('loads_errors_total', labels, series.count)
      case 'counter':
        return book.add('loads_counter_total', labels, series.value)
      case 'gauge':
        // Those that share a series because there were too many names have no value in common.
        if (name !== overflowName) book.highest('loads_gauge', labels, series.value)
        return
      case 'timing':
        return book.addTimes('loads_timing_seconds', labels, series)
      case 'check':
        return book.add('loads_checks_total', labels, series.count)
      case 'step':
        return book.addTimes('loads_step_duration_seconds', labels, series)
      case 'internal': {
        const metric = internalMetric(name)
        if (metric !== null) book.add(metric, labels, series.value)
      }
    }
  }

  #labelsOf(series: SeriesTotals): LabelSet {
    let labels = this.#labels.get(series)
    if (labels === undefined) this.#labels.set(series, (labels = this.#set(this.#ownLabels(series))))
    return labels
  }

  #ownLabels({ key, detail }: SeriesTotals): Record<string, string> {
    const { kind, test, name, method, status } = key
    const tags = this.#tagLabels(key.tags)
    switch (kind) {
      case 'hit-response':
        return { test, name, method, status, ...tags }
      case 'phase':
        return { test, name, method, phase: status, ...tags }
      case 'execution':
        return { test, outcome: status, ...tags }
      case 'error':
        return { test, type: detail?.type ?? name, ...tags }
      case 'check':
        return { test, name, status, ...tags }
      case 'response':
      case 'lateness':
        return { test, ...tags }
      case 'internal':
        return internalMetric(name)?.endsWith('_events_total') === true
          ? { test, event: name.slice(name.indexOf('.') + 1), ...tags }
          : { test, ...tags }
      case 'counter':
      case 'gauge':
      case 'timing':
      case 'step':
        return { test, name, ...tags }
      default:
        return { kind, test, name, method, status, ...tags }
    }
  }

  #set(labels: Readonly<Record<string, string>>): LabelSet {
    return labelSet({ ...labels, ...this.#common })
  }

  /** An agent that came back in another incarnation is one agent. */
  #addAgents(book: FamilyBook): void {
    const { agents, agentFigures } = this.#run.view
    for (const agent of agents.values()) {
      const labels = this.#set({ agent: agent.id, host: agent.host })
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
