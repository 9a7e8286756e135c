import { applyUpdate } from '../../src/apply-update.ts'
import type { RunModel, RunUpdate } from '../../src/model.ts'
import type { ApiClient } from './api-client.ts'
import { catchUp } from './catch-up.ts'
import { EventFeed, type FeedState } from './event-feed.ts'

export interface RunWatcher {
  /** The run is there, or another one has taken its id: draw everything. */
  begin(model: RunModel): void
  change(model: RunModel, update: RunUpdate): void
  /** The connection does otherwise than before, or the run has ended. */
  state(): void
}

/** A running run without an event for so long has lost its connection: figures come every second. Milliseconds. */
const quietRunningMs = 15_000
const quietMs = 60_000

/** A run, followed: its model, always up to date. Who comes back after a break gets the whole model afresh. */
export class LiveRun {
  readonly runId: string
  readonly #watcher: RunWatcher
  readonly #feed: EventFeed
  #model: RunModel | null = null
  #newsAt = Date.now()
  #news = ''
  #ended = false

  constructor(api: ApiClient, runId: string, watcher: RunWatcher) {
    this.runId = runId
    this.#watcher = watcher
    const path = `/api/runs/${encodeURIComponent(runId)}`
    this.#feed = new EventFeed({
      url: `${path}/events`,
      handlers: {
        model: (model: RunModel) => this.#takeModel(model),
        update: (update: RunUpdate) => this.#takeUpdate(update),
      },
      onState: () => watcher.state(),
      probe: (signal) => api.get(path, signal),
      quietMs: () => (this.#model?.head.state === 'running' ? quietRunningMs : quietMs),
    })
  }

  get model(): RunModel | null {
    return this.#model
  }

  get ended(): boolean {
    return this.#ended
  }

  get connection(): FeedState {
    return this.#feed.state
  }

  /** When the latest figures came, in milliseconds since the epoch by this machine's clock. */
  get newsAt(): number {
    return this.#newsAt
  }

  close(): void {
    this.#feed.close()
  }

  #takeModel(model: RunModel): void {
    const before = this.#model
    this.#model = model
    this.#lookForNews(model)
    this.#endIfOver(model)
    if (before === null || isAnother(before, model)) this.#watcher.begin(model)
    else this.#watcher.change(model, catchUp(model))
  }

  #takeUpdate(update: RunUpdate): void {
    const model = this.#model
    if (model === null) return
    applyUpdate(model, update)
    this.#lookForNews(model)
    this.#endIfOver(model)
    this.#watcher.change(model, update)
  }

  /** Windows come every second, empty ones, too. The clock of a run goes on without them. */
  #lookForNews({ agents, totals }: RunModel): void {
    const windows = agents.reduce((sum, agent) => sum + agent.windows, 0)
    const news = `${windows} ${totals.hits} ${totals.executions}`
    if (news === this.#news) return
    this.#news = news
    this.#newsAt = Date.now()
  }

  /** Nothing more comes after the summary. That the end was not recorded may be found out to be wrong. */
  #endIfOver(model: RunModel): void {
    const ended = isOver(model)
    if (ended === this.#ended) return
    this.#ended = ended
    if (model.summary !== null) this.#feed.close()
    this.#watcher.state()
  }
}

/** It has a summary, or what is on disk of it breaks off. */
export function isOver({ summary, head }: RunModel): boolean {
  return summary !== null || head.state === 'ended'
}

/** A broker that begins afresh may know a run with fewer series: what is drawn of the old one does not fit. */
function isAnother(before: RunModel, after: RunModel): boolean {
  if (before.head.startedAt !== null && before.head.startedAt !== after.head.startedAt) return true
  const ids = new Set(after.series.map(({ id }) => id))
  return before.series.some(({ id }) => !ids.has(id))
}
