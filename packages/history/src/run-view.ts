import { Aggregate, Delta, DeltaDecoder, hitKinds, interruptedStatus, Live } from '@loads-runner/metrics'
import type { Summary } from '@loads-runner/metrics'
import { tearDownNote } from '@loads-runner/protocol'
import type {
  AgentView,
  CommitEvent,
  FaultEvent,
  NoteEvent,
  ObservationEvent,
  RunEvent,
  RunSpec,
  RunState,
  ThresholdState,
} from '@loads-runner/protocol'
import { isOpen } from '@loads-runner/testcase/load'
import type { RunStage } from '@loads-runner/testcase/load'
import { AgentFigures } from './agent-figures.ts'
import { pushLatest } from './latest.ts'
import { RunProgress } from './run-progress.ts'
import { byScenario, responsesOf, ScenarioView } from './scenario-view.ts'
import { StartTrack } from './start-rates.ts'
import type { StartRates } from './start-rates.ts'

type Figures = Pick<CommitEvent, 'elapsedMs' | 'planned' | 'dropped'>

const nothing = new Delta()

/** What is kept of annotations, of log lines, and of the names of observations: the latest. */
const mostKept = 1_000

const ends: ReadonlySet<RunState> = new Set<RunState>(['done', 'failed', 'aborted', 'incomplete'])

/** A line of the run's log. */
export interface LogLine {
  /** Milliseconds since the epoch. */
  at: number
  level: 'info' | 'warning' | 'error'
  source: string
  text: string
}

/** A figure that the target told of itself, as it was last. */
export interface Observed {
  value: number
  at: number
  elapsedMs: number
  source: string
}

/** Everything that is known of a run: made from its events, in order, by {@link apply}. Memory is bounded. */
export class RunView {
  state: RunState = 'queued'
  /** Why it is in this state, where the broker says so. */
  note = ''
  spec: RunSpec | null = null
  /** Milliseconds since the epoch at which the first event was made; of a run seen from its beginning: when it was submitted. */
  submittedAt: number | null = null
  /** Milliseconds since the epoch, by the broker's clock; null before load begins. */
  startedAt: number | null = null
  /** Milliseconds since the epoch; null while it goes on. */
  endedAt: number | null = null
  stage = 0
  readonly agents = new Map<string, AgentView>()
  /** How each agent does, by its last windows: the keys are those of `agents`. */
  readonly agentFigures = new Map<string, AgentFigures>()
  activeUsers = 0
  started = 0
  finished = 0
  interrupted = 0
  /** Open models: executions that fell due, and those that were never started. */
  planned = 0
  dropped = 0
  /** Executions so far that ended as failure or error. */
  failedExecutions = 0
  /** Hits of the warm-up; they are in no total. */
  warmUpHits = 0
  thresholds: readonly ThresholdState[] = []
  /** What operators have asked of scenarios last, by name. */
  readonly controls = new Map<string, { target: number; paused: boolean }>()
  /** Notes and faults, oldest first: the latest 1,000. */
  readonly annotations: (NoteEvent | FaultEvent)[] = []
  /** What the target said of itself last, by name: 1,000 names at most. */
  readonly observations = new Map<string, Observed>()
  /** Oldest first: the latest 1,000. */
  readonly log: LogLine[] = []
  /** By name; empty where the run has one only. */
  readonly scenarios = new Map<string, ScenarioView>()
  /** How the machines that make the load do, by the last windows. */
  generator: CommitEvent['generator'] = { eventLoopLagMs: 0, cpu: 0, latenessMs: 0 }
  /** Totals so far, without the warm-up. */
  aggregate = new Aggregate()
  /** The last seconds. */
  live = new Live()
  /** Response times of the last seconds: open models only. */
  liveResponses = new Live()
  summary: Summary | null = null
  /** Called for each commit after it is applied; `delta` is its decoded delta and must not be changed. */
  onCommit: ((event: CommitEvent, delta: Delta) => void) | null = null

