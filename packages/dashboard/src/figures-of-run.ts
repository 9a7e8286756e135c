import { agentKey, type RunView } from '@loads-runner/history'
import { loadText } from './load-text.ts'
import type { AgentRow, ErrorRow, RunHead, RunTotals, ScenarioHead } from './model.ts'
import { round } from './moment.ts'

/** The parts of a model that are read off a view of the run. */

/** More groups of errors say nothing more. */
const mostErrors = 200

export function headOf(view: RunView, runId: string, submittedAt: number | null): RunHead {
  const { spec, summary } = view
  return {
    runId,
    names: [...(spec?.names ?? [])],
    project: spec?.project ?? null,
    user: spec?.user ?? null,
    labels: { ...spec?.labels },
    state: view.state,
    note: view.note,
    seed: spec?.seed ?? 0,
    submittedAt: submittedAt ?? view.submittedAt ?? 0,
    startedAt: view.startedAt,
    elapsedMs: Math.round(summary === null ? view.elapsedMs() : summary.durationSeconds * 1000),
    plannedMs: view.plannedMs(),
    progress: view.progress(),
    warmUpMs: spec?.warmUpMs ?? 0,
    scenarios: scenariosOf(view),
  }
}

function scenariosOf({ spec, controls }: RunView): ScenarioHead[] {
  return (spec?.profile.scenarios ?? []).map((scenario) => {
    const model = scenario.stages.find(({ type }) => type === 'externally-controlled')
    const controlled = model?.type === 'externally-controlled' ? model : null
    const asked = controls.get(scenario.name)
    return {
      name: scenario.name,
      load: loadText(scenario),
      controls: controlled?.controls ?? null,
      target: asked?.target ?? controlled?.start ?? null,
      paused: asked?.paused ?? false,
    }
  })
}

/** Totals of the merged series: at the end they are the summary's. */
export function totalsOf(view: RunView): RunTotals {
  const { aggregate, summary, isOpen } = view
  const hits = aggregate.hits()
  const tests = aggregate.tests()
  const responses = aggregate.responseTime()
  const schedule = summary?.schedule
  return {
    hits: hits.count,
    failedHits: hits.failed,
    executions: tests.finished,
    failures: tests.failures,
    errors: tests.errors,
    activeUsers: summary === null ? view.activeUsers : 0,
    planned: isOpen ? (schedule?.planned ?? view.planned) : null,
    started: schedule?.started ?? view.started,
    dropped: schedule?.dropped ?? view.dropped,
    bytesIn: hits.bytesIn,
    bytesOut: hits.bytesOut,
    serviceTime: aggregate.serviceTime().stats(),
    responseTime: responses.count === 0 ? null : responses.stats(),
    coverage: summary?.coverage.ratio ?? coverageOf(view),
  }
}

function coverageOf({ agents, agentFigures }: RunView): number {
  let received = 0
  let missing = 0
  for (const [key, view] of agents) {
    received += agentFigures.get(key)?.windows ?? view.windows
    missing += view.windowsMissing
  }
  return received + missing === 0 ? 1 : received / (received + missing)
}

export function errorRows({ aggregate }: RunView): ErrorRow[] {
  return aggregate
    .errorGroups()
    .slice(0, mostErrors)
    .map(({ detail, count, lastSeen }) => ({
      type: detail.type,
      message: detail.message,
      count,
      firstSeen: detail.firstSeen,
      lastSeen: Math.max(lastSeen, detail.firstSeen),
      sample: detail.sample,
    }))
}

export function agentRows(view: RunView): AgentRow[] {
  const rows = [...view.agents.values()].map((agent) => {
    const figures = view.agentFigures.get(agentKey(agent.id, agent.incarnation))
    const gone = agent.state === 'lost' || agent.state === 'fenced' || agent.state === 'done'
    const ended = view.summary?.agents.filter(({ id }) => id === agent.id) ?? []
    // A name may have had several processes: then the summary does not say which of them did what.
    const last = ended.length === 1 ? ended[0] : undefined
    return {
      id: agent.id,
      incarnation: agent.incarnation,
      host: agent.host,
      state: agent.state as string,
      activeUsers: gone ? 0 : (figures?.activeUsers ?? agent.activeUsers),
      hits: last?.hits ?? figures?.hits ?? agent.hits,
      share: 0,
      eventLoopLagMs: round(figures?.eventLoopLagMs ?? 0),
      cpu: gone ? 0 : round(figures?.cpu ?? 0),
      latenessMs: round(figures?.latenessMs ?? 0),
      windows: last?.windows ?? figures?.windows ?? agent.windows,
      windowsMissing: last?.windowsLost ?? agent.windowsMissing,
    }
  })
  const hits = rows.reduce((sum, row) => sum + row.hits, 0)
  for (const row of rows) row.share = hits === 0 ? 0 : row.hits / hits
  return rows
}
