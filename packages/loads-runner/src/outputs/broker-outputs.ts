import type { OutputEnvironment, OutputRequest } from '@loads-runner/outputs'
import type { RunSpec } from '@loads-runner/protocol'
import type { BrokerRuns } from '../dashboard/broker-runs.ts'
import { RunOutputs } from './run-outputs.ts'

/** Writes every run of a broker to servers: those that the broker was told of, and those that the run asks for. */
export class BrokerOutputs {
  readonly #runs: BrokerRuns
  readonly #own: readonly OutputRequest[]
  readonly #environment: OutputEnvironment
  readonly #writing = new Set<Promise<void>>()

  constructor(runs: BrokerRuns, own: readonly OutputRequest[], environment: OutputEnvironment) {
    this.#runs = runs
    this.#own = own
    this.#environment = environment
  }

  /** A run has been submitted. */
  begin(runId: string, spec: RunSpec): void {
    const writing = this.#write(runId, spec).catch((error: Error) => {
      this.#environment.log('error', `run ${runId}: its outputs do not work: ${error.message}`)
    })
    this.#writing.add(writing)
    void writing.finally(() => this.#writing.delete(writing))
  }

  /** Resolves when what the runs of the past have left is written. */
  async close(): Promise<void> {
    await Promise.all(this.#writing)
  }

  async #write(runId: string, spec: RunSpec): Promise<void> {
    const { parseOutput } = await import('@loads-runner/outputs')
    const { log } = this.#environment
    const asked = spec.outputs.flatMap((text) => {
      const request = parseOutput(text)
      // Files and modules of whoever asks are none of this process.
      if (request.place === 'server') return [request]
      log('warning', `run ${runId}: the output ${request.name} is not for a broker; it is left out`)
      return []
    })
    const environment: OutputEnvironment = {
      ...this.#environment,
      log: (level, text) => log(level, `run ${runId}: ${text}`),
    }
    const outputs = await RunOutputs.open([...this.#own, ...asked], null, environment)
    if (outputs === null) return
    await new Promise<void>((resolve, reject) => {
      this.#runs
        .follow(runId, (event) => {
          outputs.take(event)
          if (event.type === 'finished') resolve()
        })
        .catch(reject)
    })
    await outputs.finish()
  }
}
