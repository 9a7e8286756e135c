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
  /** Of runs that go on: stops following them. */
  readonly #leaving = new Set<() => void>()

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

  /** The broker goes. Resolves when what the runs have left is written, of those that go on, too. */
  async close(): Promise<void> {
    for (const leave of this.#leaving) leave()
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
      const end = () => {
        this.#leaving.delete(end)
        resolve()
      }
      this.#leaving.add(end)
      this.#runs
        .follow(runId, (event) => {
          outputs.take(event)
          if (event.type === 'finished') end()
        })
        .catch((error: unknown) => {
          this.#leaving.delete(end)
          reject(error as Error)
        })
    })
    await outputs.finish()
  }
}
