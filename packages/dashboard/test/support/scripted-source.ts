import type { Annotation, RunEvent, RunRow } from '@loads-runner/protocol'
import type { RunSource } from '../../src/run-source.ts'

export function runRow(runId: string, changes: Partial<RunRow> = {}): RunRow {
  return {
    runId,
    state: 'running',
    names: ['shop.Checkout'],
    project: 'shop',
    user: 'ada',
    submittedAt: 1_000,
    startedAt: 2_000,
    endedAt: null,
    labels: {},
    agents: ['agent-1'],
    hits: 0,
    verdict: null,
    ...changes,
  }
}

/** A source whose runs a test plays. Each reader of a run gets all its events from the first on. */
export class ScriptedSource implements RunSource {
  readonly rows = new Map<string, RunRow>()
  readonly events = new Map<string, RunEvent[]>()
  readonly asked: unknown[][] = []
  /** What the next request is refused with. */
  refusal: Error | null = null
  readonly #watchers = new Set<(row: RunRow) => void>()
  readonly #followers = new Map<string, Set<(event: RunEvent) => void>>()
  readonly #lost = new Map<string, () => void>()

  get following(): string[] {
    return [...this.#followers].filter(([, handlers]) => handlers.size > 0).map(([runId]) => runId)
  }

  get watchers(): number {
    return this.#watchers.size
  }

  see(row: RunRow): void {
    this.rows.set(row.runId, row)
    for (const handler of this.#watchers) handler(row)
  }

  say(runId: string, ...events: RunEvent[]): void {
    const past = this.events.get(runId) ?? []
    this.events.set(runId, past)
    for (const event of events) {
      past.push(event)
      for (const handler of this.#followers.get(runId) ?? []) handler(event)
    }
  }

  async runs(): Promise<RunRow[]> {
    return [...this.rows.values()]
  }

  onRun(handler: (row: RunRow) => void): () => void {
    this.#watchers.add(handler)
    return () => void this.#watchers.delete(handler)
  }

  /** The link to the source is gone: what follows is not heard. */
  lose(runId: string): void {
    this.#followers.delete(runId)
    this.#lost.get(runId)?.()
  }

  async follow(runId: string, handler: (event: RunEvent) => void, lost = () => {}): Promise<() => void> {
    this.#lost.set(runId, lost)
    const handlers = this.#followers.get(runId) ?? new Set()
    this.#followers.set(runId, handlers)
    for (const event of this.events.get(runId) ?? []) handler(event)
    handlers.add(handler)
    return () => void handlers.delete(handler)
  }

  async stop(runId: string, mode: 'drain' | 'cancel' | 'kill'): Promise<void> {
    this.#ask('stop', runId, mode)
  }

  async control(
    runId: string,
    change: { scenario: string | null; target: number | null; paused: boolean | null },
  ): Promise<{ scenario: string; target: number; paused: boolean }> {
    this.#ask('control', runId, change)
    return { scenario: change.scenario ?? 'main', target: change.target ?? 1, paused: change.paused ?? false }
  }

  async annotate(runId: string, annotation: Annotation): Promise<void> {
    this.#ask('annotate', runId, annotation)
  }

  #ask(...what: unknown[]): void {
    const { refusal } = this
    this.refusal = null
    if (refusal !== null) throw refusal
    this.asked.push(what)
  }
}
