import { setTimeout } from 'node:timers/promises'
import { IntervalCutter, RunView } from '@loads-runner/history'
import type { Aggregate, Delta } from '@loads-runner/metrics'
import { redacted, type CommitEvent, type RunEvent } from '@loads-runner/protocol'
import { caughtUp } from './catch-up.ts'
import type { OutputEnvironment } from './environment.ts'
import { messageOf } from './errors.ts'
import { OutputLane, type LaneTimes } from './lane.ts'
import { bytesOf, type QueueLimits } from './lane-queue.ts'
import type { Output, OutputHealth, OutputRecord, OutputRun, RecordType } from './output.ts'

export interface OutputHostOptions {
  outputs: readonly Output[]
  environment: OutputEnvironment
  /** A line for people: an output does not work, works again, has lost something. Each is said once. */
  onTrouble: (text: string) => void
  times?: LaneTimes
  limits?: QueueLimits
}

/** Seconds in which nothing is committed come to an end, too. */
const tickMs = 1_000

/**
 * Feeds the outputs of one run with its events. None of them can slow the run, end it, or touch another output: each has
 * an {@link OutputLane} of its own. Figures are decoded and merged once, and only where an output wants them.
 */
export class OutputHost {
  readonly #lanes: readonly OutputLane[]
  readonly #environment: OutputEnvironment
  readonly #say: (text: string) => void
  readonly #view = new RunView()
  readonly #cutter: IntervalCutter | null
  /** Types that some output wants. */
  readonly #wanted: ReadonlySet<RecordType>
  #run: OutputRun | null = null
  #ticking: NodeJS.Timeout | undefined
  #ended = false
  #saidUnreadable = false

  constructor({ outputs, environment, onTrouble, times, limits }: OutputHostOptions) {
    this.#environment = environment
    this.#say = (text) => {
      // Who listens may throw; that is no reason to lose a run.
      try {
        onTrouble(text)
      } catch (error) {
        environment.log('error', `a message was not taken: ${messageOf(error)}`)
      }
    }
    this.#lanes = outputs
      .filter(({ wants }) => wants.size > 0)
      .map(
        (output) =>
          new OutputLane({
            output,
            onTrouble: this.#say,
            ...(times === undefined ? {} : { times }),
            ...(limits === undefined ? {} : { limits }),
          }),
      )
    this.#wanted = new Set(this.#lanes.flatMap(({ output }) => [...output.wants]))
    const spansMs = this.#lanes.flatMap(({ output }) => (output.wants.has('interval') ? output.spansMs : []))
    this.#cutter =
      spansMs.length === 0
        ? null
        : new IntervalCutter({
            spansMs: [...new Set(spansMs)].sort((one, other) => one - other),
            onInterval: (interval) => this.#give({ type: 'interval', interval }),
          })
    this.#view.onCommit = (event, delta) => this.#commit(event, delta)
  }

  /** Never throws, never waits. */
  take(event: RunEvent): void {
    if (this.#lanes.length === 0 || this.#ended) return
    try {
      this.#take(event)
    } catch (error) {
      if (this.#saidUnreadable) return
      this.#saidUnreadable = true
      this.#say(
        `outputs: an event could not be read (${event.type}): ${messageOf(error)}; figures are missing`,
      )
    }
  }

  /**
   * Resolves when no output that works has too much to write. A run that goes on waits for nothing; who replays one,
   * faster than it was, calls this now and then, and loses nothing.
   */
  async ready(): Promise<void> {
    while (this.#lanes.some((lane) => lane.isCrowded)) await setTimeout(5)
  }

  health(): OutputHealth[] {
    return this.#lanes.map((lane) => lane.health())
  }

  /**
   * The run is over: what waits is written and all outputs are closed, side by side. Takes `timeoutMs` at most; never
   * rejects. What could not be written by then is lost, and said.
   */
  async finish(timeoutMs: number): Promise<OutputHealth[]> {
    if (!this.#ended) this.#end()
    await Promise.all(this.#lanes.map((lane) => lane.finish(timeoutMs)))
    return this.health()
  }

  #take(given: RunEvent): void {
    // Whoever sent it may trust us more than an output should be trusted.
    const event = given.type === 'snapshot' ? { ...given, spec: redacted(given.spec) } : given
    const before = this.#view.aggregate
    if (event.type === 'snapshot') this.#cutter?.begin(event)
    if (event.type !== 'commit' || this.#needsFigures) this.#view.apply(event)
    if (event.type === 'snapshot') this.#restored(event.runId, before)
    this.#give({ type: 'raw', event })
    switch (event.type) {
      case 'snapshot':
      case 'commit':
        return
      case 'finished':
        return this.#end()
      default:
        this.#give({ type: 'event', event })
    }
  }

  /** The end alone needs no figures but those of the summary. */
  get #needsFigures(): boolean {
    return ['interval', 'figures', 'event'].some((type) => this.#wanted.has(type as RecordType))
  }

  /** The first snapshot, or one after events that were skipped: what is in it was in no commit that came here. */
  #restored(runId: string, before: Aggregate): void {
    const { spec } = this.#view
    if (this.#run === null && spec !== null) {
      this.#run = { runId, spec, view: this.#view }
      for (const lane of this.#lanes) lane.start(this.#run)
      this.#ticking = setInterval(() => this.#tick(), tickMs).unref()
    }
    if (!this.#wanted.has('figures')) return
    const delta = caughtUp(before, this.#view.aggregate)
    if (delta.isEmpty) return
    const elapsedMs = this.#view.elapsedMs()
    const at = (this.#view.startedAt ?? Date.now()) + elapsedMs
    this.#give({ type: 'figures', at, elapsedMs, warmUp: false, delta })
  }

  #commit(event: CommitEvent, delta: Delta): void {
    const { at, elapsedMs, warmUp } = event
    this.#give({ type: 'figures', at, elapsedMs, warmUp, delta })
    this.#cutter?.commit(event, delta, this.#view.startedAt)
  }

  #tick(): void {
    try {
      if (this.#view.state === 'running') this.#cutter?.tick(this.#view.elapsedMs(), this.#view.startedAt)
    } catch (error) {
      this.#environment.log('error', `outputs: ${messageOf(error)}`)
    }
  }

  #end(): void {
    this.#ended = true
    clearInterval(this.#ticking)
    try {
      this.#cutter?.end(this.#view.elapsedMs())
    } catch (error) {
      this.#environment.log('error', `outputs: ${messageOf(error)}`)
    }
    if (this.#run !== null) this.#give({ type: 'end', summary: this.#view.summary })
  }

  #give(record: OutputRecord): void {
    if (!this.#wanted.has(record.type)) return
    const waiting = { record, bytes: bytesOf(record) }
    for (const lane of this.#lanes) if (wants(lane.output, record)) lane.push(waiting)
  }
}

function wants(output: Output, record: OutputRecord): boolean {
  if (!output.wants.has(record.type)) return false
  return record.type !== 'interval' || output.spansMs.includes(record.interval.spanMs)
}
