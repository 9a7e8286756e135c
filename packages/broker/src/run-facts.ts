import { summarize, type RunFacts, type Summary } from '@loads-runner/metrics'
import type { RunSpec } from '@loads-runner/protocol'
import { isOpen, plannedExecutions, runStages } from '@loads-runner/testcase/load'
import { coverageOf } from './coverage.ts'
import { sumLedgers } from './ledger.ts'
import type { Member } from './member.ts'
import type { RunFigures } from './run-figures.ts'
import { judge, type Cause, type Judgement } from './verdict.ts'

export interface RunEnd {
  runId: string
  spec: RunSpec
  members: readonly Member[]
  causes: readonly Cause[]
  figures: RunFigures
  /** What became of leased rows. */
  feeds: NonNullable<RunFacts['feeds']>
  /** Epoch milliseconds. */
  endedAt: number
}

/** Closes the books of a run: coverage, ledgers, verdict and summary. */
export function closeRun({ runId, spec, members, causes, figures, feeds, endedAt }: RunEnd): {
  judgement: Judgement
  summary: Summary
} {
  const agents = members.map((member) => agentRow(member))
  const coverage = coverageOf(members.map((member) => member.closedWindows()))
  const ledger = sumLedgers(agents.map((agent) => agent.ledger))
  const { health, startedAt, overflowed, aggregate } = figures
  const thresholds = figures.thresholds.close(figures.elapsedMs())
  const limit = health.limit()
  const judgement = judge({
    causes: [
      ...causes,
      ...(limit === null ? [] : [{ exitCode: 6, reason: limit }]),
      // A run that never made load has better reasons to have failed.
      ...(startedAt === null ? [] : thresholds.causes),
    ],
    tests: { finished: aggregate.tests().finished, ...figures.thresholds.undecided(aggregate) },
    uncaught: aggregate.internal('error.uncaught'),
    coverage,
    minCoverage: spec.minCoverage,
  })
  const { verdict, exitCode, reasons } = judgement
  const facts: RunFacts = {
    runId,
    seed: spec.seed,
    startedAt,
    endedAt,
    verdict,
    exitCode,
    reasons,
    agents,
    coverage,
    lostExecutions: ledger.lost,
    plannedExecutions: plannedOfRun(spec, ledger.planned),
    droppedExecutions: ledger.dropped,
    feeds,
    generator: {
      limited: limit !== null,
      eventLoopLagP99: health.lagP99(),
      cpu: health.cpu(),
      gcShare: health.gcShare(),
      warnings: health.warnings(),
      tainted: health.tainted(),
    },
    thresholds: thresholds.rows,
    loadSeconds: figures.elapsedMs() / 1000,
    warmUp: figures.warmUp,
    overflowed,
  }
  return { judgement, summary: summarize(aggregate, facts) }
}

/** Executions planned, with those of open models that fell due; null when a closed stage is bounded by time. */
function plannedOfRun({ profile, replay }: RunSpec, fellDue: number): number | null {
  if (replay !== null) return 1
  let planned = 0
  let hasOpen = false
  for (const stage of runStages(profile)) {
    if (isOpen(stage.model)) {
      hasOpen = true
      continue
    }
    const ofStage = plannedExecutions(stage, { first: stage.firstUnit, count: stage.units })
    if (ofStage === null) return null
    planned += ofStage
  }
  return hasOpen ? fellDue : planned
}

function agentRow(member: Member): RunFacts['agents'][number] {
  return {
    id: member.id,
    host: member.agent.identity.host,
    state: member.state === 'lost' || member.state === 'fenced' ? member.state : 'done',
    hits: member.hits,
    windows: member.stream.received,
    windowsLost: member.windowsMissing,
    ledger: member.closedLedger(),
  }
}
