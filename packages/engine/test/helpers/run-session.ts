import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aggregate } from '@loads-runner/metrics'
import { defaultTarget, shareOut, type LoadProfile } from '@loads-runner/testcase'
import { bundleTests, Conductor, Session, type SessionSpec, type SessionWindow } from '@loads-runner/engine'

export interface SessionRun {
  aggregate: Aggregate
  windows: SessionWindow[]
  logs: string[]
  stages: number[]
  lost: string | null
}

export interface SessionCase {
  files: Record<string, string>
  names?: string[]
  profile?: Partial<LoadProfile>
  spec?: Partial<SessionSpec>
  includeFiles?: string[]
  /** Called when the load has begun. */
  during?: (session: Session, run: SessionRun) => Promise<void> | void
  conduct?: boolean
}

/** Bundles inline files and runs them through a real session: worker threads, windows, the end. */
export async function runSession(test: SessionCase): Promise<SessionRun> {
  const testDir = await mkdtemp(join(tmpdir(), 'session-'))
  try {
    for (const [name, text] of Object.entries(test.files)) await writeFile(join(testDir, name), text)
    const names = test.names ?? (test.spec?.testRunner ? [] : ['example'])
    const bundle = await bundleTests({ testDir, names, includeFiles: test.includeFiles ?? [], external: [] })
    const profile: LoadProfile = {
      stages: [{ users: 1, iterations: 1, durationMs: null }],
      rampUpMs: 0,
      delayMs: 0,
      ...test.profile,
    }
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
      drainMs: 5000,
      testTimeoutMs: 60_000,
      ...test.spec,
    }
    const conductor = test.conduct ? await Conductor.open(bundle.bytes, spec, 'run-1') : null
    const data = (await conductor?.setUpRun()) ?? '{}'
    const run: SessionRun = { aggregate: new Aggregate(), windows: [], logs: [], stages: [], lost: null }
    let end!: () => void
    const ended = new Promise<void>((resolve) => (end = resolve))
    const session = new Session(
      {
        runId: 'run-1',
        agent: 'agent-1',
        spec,
        share: shareOut(profile, 1)[0]!,
        bundle: bundle.bytes,
        workDir: null,
        ownProcess: false,
      },
      {
        stageDone: (stage) => {
          run.stages.push(stage)
          if (stage + 1 < profile.stages.length) session.startStage(stage + 1)
          else session.finish()
        },
        window: (window) => {
          run.windows.push(window)
          run.aggregate.apply(window.delta)
          if (window.final) end()
        },
        log: (_level, text) => run.logs.push(text),
        lost: (reason) => {
          run.lost = reason
          end()
        },
      },
    )
    try {
      await session.prepare()
      await session.arm(data)
      session.startStage(0)
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
