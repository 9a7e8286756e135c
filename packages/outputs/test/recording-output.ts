import type { Output, OutputRecord, OutputRun, RecordType } from '../src/output.ts'
import type { OutputEnvironment } from '../src/environment.ts'

/** An output that keeps what it is given, and does as the test says before. */
export class RecordingOutput implements Output {
  readonly name: string
  readonly wants: ReadonlySet<RecordType>
  readonly spansMs: readonly number[]
  readonly batch: number
  readonly records: OutputRecord[] = []
  /** Sizes of batches, in order. */
  readonly batches: number[] = []
  opened = 0
  closed = 0
  /** Calls of `write` that go on at this moment, and the most there ever were. */
  writing = 0
  mostWriting = 0
  run: OutputRun | null = null
  beforeOpen: (attempt: number) => Promise<void> | void = () => {}
  beforeWrite: (records: readonly OutputRecord[], signal: AbortSignal) => Promise<void> | void = () => {}
  beforeClose: () => Promise<void> | void = () => {}

  constructor(changes: Partial<Pick<Output, 'name' | 'wants' | 'spansMs' | 'batch'>> = {}) {
    this.name = changes.name ?? 'recording'
    this.wants = changes.wants ?? new Set<RecordType>(['interval', 'figures', 'event', 'end'])
    this.spansMs = changes.spansMs ?? [1_000]
    this.batch = changes.batch ?? 1
  }

  async open(run: OutputRun): Promise<void> {
    this.opened++
    await this.beforeOpen(this.opened)
    this.run = run
  }

  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    this.writing++
    this.mostWriting = Math.max(this.mostWriting, this.writing)
    try {
      await this.beforeWrite(records, signal)
      this.records.push(...records)
      this.batches.push(records.length)
    } finally {
      this.writing--
    }
  }

  async close(): Promise<void> {
    this.closed++
    await this.beforeClose()
  }

  ofType<T extends RecordType>(type: T): Extract<OutputRecord, { type: T }>[] {
    return this.records.filter((record): record is Extract<OutputRecord, { type: T }> => record.type === type)
  }
}

/** An environment without a user's variables; what is logged is kept. */
export function environmentOf(
  changes: Partial<Pick<OutputEnvironment, 'cwd' | 'env'>> = {},
): OutputEnvironment & { lines: string[] } {
  const lines: string[] = []
  return { cwd: process.cwd(), env: {}, log: (_level, text) => lines.push(text), lines, ...changes }
}

/** Pauses that make a test quick. Calls have all the time that a busy machine may take. */
export const quickTimes = {
  lingerMs: 20,
  callMs: 40_000,
  giveUpMs: 10_000,
  firstPauseMs: 5,
  longestPauseMs: 40,
}

/** For outputs that hang: nothing else may be what takes long in their calls. */
export const impatientTimes = { ...quickTimes, callMs: 200, giveUpMs: 100 }

/** What an output may take to write all and to close, in milliseconds; one that works takes a part of it. */
export const enoughMs = 40_000
