import type { PastRuns, RunListRow } from '@loads-runner/dashboard'
import { openRecording, RunStore } from '@loads-runner/history'
import type { RunEvent } from '@loads-runner/protocol'

/** How many past runs a page lists. */
const mostRuns = 500

/** Runs of directories of results, or of a broker's journals, for a page. */
export class StoredRuns implements PastRuns {
  readonly #store: RunStore

  constructor(roots: readonly string[]) {
    this.#store = new RunStore(roots)
  }

  async list(): Promise<RunListRow[]> {
    const runs = await this.#store.list({ limit: mostRuns })
    return runs.map((run) => ({
      runId: run.runId,
      names: run.names,
      project: run.project,
      user: run.user,
      labels: run.labels,
      state: run.state,
      verdict: run.verdict,
      submittedAt: run.submittedAt,
      startedAt: run.startedAt,
      endedAt: run.endedAt,
      agents: run.agents,
      hits: run.summary?.hits.count ?? 0,
      p95: run.summary?.serviceTime.p95 ?? null,
      errorRate: errorRateOf(run.summary),
    }))
  }

  async events(runId: string): Promise<AsyncIterable<RunEvent> | null> {
    const run = (await this.#store.list({})).find((each) => each.runId === runId)
    return run === undefined ? null : (await openRecording(run.path)).events()
  }
}

function errorRateOf(summary: { hits: { count: number; failed: number } } | null): number | null {
  return summary === null || summary.hits.count === 0 ? null : summary.hits.failed / summary.hits.count
}
