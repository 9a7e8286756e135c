import type { RunFacts } from '@loads-runner/metrics'
import type { RunSpec } from '@loads-runner/protocol'
import { plannedExecutions } from '@loads-runner/testcase/load'
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
  /** Epoch milliseconds. */
  endedAt: number
}

/** Closes the books of a run: coverage, ledgers, verdict, and the facts that its summary is made of. */
export function closeRun({ runId, spec, members, causes, figures, endedAt }: RunEnd): {
  judgement: Judgement
  facts: RunFacts
} {
  const agents = members.map((member) => agentRow(member, spec.windowMs))
  const coverage = coverageOf(members.map((member) => member.closedWindows(spec.windowMs)))
  const ledger = sumLedgers(agents.map((agent) => agent.ledger))
  const judgement = judge({
    causes,
    tests: figures.aggregate.tests(),
    uncaught: figures.aggregate.internal('error.uncaught'),
    coverage,
    minCoverage: spec.minCoverage,
  })
  const { verdict, exitCode, reasons } = judgement
  const { health, startedAt, overflowed } = figures
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
    plannedExecutions: plannedOfRun(spec),
    generator: {
      limited: false,
      eventLoopLagP99: health.lagP99(),
      cpu: health.cpu(),
      warnings: health.warnings(),
    },
    loadSeconds: figures.elapsedMs() / 1000,
    overflowed,
  }
  return { judgement, facts }
}

/** null when a stage is bounded by time. */
function plannedOfRun(spec: RunSpec): number | null {
  let planned = 0
  for (const stage of spec.profile.stages) {
    const ofStage = plannedExecutions(stage)
    if (ofStage === null) return null
    planned += ofStage
  }
  return planned
}

function agentRow(member: Member, windowMs: number): RunFacts['agents'][number] {
  const { received, missing } = member.closedWindows(windowMs)
  return {
    id: member.id,
    host: member.agent.identity.host,
    state: member.state === 'lost' || member.state === 'fenced' ? member.state : 'done',
    hits: member.hits,
    windows: received,
    windowsLost: missing.reduce((sum, span) => sum + span.windows, 0),
    ledger: member.closedLedger(),
  }
}
