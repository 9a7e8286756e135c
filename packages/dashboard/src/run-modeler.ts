import { intervalSpansMs, IntervalCutter, RunView, type Interval } from '@loads-runner/history'
import type { RunEvent, SnapshotEvent } from '@loads-runner/protocol'
import { agentRows, errorRows, headOf, totalsOf } from './figures-of-run.ts'
import { Happenings } from './happenings.ts'
import { mostLogLines, type LogLine, type RunModel, type RunUpdate } from './model.ts'
import { OpenSeconds } from './open-seconds.ts'
import { ObservedValues } from './observed-values.ts'
import { SeriesTable } from './series-table.ts'
import { ThresholdTable } from './threshold-table.ts'
import { liveTiers, Timeline, type Tiers } from './timeline.ts'

export interface RunModelerOptions {
  /** Default: {@link liveTiers}. */
  tiers?: Tiers
  /** Milliseconds of any steady clock. */
  now?: () => number
  /** Epoch milliseconds; null: the first event's. */
  submittedAt?: number | null
}

/** Tables with a line per series, agent or error are sent once in so many milliseconds. */
const tablesMs = 900

/**
 * Makes the model of a run of its events, and updates of it. Every figure comes of the merged histograms of the cluster;
 * memory is bounded whatever the length of the run.
 *
 *     const modeler = new RunModeler()
 *     for await (const event of events) modeler.apply(event)
 *     modeler.model()
 */
export class RunModeler {
  readonly #view: RunView
  readonly #cutter: IntervalCutter
  readonly #timeline: Timeline
  readonly #series = new SeriesTable()
  readonly #seconds = new OpenSeconds()
  readonly #happenings = new Happenings()
  readonly #thresholds = new ThresholdTable()
  readonly #observed = new ObservedValues()
  readonly #now: () => number
  readonly #submittedAt: number | null
  readonly #log: LogLine[] = []
  #newLines: LogLine[] = []
  #runId = ''
  #begun = false
  #ended = false
  /** Something happened since the update before. */
  #stale = false
  #tablesAt = -Infinity
  #tablesStale = false
  #errorsStale = false
  #thresholdsStale = false
  #summarySent = false

