import type { OutputEnvironment } from '../environment.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import { GrowingFile } from './growing-file.ts'
import { targetFile } from './target-file.ts'

export interface StreamOutputOptions {
  name: string
  args: string
  environment: OutputEnvironment
  wants: readonly RecordType[]
  /** What the file begins with. */
  begin: (run: OutputRun) => string
  render: (record: OutputRecord) => string
}

/** An output that writes a file as the run goes on: readers may follow it. */
export class StreamOutput implements Output {
  readonly name: string
  readonly wants: ReadonlySet<RecordType>
  readonly spansMs: readonly number[] = [1_000]
  readonly batch = 1_000
  readonly #options: StreamOutputOptions
  readonly #file: GrowingFile

  constructor(options: StreamOutputOptions) {
    this.#options = options
    this.name = options.name
    this.wants = new Set(options.wants)
    this.#file = new GrowingFile(targetFile(options.name, options.args, options.environment))
  }

  async open(run: OutputRun): Promise<void> {
    await this.#file.open()
    await this.#file.append(this.#options.begin(run), new AbortController().signal)
  }

  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    await this.#file.append(records.map((record) => this.#options.render(record)).join(''), signal)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
