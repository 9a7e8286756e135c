import type { PastRuns, RunListRow } from '@loads-runner/dashboard'
import { compareRuns, openRecording, RunStore } from '@loads-runner/history'
import type { Comparison, Recording } from '@loads-runner/history'
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
      state: run.verdict === null ? 'ended' : 'done',
      verdict: run.verdict,
      submittedAt: run.startedAt,
      startedAt: run.startedAt,
      endedAt: run.durationSeconds === null ? null : run.startedAt + run.durationSeconds * 1000,
      agents: run.agents ?? 0,
      hits: run.hits ?? 0,
      p95: run.p95,
      errorRate: run.errorRate,
    }))
  }

  async events(runId: string): Promise<AsyncIterable<RunEvent> | null> {
    return (await this.#recording(runId))?.events() ?? null
  }

  async compare(before: string, after: string): Promise<Comparison | null> {
    const [one, other] = await Promise.all([this.#recording(before), this.#recording(after)])
    return one === null || other === null ? null : compareRuns(one, other)
  }

  /** By its whole id: what a browser sends is never a path. */
  async #recording(runId: string): Promise<Recording | null> {
    const run = (await this.#store.list()).find((each) => each.runId === runId)
    return run === undefined ? null : openRecording(run.path)
  }
}
