import { Aggregate, DeltaDecoder, Live } from '@loads-runner/metrics'
import type { Summary } from '@loads-runner/metrics'
import { tearDownNote } from '@loads-runner/protocol'
import type { AgentView, RunEvent, RunSpec, RunState } from '@loads-runner/protocol'
import { plannedExecutions } from '@loads-runner/testcase/load'

/** Everything a console knows of a run: made from its events, in order, by {@link apply}. */
export class RunView {
  state: RunState = 'queued'
  /** Why it is in this state, where the broker says so. */
  note = ''
  spec: RunSpec | null = null
  /** Milliseconds since the epoch, by the broker's clock; null before load begins. */
  startedAt: number | null = null
  stage = 0
  readonly agents = new Map<string, AgentView>()
  activeUsers = 0
  started = 0
  finished = 0
  interrupted = 0
  /** Totals so far. */
  aggregate = new Aggregate()
  /** The last seconds. */
  live = new Live()
  summary: Summary | null = null

  readonly #now: () => number
  #decoder = new DeltaDecoder()
  #elapsedMs = 0
  /** Our clock when `#elapsedMs` was right. */
  #elapsedAt = 0
  #stageElapsedMs = 0

  /** @param now milliseconds of any steady clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** @throws {MetricsError} when figures in the event are garbage */
  apply(event: RunEvent): void {
    switch (event.type) {
      case 'snapshot':
        return this.#restore(event)
      case 'state':
        this.#setStage(event.stage)
        this.#setElapsed(event.state === 'running' && this.state !== 'running' ? 0 : this.elapsedMs())
        this.state = event.state
        this.note = event.note
        this.startedAt = event.startedAt
        return
      case 'agent':
        this.agents.set(keyOf(event.agent), event.agent)
        return
      case 'commit':
        return this.#commit(event)
      case 'log':
        return
      case 'finished':
        this.state = event.state
        this.summary = JSON.parse(event.summary) as Summary
        return
    }
  }

  /** Milliseconds of load so far, by our own clock between two events. */
  elapsedMs(): number {
    const stopping = this.state === 'draining' && this.note !== tearDownNote
    if (this.state !== 'running' && !stopping) return this.#elapsedMs
    return this.#elapsedMs + (this.#now() - this.#elapsedAt)
  }

  /** Milliseconds that the load is planned to last; null when iterations decide. */
  plannedMs(): number | null {
    const stages = this.spec?.profile.stages ?? []
    return stages.some((stage) => stage.durationMs === null)
      ? null
      : sum(stages, (stage) => stage.durationMs ?? 0)
  }

  /** How much of the plan is done, from 0 to 1. It reaches 1 once, at the end of a run that was not cut short. */
  progress(): number {
    if (this.state === 'done' || this.state === 'incomplete') return 1
    const stages = this.spec?.profile.stages ?? []
    if (stages.length === 0) return 0
    const plannedMs = this.plannedMs()
    if (plannedMs === null) {
      const planned = sum(stages, (stage) => plannedExecutions(stage) ?? 0)
      return Math.min(1, (this.finished + this.interrupted) / Math.max(1, planned))
    }
    // A stage ends when its users have; its time is over somewhat earlier.
    const stage = stages[this.stage]?.durationMs ?? 0
    const before = sum(stages.slice(0, this.stage), (each) => each.durationMs ?? 0)
    const within = Math.min(stage, Math.max(0, this.elapsedMs() - this.#stageElapsedMs))
    return plannedMs === 0 ? 1 : Math.min(1, (before + within) / plannedMs)
  }

  agentsIn(...states: AgentView['state'][]): AgentView[] {
    return [...this.agents.values()].filter((agent) => states.includes(agent.state))
  }

  #restore(event: Extract<RunEvent, { type: 'snapshot' }>): void {
    this.state = event.state
    this.spec = event.spec
    this.startedAt = event.startedAt
    this.stage = event.stage
    this.activeUsers = event.activeUsers
    this.started = event.started
    this.finished = event.finished
    this.interrupted = event.interrupted
    this.agents.clear()
    for (const agent of event.agents) this.agents.set(keyOf(agent), agent)
    this.#setElapsed(event.elapsedMs)
    this.#decoder = new DeltaDecoder()
    this.aggregate = new Aggregate()
    this.live = new Live()
    this.aggregate.apply(this.#decoder.decode(event.delta))
  }

  #commit(event: Extract<RunEvent, { type: 'commit' }>): void {
    const spanMs = Math.max(0, event.elapsedMs - this.#elapsedMs)
    const delta = this.#decoder.decode(event.delta)
    this.aggregate.apply(delta)
    this.live.apply(delta, spanMs)
    this.activeUsers = event.activeUsers
    this.started = event.started
    this.finished = event.finished
    this.interrupted = event.interrupted
    this.#setElapsed(event.elapsedMs)
  }

  #setStage(stage: number): void {
    if (stage === this.stage) return
    this.#stageElapsedMs = this.elapsedMs()
    this.stage = stage
  }

  #setElapsed(elapsedMs: number): void {
    this.#elapsedMs = elapsedMs
    this.#elapsedAt = this.#now()
  }
}

function keyOf(agent: AgentView): string {
  return `${agent.id} ${agent.incarnation}`
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0)
}
