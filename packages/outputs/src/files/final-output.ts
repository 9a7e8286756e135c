import { writeAtomically } from '@loads-runner/history'
import type { Summary } from '@loads-runner/metrics'
import type { OutputEnvironment } from '../environment.ts'
import { messageOf, OutputError } from '../errors.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import { targetFile } from './target-file.ts'

export interface FinalOutputOptions {
  name: string
  args: string
  environment: OutputEnvironment
  wants: readonly RecordType[]
  /** Given what comes before the end, in order. */
  take?: (record: OutputRecord) => void
  /** The text of the file; null: there is nothing to write. */
  render: (run: OutputRun, summary: Summary | null) => string | null | Promise<string | null>
}

/** An output that writes one file at the end, in one step. The file of a run before stays until then. */
export class FinalOutput implements Output {
  readonly name: string
  readonly wants: ReadonlySet<RecordType>
  readonly spansMs: readonly number[] = []
  readonly batch = 1_000
  readonly #options: FinalOutputOptions
  readonly #file: string
  #run: OutputRun | null = null
  /** What is to be written; it stays where writing it failed. */
  #text: string | null = null

  constructor(options: FinalOutputOptions) {
    this.#options = options
    this.name = options.name
    this.wants = new Set(options.wants)
    this.#file = targetFile(options.name, options.args, options.environment)
  }

  async open(run: OutputRun): Promise<void> {
    this.#run = run
  }

  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    for (const record of records) {
      if (record.type !== 'end') {
        // Handed over again after a failure: the end was in the same batch, and all of these were taken.
        if (this.#text === null) this.#options.take?.(record)
        continue
      }
      this.#text ??= await this.#render(record.summary)
      if (this.#text !== null) await writeAtomically(this.#file, this.#text, signal)
      else
        this.#options.environment.log(
          'warning',
          `output ${this.name}: the run ended without a summary; ${this.#file} is not written`,
        )
    }
  }

  async close(): Promise<void> {
    this.#text = null
  }

  async #render(summary: Summary | null): Promise<string | null> {
    try {
      return await this.#options.render(this.#run!, summary)
    } catch (error) {
      // It would not be better next time.
      throw new OutputError('OUTPUT_REFUSED', `${this.#file} cannot be made: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}