  constructor({
    tiers = liveTiers,
    now = () => performance.now(),
    submittedAt = null,
  }: RunModelerOptions = {}) {
    this.#now = now
    this.#submittedAt = submittedAt
    this.#view = new RunView(now)
    this.#timeline = new Timeline(tiers)
    this.#cutter = new IntervalCutter({
      spansMs: intervalSpansMs,
      onInterval: (interval) => this.#takeInterval(interval),
    })
    this.#view.onCommit = (event, delta) => {
      this.#series.touch(delta)
      for (const { key } of delta.series.values()) if (key.kind === 'error') this.#errorsStale = true
      this.#cutter.commit(event, delta, this.#view.startedAt)
      this.#seconds.take(event, delta)
    }
  }

  /** A snapshot was taken in: there is a model. */
  get begun(): boolean {
    return this.#begun
  }

  get ended(): boolean {
    return this.#ended
  }

  /** So far, without the warm-up. */
  get hits(): number {
    return this.#view.aggregate.hits().count
  }

  get summary(): RunModel['summary'] {
    return this.#view.summary
  }

  /** What takes memory, by number: tests and benchmarks look at it. */
  get sizes(): { moments: number; series: number } {
    return { moments: this.#timeline.size, series: this.#series.size }
  }

  /** @throws {MetricsError} when figures in the event are garbage */
  apply(event: RunEvent): void {
    const view = this.#view
    if (!this.#begun && event.type !== 'snapshot') return
    this.#happenings.take(event, view, this.#elapsedAt(event.at))
    if (event.type === 'snapshot') {
      this.#cutter.begin(event)
      // Seconds that were open stay unknown: events of them were left out.
      if (this.#begun) this.#timeline.forgetFrom(this.#seconds.forget())
    }
    view.apply(event)
    this.#stale = true
    switch (event.type) {
      case 'snapshot':
        return this.#restored(event)
      case 'agent':
        this.#tablesStale = true
        return
      case 'commit':
        this.#tablesStale = true
        return
      case 'thresholds':
        this.#thresholdsStale = true
        return this.#thresholds.take(event.states, event.elapsedMs)
      case 'observation':
        return this.#observed.take(event)
      case 'log': {
        const { at, level, source, text } = event
        return this.#takeLine({ at, level, source, text })
      }
      case 'finished':
        return this.#finish()
      case 'state':
      case 'control':
      case 'note':
      case 'fault':
        return
    }
  }

  /** The whole run so far. */
  model(): RunModel {
    this.#tick()
    const view = this.#view
    return {
      head: headOf(view, this.#runId, this.#submittedAt),
      totals: totalsOf(view),
      points: this.#timeline.points(),
      heatmap: this.#timeline.heatmap(),
      series: this.#series.rows(view.aggregate),
      errors: errorRows(view),
      agents: agentRows(view),
      thresholds: this.#thresholds.rows(),
      bands: this.#happenings.bands(),
      marks: this.#happenings.marks(),
      log: [...this.#log],
      observed: this.#observed.all(),
      summary: view.summary,
    }
  }

  /**
   * What has changed since the call before; null when nothing has. Tables come once per second, at the end at once.
   *
   * @param whole tables, too, whatever the time: the update then leads to what {@link model} says now
   */
  update(whole = false): RunUpdate | null {
    if (!this.#begun) return null
    this.#tick()
    const view = this.#view
    const goesOn = view.state === 'running' || view.state === 'draining'
    if (!this.#stale && !(goesOn && !this.#ended) && !this.#tablesStale) return null
    this.#stale = false
    const update: RunUpdate = {
      head: headOf(view, this.#runId, this.#submittedAt),
      totals: totalsOf(view),
      ...this.#timeline.update(),
    }
    const now = this.#now()
    if (this.#tablesStale && (whole || this.#ended || now - this.#tablesAt >= tablesMs)) {
      this.#tablesAt = now
      this.#tablesStale = false
      const series = this.#series.changes(view.aggregate)
      if (series.length > 0) update.series = series
      update.agents = agentRows(view)
      if (this.#errorsStale) update.errors = errorRows(view)
      this.#errorsStale = false
    }
    if (this.#thresholdsStale) update.thresholds = this.#thresholds.rows()
    this.#thresholdsStale = false
    if (this.#happenings.bandsChanged) update.bands = this.#happenings.bands()
    this.#happenings.bandsChanged = false
    if (this.#happenings.marksChanged) update.marks = this.#happenings.marks()
    this.#happenings.marksChanged = false
    if (this.#newLines.length > 0) update.log = this.#newLines
    this.#newLines = []
    const observed = this.#observed.update()
    if (observed !== null) update.observed = observed
    if (view.summary !== null && !this.#summarySent) {
      update.summary = view.summary
      this.#summarySent = true
    }
    return update
  }

  /** Nobody says anything any more: what is open is closed at the last that was heard. */
  cutShort(): void {
    if (this.#ended) return
    this.#cutter.end(this.#view.elapsedMs())
    this.#timeline.end()
  }

  #restored(event: SnapshotEvent): void {
    if (!this.#begun) {
      this.#thresholds.begin(event.spec)
      if (event.elapsedMs > 0) this.#timeline.beginAt(event)
    }
    this.#begun = true
    this.#runId = event.runId
    if (event.thresholds.length > 0) this.#thresholds.take(event.thresholds, event.elapsedMs)
    this.#thresholdsStale = true
    this.#series.touchAll(this.#view.aggregate)
    this.#errorsStale = true
    this.#tablesStale = true
  }

  #finish(): void {
    const { summary, aggregate, state } = this.#view
    if (summary === null || this.#ended) return
    this.#ended = true
    const endMs = summary.durationSeconds * 1000
    this.#cutter.end(endMs)
    this.#timeline.end()
    this.#happenings.end(summary, state, endMs)
    this.#series.end(Math.max(0, summary.durationSeconds - (summary.warmUp?.seconds ?? 0)), aggregate)
    // How they stood at the end is in the summary; the broker need not have said so apart.
    if (summary.thresholds.length > 0) this.#thresholds.take(summary.thresholds, endMs)
    this.#thresholdsStale = true
    this.#errorsStale = true
    this.#tablesStale = true
  }

  #takeInterval(interval: Interval): void {
    if (interval.spanMs === 1_000) this.#seconds.close(interval.fromMs + interval.spanMs)
    this.#timeline.add(interval, this.#view.isOpen)
    this.#series.addInterval(interval)
    this.#stale = true
    this.#tablesStale = true
  }

  #takeLine(line: LogLine): void {
    const kept = { ...line, text: line.text.slice(0, mostLineLength) }
    this.#log.push(kept)
    this.#newLines.push(kept)
    if (this.#log.length > mostLogLines) this.#log.shift()
    if (this.#newLines.length > mostLogLines) this.#newLines.shift()
  }

  #tick(): void {
    // Silence is a rate, too.
    if (this.#view.state === 'running') this.#cutter.tick(this.#view.elapsedMs(), this.#view.startedAt)
    for (const second of this.#seconds.changed()) this.#timeline.add(second, this.#view.isOpen)
  }

  #elapsedAt(at: number): number {
    const { startedAt } = this.#view
    return startedAt === null ? 0 : Math.max(0, at - startedAt)
  }
}

const mostLineLength = 4_000
