import { redacted } from '@loads-runner/protocol'
import type { RunSpec } from '@loads-runner/protocol'
import type { EventMessage } from './broker-connection.ts'
import type { RunDirectory } from './run-directory.ts'
import type { RunView, TestSource } from '@loads-runner/history'
import type { Secrets } from '@loads-runner/testcase/secrets'
import { version } from './version.ts'

/** Writes a run into its directory: the plan before, events as they come, the summary at the end. No secrets. */
export class RunRecord {
  readonly #directory: RunDirectory
  readonly #spec: RunSpec
  readonly #runId: string
  readonly #secrets: Secrets
  readonly #source: TestSource

  constructor(directory: RunDirectory, spec: RunSpec, runId: string, secrets: Secrets, source: TestSource) {
    this.#directory = directory
    this.#spec = spec
    this.#runId = runId
    this.#secrets = secrets
    this.#source = source
  }

  async begin(): Promise<void> {
    await this.#directory.begin()
    await this.#writeRun([])
  }

  /** Takes an event from which the values of secrets are already gone. */
  take({ event, sequence, skipped }: EventMessage): void {
    const stored = event.type === 'snapshot' ? { ...event, spec: redacted(event.spec) } : event
    this.#directory.append({ sequence, skipped, ...stored })
  }

  /** @throws {RunnerError} RUNNER_RESULTS when the summary cannot be written */
  async finish(view: RunView): Promise<void> {
    await this.#writeRun([...view.agents.values()].map(({ id, host }) => ({ id, host })))
    if (view.summary !== null) await this.#directory.writeSummary(view.summary)
  }

  #writeRun(agents: { id: string; host: string }[]): Promise<void> {
    const versions = { 'loads-runner': version, node: process.version }
    const spec = this.#secrets.hideIn(redacted(this.#spec))
    return this.#directory.writeRun({
      runId: this.#runId,
      seed: spec.seed,
      versions,
      hosts: agents,
      source: this.#source,
      spec,
    })
  }
}
