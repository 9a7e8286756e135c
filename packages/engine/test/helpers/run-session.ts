import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aggregate } from '@loads-runner/metrics'
import { defaultTarget, type Tags } from '@loads-runner/testcase'
import {
  runStages,
  shareOut,
  stageAfter,
  type LoadModel,
  type LoadProfile,
  type Scenario,
} from '@loads-runner/testcase/load'
import { bundleTests, Conductor, Session, type SessionSpec, type SessionWindow } from '@loads-runner/engine'

export interface SessionRun {
  aggregate: Aggregate
  windows: SessionWindow[]
  logs: string[]
  notes: { text: string; tags: Tags }[]
  /** Stages in the order in which they ended. */
  stages: number[]
  leases: { feed: string; size: number; count: number }[]
  lost: string | null
}

/** A scenario as far as a test cares. */
export type ScenarioCase = Partial<Scenario> & { stages: LoadModel[] }

export interface SessionCase {
  files: Record<string, string>
  names?: string[]
  /** One scenario with these stages; default: one user, one execution. */
  stages?: LoadModel[]
  scenario?: Partial<Scenario>
  /** In place of both: several scenarios. */
  scenarios?: ScenarioCase[]
  spec?: Partial<SessionSpec>
  includeFiles?: string[]
  /** Called when the load has begun. */
  during?: (session: Session, run: SessionRun) => Promise<void> | void
  conduct?: boolean
  /** The part of one of several agents. */
  agent?: { number: number; of: number }
}

export const closed = (users: number, iterations: number, rampUpMs = 0): LoadModel => ({
  type: 'hits-per-user',
  users,
  iterations,
  rampUpMs,
  maxDurationMs: null,
})

export const lasting = (users: number, durationMs: number, rampUpMs = 0): LoadModel => ({
  type: 'constant-users',
  users,
  durationMs,
  rampUpMs,
})

export const arriving = (rate: number, durationMs: number, users = 100, maxLateMs = 30_000): LoadModel => ({
  type: 'constant-rate',
  rate,
  durationMs,
  spacing: 'uniform',
  users,
  maxLateMs,
})

/** A whole profile of what tests say of it. */
export function profileOf(
  scenarios: readonly ScenarioCase[],
  tests: readonly { label: string; weight: number }[],
): LoadProfile {
  return {
    scenarios: scenarios.map((each, index) => ({
      name: index === 0 ? 'all' : `scenario-${index}`,
      tests: tests.map(({ label, weight }) => ({ label, weight })),
      startMs: 0,
      pause: { type: 'none' },
      gracefulStopMs: 30_000,
      tags: {},
      params: {},
      ...each,
    })),
  }
}

/** What a session says of a load thread that its machine keeps from its work: no test is about that. */
const ofTheMachine = /^load thread \d+ has been blocked for/

/** Bundles inline files and runs them through a real session: worker threads, windows, the end. */
export async function runSession(test: SessionCase): Promise<SessionRun> {
  const testDir = await mkdtemp(join(tmpdir(), 'session-'))
  try {
    for (const [name, text] of Object.entries(test.files)) await writeFile(join(testDir, name), text)
    const names = test.names ?? (test.spec?.testRunner ? [] : ['example'])
    const bundle = await bundleTests({ testDir, names, includeFiles: test.includeFiles ?? [], external: [] })
    const scenarios = test.scenarios ?? [{ stages: test.stages ?? [closed(1, 1)], ...test.scenario }]
    const profile = profileOf(scenarios, test.spec?.tests ?? bundle.tests)
    const spec: SessionSpec = {
      tests: bundle.tests,
      profile,
      seed: 7,
      workers: 1,
      target: defaultTarget,
      params: {},
      env: {},
      secrets: {},
      testRunner: null,
      windowMs: 100,
      maxSeries: 1000,
      drainMs: 30_000,
      testTimeoutMs: 60_000,
      precise: false,
      replay: null,
      ...test.spec,
    }
    const stages = runStages(profile)
    const open = new Set(stages.map((stage) => stage.number))
    const run: SessionRun = {
      aggregate: new Aggregate(),
      windows: [],
      logs: [],
      notes: [],
      stages: [],
      leases: [],
      lost: null,
    }
    const listener = {
      note: (text: string, tags: Tags) => run.notes.push({ text, tags }),
      log: (_level: string, text: string) => run.logs.push(text),
    }
    const conductor = test.conduct ? await Conductor.open(bundle.bytes, spec, 'run-1', listener) : null
    const data = (await conductor?.setUpRun()) ?? '{}'
    let end!: () => void
    const ended = new Promise<void>((resolve) => (end = resolve))
    const session = new Session(
      {
        runId: 'run-1',
        agent: 'agent-1',
        spec,
        share: shareOut(profile, test.agent?.of ?? 1)[test.agent?.number ?? 0]!,
        bundle: bundle.bytes,
        workDir: null,
        ownProcess: false,
      },
      {
        stageDone: (stage) => {
          run.stages.push(stage)
          open.delete(stage)
          const next = stageAfter(stages, stage)
          if (next !== null) session.startStage(next)
          else if (open.size === 0) session.finish()
        },
        window: (window) => {
          run.windows.push(window)
          run.aggregate.apply(window.delta)
          if (window.final) end()
        },
        leaseRows: (feed, size, count) => run.leases.push({ feed, size, count }),
        log: (_level, text) => {
          if (!ofTheMachine.test(text)) run.logs.push(text)
        },
        note: (text, tags) => run.notes.push({ text, tags }),
        lost: (reason) => {
          run.lost = reason
          end()
        },
      },
    )
    try {
      await session.prepare()
      await session.arm(data)
      for (const stage of stages) if (stage.place === 0) session.startStage(stage.number)
      await test.during?.(session, run)
      await ended
    } finally {
      await session.close()
      await conductor?.tearDownRun()
      await conductor?.close()
    }
    return run
  } finally {
    await rm(testDir, { recursive: true, force: true })
  }
}

export function ledgerOf(run: SessionRun): SessionWindow['ledger'] {
  return run.windows.at(-1)!.ledger
}

/** Sum of a user's counter over the run. */
export function counter(run: SessionRun, name: string): number {
  for (const totals of run.aggregate.series.values()) {
    if (totals.key.kind === 'counter' && totals.key.name === name) return totals.value
  }
  return 0
}

/** What a run recorded of one kind: the name (or the status) and the tags with it. */
export function seriesOf(run: SessionRun, kind: string) {
  return [...run.aggregate.series.values()].filter((each) => each.key.kind === kind)
}
