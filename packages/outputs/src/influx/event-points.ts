import type { Summary } from '@loads-runner/metrics'
import type { AgentView, FaultEvent, ThresholdState } from '@loads-runner/protocol'
import type { OutputRecord, OutputRun } from '../output.ts'
import { known, type FieldValue, type Point } from './point.ts'
import { statsFields } from './times.ts'

type Event = Extract<OutputRecord, { type: 'event' }>['event']
type EventOf<T extends Event['type']> = Extract<Event, { type: T }>

/** What an annotation of Grafana shows. */
interface Mark {
  type: string
  /** What became of it: `lost`, `begins`, `passed`; '' where it means nothing. */
  state: string
  at: number
  title: string
  text: string
  source: string
  tags?: readonly string[]
  /** Milliseconds since the epoch; null: a moment, or it goes on. */
  endsAt?: number | null
}

/** Faults that go on, remembered so that their ends find their beginnings. More at once are moments only. */
const mostFaults = 1_000

/** Points of the moments of one run: `loads_events`, `loads_observed`, `loads_thresholds`, `loads_summary`. */
export class EventPoints {
  readonly #run: OutputRun
  readonly #tags: Readonly<Record<string, string>>
  /** What was made of an event stays the same when it comes again. */
  readonly #made = new WeakMap<Event, Point[]>()
  /** The last moment of a kind, since two points of one kind and time are one. */
  readonly #lastAt = new Map<string, number>()
  readonly #agentStates = new Map<string, AgentView['state']>()
  readonly #thresholds = new Map<string, boolean | null>()
  readonly #faults = new Map<string, { mark: Mark; at: number }>()
  #hasBegun = false

  constructor(run: OutputRun, tags: Readonly<Record<string, string>>) {
    this.#run = run
    this.#tags = tags
  }

  of(event: Event): Point[] {
    let points = this.#made.get(event)
    if (points === undefined) this.#made.set(event, (points = this.#make(event)))
    return points
  }

  /** Something true to write before anything has happened: the start when that is over, the state until then. */
  opening(): Point {
    const { view } = this.#run
    if (view.startedAt !== null) return this.#start(view.startedAt)
    const { state, note } = view
    return this.#mark({ type: 'state', state, at: Date.now(), title: state, text: note, source: '' })
  }