  readonly #now: () => number
  #decoder = new DeltaDecoder()
  #elapsedMs = 0
  /** Our clock when `#elapsedMs` was right. */
  #elapsedAt = 0
  #progress: RunProgress | null = null
  #starts = new StartTrack()
  /** Executions that open models have started: each has its lateness recorded. */
  #openStarts = 0

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
        if (ends.has(event.state)) this.endedAt ??= event.at
        return
      case 'agent':
        this.agents.set(keyOf(event.agent), event.agent)
        return
      case 'commit':
        return this.#commit(event)
      case 'thresholds':
        this.thresholds = event.states
        return
      case 'control':
        this.controls.set(event.scenario, { target: event.target, paused: event.paused })
        return
      case 'note':
      case 'fault':
        pushLatest(this.annotations, event, mostKept)
        return
      case 'observation':
        return this.#observe(event)
      case 'log': {
        const { at, level, source, text } = event
        pushLatest(this.log, { at, level, source, text }, mostKept)
        return
      }
      case 'finished':
        this.state = event.state
        this.endedAt ??= event.at
        this.summary = JSON.parse(event.summary) as Summary
        // Whoever reads the run later has no other clock: all are to have the same end.
        this.#setElapsed(this.summary.durationSeconds * 1000)
        this.#closeAgents(this.summary)
        return
    }
  }

  /** Milliseconds of load so far, by our own clock between two events. */
  elapsedMs(): number {
    const stopping = this.state === 'draining' && this.note !== tearDownNote
    if (this.state !== 'running' && !stopping) return this.#elapsedMs
    return this.#elapsedMs + (this.#now() - this.#elapsedAt)
  }

  /** Milliseconds that the load is planned to last; null when executions, or an operator, decide. */
  plannedMs(): number | null {
    return this.#progress?.plannedMs() ?? null
  }

  /** How much of the plan is done, from 0 to 1. It reaches 1 once, at the end of a run that was not cut short. */
  progress(): number {
    if (this.state === 'done' || this.state === 'incomplete') return 1
    return this.#progress?.done(this.elapsedMs(), this.finished + this.interrupted + this.dropped) ?? 0
  }

  /** All stages of the run, by their numbers. */
  get stages(): readonly RunStage[] {
    return this.#progress?.stages ?? []
  }

  /** Some scenario has a schedule of starts. */
  get isOpen(): boolean {
    return this.stages.some(({ model }) => isOpen(model))
  }

  /** What is recorded now counts apart. */
  get inWarmUp(): boolean {
    return this.warmUpLeftMs() > 0
  }

  /** Milliseconds until figures begin to count. */
  warmUpLeftMs(): number {
    if (this.state !== 'running') return 0
    return Math.max(0, (this.spec?.warmUpMs ?? 0) - this.elapsedMs())
  }

  /** This stage is known to have begun. */
  hasBegun(number: number): boolean {
    return this.state === 'running' && this.#progress?.hasBegun(number) === true
  }

  /** How the starts of open models go; null where there are none, or nothing is known yet. */
  startRates(): StartRates | null {
    return this.isOpen ? this.#starts.rates() : null
  }

  agentsIn(...states: AgentView['state'][]): AgentView[] {
    return [...this.agents.values()].filter((agent) => states.includes(agent.state))
  }

  #restore(event: Extract<RunEvent, { type: 'snapshot' }>): void {
    this.state = event.state
    this.spec = event.spec
    this.submittedAt ??= event.at
    this.startedAt = event.startedAt
    this.endedAt = ends.has(event.state) ? (this.endedAt ?? event.at) : null
    this.stage = event.stage
    this.activeUsers = event.activeUsers
    this.started = event.started
    this.finished = event.finished
    this.interrupted = event.interrupted
    this.planned = event.planned
    this.dropped = event.dropped
    this.thresholds = event.thresholds
    this.#progress = new RunProgress(event.spec.profile)
    this.#progress.begin(event.stage, event.elapsedMs)
    this.#starts = new StartTrack()
    this.agents.clear()
    this.agentFigures.clear()
    for (const agent of event.agents) {
      this.agents.set(keyOf(agent), agent)
      this.agentFigures.set(keyOf(agent), AgentFigures.of(agent))
    }
    this.annotations.splice(0, this.annotations.length, ...event.annotations.slice(-mostKept))
    this.#setElapsed(event.elapsedMs)
    this.#decoder = new DeltaDecoder()
    this.aggregate = new Aggregate()
    this.live = new Live()
    this.liveResponses = new Live()
    this.failedExecutions = 0
    this.warmUpHits = 0
    this.scenarios.clear()
    const { scenarios } = event.spec.profile
    if (scenarios.length > 1)
      for (const { name } of scenarios) this.scenarios.set(name, new ScenarioView(name))
    this.#openStarts = 0
    this.#take(this.#decoder.decode(event.delta), 0, true)
    this.#track(event)
  }

  #commit(event: Extract<RunEvent, { type: 'commit' }>): void {
    const spanMs = Math.max(0, event.elapsedMs - this.#elapsedMs)
    const delta = this.#decoder.decode(event.delta)
    this.#take(delta, spanMs, !event.warmUp)
    this.live.apply(delta, spanMs)
    this.liveResponses.apply(responsesOf(delta), spanMs)
    this.generator = event.generator
    this.activeUsers = event.activeUsers
    this.started = event.started
    this.finished = event.finished
    this.interrupted = event.interrupted
    this.planned = event.planned
    this.dropped = event.dropped
    this.#track(event)
    this.#setElapsed(event.elapsedMs)
    for (const window of event.windows) this.#figuresOf(window.agent, window.incarnation).take(window)
    this.onCommit?.(event, delta)
  }

  #figuresOf(agent: string, incarnation: string): AgentFigures {
    const key = agentKey(agent, incarnation)
    let figures = this.agentFigures.get(key)
    if (figures === undefined) this.agentFigures.set(key, (figures = new AgentFigures(agent, incarnation)))
    return figures
  }

  /** A snapshot may have had hits of an agent that a later commit had again: the summary is right. */
  #closeAgents({ agents }: Summary): void {
    for (const { id, hits } of agents) {
      const own = [...this.agentFigures.values()].filter(({ agent }) => agent === id)
      if (own.length === 1) own[0]!.hits = hits
    }
  }

  #observe({ at, elapsedMs, source, values }: ObservationEvent): void {
    for (const [name, value] of Object.entries(values)) {
      // The latest last, so that the one that goes is the one not heard of for longest.
      this.observations.delete(name)
      this.observations.set(name, { value, at, elapsedMs, source })
    }
    for (const name of this.observations.keys()) {
      if (this.observations.size <= mostKept) return
      this.observations.delete(name)
    }
  }

  #take(delta: Delta, spanMs: number, counts: boolean): void {
    if (counts) this.aggregate.apply(delta)
    for (const { key, count } of delta.series.values()) {
      if (key.kind === 'lateness') this.#openStarts += count
      if (!counts && hitKinds.has(key.kind)) this.warmUpHits += count
      const ended = key.kind === 'execution' && key.status !== interruptedStatus
      if (counts && ended && key.status !== 'success') this.failedExecutions += count
    }
    if (this.scenarios.size === 0) return
    const parts = byScenario(delta)
    // Silence is a rate, too.
    for (const [name, scenario] of this.scenarios) scenario.apply(parts.get(name) ?? nothing, spanMs, counts)
  }

  #track({ elapsedMs, planned, dropped }: Figures): void {
    this.#starts.add({ elapsedMs, planned, started: this.#openStarts, dropped })
  }

  #setStage(stage: number): void {
    if (stage === this.stage) return
    this.stage = stage
    this.#progress?.begin(stage, this.elapsedMs())
  }

  #setElapsed(elapsedMs: number): void {
    this.#elapsedMs = elapsedMs
    this.#elapsedAt = this.#now()
  }
}

function keyOf(agent: AgentView): string {
  return agentKey(agent.id, agent.incarnation)
}

/** The key of an agent in `agents` and `agentFigures`: a process that takes over a name is another one. */
export function agentKey(id: string, incarnation: string): string {
  return `${id} ${incarnation}`
}
