import { join } from 'node:path'
import type { OutputEnvironment, OutputHealth, OutputHost, OutputRequest } from '@loads-runner/outputs'
import type { RunEvent } from '@loads-runner/protocol'
import { tellStrayErrors } from './stray-errors.ts'

/** How long outputs may take to write what they have when the run is over, in milliseconds. */
const finishMs = 15_000

/** Outputs whose files others read as the result: one that is not whole must not go unnoticed. */
const results = new Set(['json', 'junit'])

/** The outputs of one run that are at work in this process. */
export class RunOutputs {
  readonly #host: OutputHost

  /** @param directory of the run; its report and its JUnit file are outputs like any other. Null: it has none */
  static async open(
    requests: readonly OutputRequest[],
    directory: string | null,
    environment: OutputEnvironment,
  ): Promise<RunOutputs | null> {
    if (requests.length === 0 && directory === null) return null
    if (requests.some(({ place }) => place === 'module')) tellStrayErrors(environment)
    const { createOutput, OutputHost, parseOutput } = await import('@loads-runner/outputs')
    const own =
      directory === null
        ? []
        : [
            parseOutput(`html:${join(directory, 'report.html')}`),
            parseOutput(`junit:${join(directory, 'junit.xml')}`),
          ]
    const outputs = await Promise.all([...own, ...requests].map((each) => createOutput(each, environment)))
    const onTrouble = (text: string) => environment.log('warning', text)
    return new RunOutputs(new OutputHost({ outputs, environment, onTrouble }))
  }

  private constructor(host: OutputHost) {
    this.#host = host
  }

  take(event: RunEvent): void {
    this.#host.take(event)
  }

  /** Writes what is left. @returns those results that could not be written */
  async finish(): Promise<OutputHealth[]> {
    const health = await this.#host.finish(finishMs)
    return health.filter(
      ({ name, dropped, trouble }) => results.has(name) && (dropped > 0 || trouble !== null),
    )
  }
}