  end(summary: Summary | null): Point[] {
    if (summary === null) return []
    const { startedAt } = this.#run.view
    // A run without load has no time of its own.
    const at = Math.round(startedAt === null ? Date.now() : startedAt + summary.durationSeconds * 1000)
    const { verdict, exitCode, reasons } = summary
    const stop = pointOf(this.#tags, {
      type: 'stop',
      state: verdict,
      at,
      title: verdict,
      text: reasons.join('\n') || `exit code ${exitCode}`,
      source: '',
      tags: [verdict],
    })
    return [stop, summaryPoint(summary, this.#tags, at)]
  }

  #make(event: Event): Point[] {
    switch (event.type) {
      case 'state':
        return this.#state(event)
      case 'agent':
        return this.#agent(event)
      case 'fault':
        return this.#fault(event)
      case 'note':
        return [
          this.#mark({
            type: 'note',
            state: '',
            at: event.at,
            title: event.text,
            text: event.text,
            source: event.source,
            tags: Object.entries(event.tags).map(([name, value]) => `${name}:${value}`),
          }),
        ]
      case 'control':
        return [
          this.#mark({
            type: 'control',
            state: event.paused ? 'paused' : '',
            at: event.at,
            title: event.paused ? `${event.scenario} paused` : `${event.scenario} set to ${event.target}`,
            text: `by ${event.by}`,
            source: event.by,
            tags: [event.scenario],
          }),
        ]
      case 'thresholds':
        return event.states.flatMap((state) => this.#threshold(state, event.at))
      case 'observation':
        return Object.entries(event.values).map(([name, value]) => ({
          measurement: 'loads_observed',
          tags: { ...this.#tags, source: event.source, name },
          fields: known({ value }),
          at: Math.round(event.at),
        }))
      case 'log':
        return []
    }
  }

  #state({ state, at, startedAt, note }: EventOf<'state'>): Point[] {
    if (state === 'running' && !this.#hasBegun) return [this.#start(startedAt ?? at)]
    return [this.#mark({ type: 'state', state, at, title: state, text: note, source: '' })]
  }

  #start(at: number): Point {
    this.#hasBegun = true
    const { names, agents, labels } = this.#run.spec
    return this.#mark({
      type: 'start',
      state: 'running',
      at,
      title: `start: ${names.join(', ')}`,
      text: `on ${agents === 1 ? '1 agent' : `${agents} agents`}`,
      source: '',
      tags: Object.entries(labels).map(([name, value]) => `${name}:${value}`),
    })
  }

  /** Agents are heard of often; what changes is a moment. */
  #agent({ agent, at, note }: EventOf<'agent'>): Point[] {
    const key = `${agent.id} ${agent.incarnation}`
    if (this.#agentStates.get(key) === agent.state) return []
    this.#agentStates.set(key, agent.state)
    const { id, host, state } = agent
    return [
      this.#mark({
        type: 'agent',
        state,
        at,
        title: `${id} ${state}`,
        text: note || host,
        source: id,
        tags: [id, state],
      }),
    ]
  }

  /** A fault is one point with two times: its end is written into its beginning. */
  #fault(event: FaultEvent): Point[] {
    const { id, state, name, detail, source } = event
    const begun = this.#faults.get(id)
    if (state === 'ends' && begun !== undefined) {
      this.#faults.delete(id)
      return [pointOf(this.#tags, { ...begun.mark, at: begun.at, endsAt: event.at })]
    }
    const mark: Mark = {
      type: 'fault',
      state,
      at: event.at,
      title: name,
      text: detail,
      source,
      tags: [name],
      endsAt: state === 'ends' ? event.at : null,
    }
    const point = this.#mark(mark)
    if (state === 'begins' && this.#faults.size < mostFaults) this.#faults.set(id, { mark, at: point.at })
    return [point]
  }

  #threshold({ expression, value, ok }: ThresholdState, at: number): Point[] {
    const fields = known({ value, ok })
    const points: Point[] = []
    if (Object.keys(fields).length > 0)
      points.push({
        measurement: 'loads_thresholds',
        tags: { ...this.#tags, expression },
        fields,
        at: Math.round(at),
      })
    const before = this.#thresholds.get(expression)
    this.#thresholds.set(expression, ok)
    if (ok === null || before === ok || (before === undefined && ok)) return points
    const title = ok ? `holds again: ${expression}` : `crossed: ${expression}`
    const text = value === null ? '' : `is ${value}`
    const state = ok ? 'ok' : 'crossed'
    return [...points, this.#mark({ type: 'threshold', state, at, title, text, source: '', tags: [state] })]
  }

  /** Later by a millisecond where there is one of its kind at that time, which it would overwrite. */
  #mark(mark: Mark): Point {
    const kind = JSON.stringify([mark.type, mark.state, mark.source])
    const at = Math.max(Math.round(mark.at), (this.#lastAt.get(kind) ?? -Infinity) + 1)
    this.#lastAt.set(kind, at)
    return pointOf(this.#tags, { ...mark, at })
  }
}

function pointOf(run: Readonly<Record<string, string>>, mark: Mark): Point {
  const { type, state, source, title, text, tags = [], endsAt = null, at } = mark
  const fields: Record<string, FieldValue | null> = {
    title,
    text,
    // Grafana takes them apart at the commas.
    tags: [type, ...tags].map((tag) => tag.replaceAll(',', ' ')).join(','),
    ends_at: endsAt === null ? null : Math.round(endsAt),
  }
  return { measurement: 'loads_events', tags: { ...run, type, state, source }, fields: known(fields), at }
}

/** The summary as one point, at the end of the load. */
function summaryPoint(summary: Summary, tags: Readonly<Record<string, string>>, at: number): Point {
  const { tests, hits } = summary
  return {
    measurement: 'loads_summary',
    tags: { ...tags, verdict: summary.verdict },
    fields: known({
      hits: hits.count,
      failed: hits.failed,
      hits_per_second: hits.perSecond,
      executions: tests.finished,
      successes: tests.successes,
      failures: tests.failures,
      errors: tests.errors,
      lost: tests.lost,
      dropped: summary.schedule.dropped,
      duration_seconds: summary.durationSeconds,
      coverage: summary.coverage.ratio,
      exit_code: summary.exitCode,
      ...statsFields(summary.serviceTime),
    }),
    at,
  }
}
