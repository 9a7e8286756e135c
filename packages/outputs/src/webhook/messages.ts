import type { Summary } from '@loads-runner/metrics'
import type { OutputRecord, OutputRun } from '../output.ts'
import type { WebhookEvent } from './webhook-address.ts'

/** What a webhook is told: `schema`, `event`, about which run, when, and of each event its own fields. */
export interface WebhookMessage {
  schema: 'loads.webhook/1'
  event: WebhookEvent
  run: {
    id: string
    names: string[]
    project: string | null
    user: string | null
    labels: Record<string, string>
  }
  /** ISO 8601. */
  at: string
  /** Seconds since load began; null before that. */
  elapsedSeconds: number | null
  [field: string]: unknown
}

/** Makes messages of what happens in a run. What it remembers of thresholds is of what was {@link told}. */
export class WebhookMessages {
  readonly #run: OutputRun
  /** Thresholds that are crossed, as far as anybody was told. */
  #crossed: ReadonlySet<string> = new Set()
  #started = false

  constructor(run: OutputRun) {
    this.#run = run
  }

  /** What this record is worth telling; null: nothing. */
  of(record: OutputRecord): WebhookMessage | null {
    if (record.type === 'end') return this.#stop(record.summary)
    if (record.type !== 'event') return null
    const { event } = record
    switch (event.type) {
      case 'state':
        if (event.state !== 'running' || this.#started) return null
        return this.#message('start', event.at, 0, {
          seed: this.#run.spec.seed,
          agents: this.#run.spec.agents,
        })
      case 'thresholds': {
        const crossed = event.states.filter(
          ({ expression, ok }) => ok === false && !this.#crossed.has(expression),
        )
        if (crossed.length === 0) return null
        const thresholds = crossed.map(({ expression, value }) => ({ expression, value }))
        return this.#message('threshold', event.at, event.elapsedMs, { thresholds })
      }
      case 'agent': {
        const { id, host, state } = event.agent
        if (state !== 'lost' && state !== 'fenced') return null
        return this.#message('agent-loss', event.at, null, { agent: id, host, state, note: event.note })
      }
      case 'fault': {
        const { id, name, state, detail, source } = event
        return this.#message('fault', event.at, event.elapsedMs, {
          fault: { id, name, state, detail, source },
        })
      }
      default:
        return null
    }
  }

  /** Somebody was told of this record. */
  told(record: OutputRecord): void {
    if (record.type !== 'event') return
    const { event } = record
    if (event.type === 'state' && event.state === 'running') this.#started = true
    if (event.type === 'thresholds')
      this.#crossed = new Set(
        event.states.filter(({ ok }) => ok === false).map(({ expression }) => expression),
      )
  }

  /** Without the long lists: what a message is for is to be read. */
  #stop(summary: Summary | null): WebhookMessage {
    const seconds = summary?.durationSeconds ?? null
    return this.#message('stop', Date.now(), seconds === null ? null : seconds * 1_000, {
      summary: summary === null ? null : shortened(summary),
    })
  }

  #message(
    event: WebhookEvent,
    at: number,
    elapsedMs: number | null,
    fields: Record<string, unknown>,
  ): WebhookMessage {
    const { runId, spec, view } = this.#run
    const { names, project, user, labels } = spec
    const elapsed = elapsedMs ?? (view.startedAt === null ? null : Math.max(0, at - view.startedAt))
    return {
      schema: 'loads.webhook/1',
      event,
      run: { id: runId, names, project, user, labels },
      at: new Date(at).toISOString(),
      elapsedSeconds: elapsed === null ? null : elapsed / 1_000,
      ...fields,
    }
  }
}

function shortened(summary: Summary) {
  const { verdict, exitCode, reasons, started, durationSeconds, tests, hits } = summary
  const { serviceTime, responseTime, coverage, thresholds } = summary
  const { ratio, windowsOwed, windowsReceived } = coverage
  return {
    verdict,
    exitCode,
    reasons,
    started,
    durationSeconds,
    tests,
    hits,
    serviceTime,
    responseTime,
    coverage: { ratio, windowsOwed, windowsReceived },
    thresholds,
  }
}
