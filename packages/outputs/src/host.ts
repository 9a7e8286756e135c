import type { RunEvent } from '@loads-runner/protocol'
import type { OutputEnvironment } from './environment.ts'
import type { Output, OutputHealth } from './output.ts'

export interface OutputHostOptions {
  outputs: readonly Output[]
  environment: OutputEnvironment
  /** A line for people: an output does not work, works again, has lost something. */
  onTrouble(text: string): void
}

/** Feeds the outputs of one run with its events. None of them can slow or end the run, or another one. */
export class OutputHost {
  constructor(_options: OutputHostOptions) {}

  /** Never throws, never waits. */
  take(_event: RunEvent): void {}

  health(): OutputHealth[] {
    return []
  }

  /** Everything that still waits is written, within the time; then all outputs are closed. */
  async finish(_timeoutMs: number): Promise<OutputHealth[]> {
    return this.health()
  }
}
