import type { AgentState, AgentView, BrokerToAgent, SessionLedger } from '@loads-runner/protocol'
import type { MovedUnit, RunStage, Share } from '@loads-runner/testcase/load'
import type { RegisteredAgent } from './agent-registry.ts'
import { owedByLost, type AgentWindows } from './coverage.ts'
import { closeLedger, type AgentLedger } from './ledger.ts'
import { plannedOf, remainingExecutions, startsMade, type Holding, type Progress } from './respread.ts'
import type { WindowStream } from './window-intake.ts'

/** Units per `add-units` message. */
const maxMovedPerMessage = 5000

/** One agent in one run: what it has to do, how far it is, what came from it. */
export class Member implements Holding {
  readonly runId: string
  readonly agent: RegisteredAgent
  readonly share: Share
  readonly stream: WindowStream
  moved: MovedUnit[] = []
  workers = 0
  /** Numbers of the stages of which it said that all its units have ended. */
  readonly done = new Set<number>()
  /** Its final window has arrived (perhaps not yet committed). */
  finalTaken = false
  activeUsers = 0
  ledger: SessionLedger = { planned: 0, started: 0, finished: 0, interrupted: 0, dropped: 0 }
  /** Windows committed. */
  windows = 0
  /** Number of the last one; -1 before the first. */
  lastCommitted = -1
  hits = 0
  /** Of its fastest window; null before the first. */
  hitsPerMs: number | null = null
  /** When it last said something about this run, by the monotonic clock. */
  lastSaidMs: number
  suspect = false
  /** It went by itself, in good order: nothing is on its way any more. */
  left = false
  /** The link, by its number, over which a bundle is on its way; null: none is. */
  sendingOver: number | null = null
  /** Milliseconds of the run at which it was given up; null while it was not, and before the load. */
  lostAtMs: number | null = null
  readonly #stages: readonly RunStage[]
  readonly #windowMs: number
  /** Executions known beforehand of all units that it was given ... */
  #held: number
  /** ... and of those that are someone else's now. */
  #given = 0
  /** Starts of open models that it had accounted for when its lanes became someone else's; null before. */
  #startsMade: number | null = null
  #state: AgentState = 'preparing'
  #released = false

  /** @param stages of the run; without them all that is planned is what the agent reports */
  constructor(
    runId: string,
    agent: RegisteredAgent,
    share: Share,
    stages: readonly RunStage[],
    stream: WindowStream,
    windowMs: number,
    nowMs: number,
  ) {
    this.runId = runId
    this.agent = agent
    this.share = share
    this.stream = stream
    this.lastSaidMs = nowMs
    this.#stages = stages
    this.#windowMs = windowMs
    this.#held = plannedOf(stages, share)
  }

  /**
   * Executions that are its to make: those known beforehand, moved units included, and those of open models that fell
   * due, as it reports them. What others go on with is theirs: it keeps what it had accounted for.
   */
  get planned(): number {
    const fellDue = this.#startsMade ?? Math.max(0, this.ledger.planned - this.#held)
    return this.#held - this.#given + fellDue
  }

  get id(): string {
    return this.agent.id
  }

  get state(): AgentState {
    return this.#state
  }

  /** Still part of the run: neither given up nor done. */
  get live(): boolean {
    return this.#state !== 'lost' && this.#state !== 'fenced' && this.#state !== 'done'
  }

  get gone(): boolean {
    return this.#state === 'lost' || this.#state === 'fenced'
  }

  /** Can take over units. */
  get working(): boolean {
    return this.live && !this.finalTaken
  }

  become(state: AgentState): void {
    this.#state = state
    this.suspect = false
    if (!this.live) this.activeUsers = 0
  }

  send(message: BrokerToAgent): void {
    this.agent.send(message)
  }

  /** Gives it units of another agent. They may be of a stage whose own units have all ended here. */
  takeOver(units: MovedUnit[]): void {
    const from = this.moved.length
    for (const unit of units) {
      this.moved.push(unit)
      this.#held += remainingExecutions(this.#stages, unit)
      this.done.delete(unit.stage)
    }
    this.sendUnits(from)
  }

  /** @param from place in `moved`; 0 says all of them again */
  sendUnits(from = 0): void {
    for (let at = from; at < this.moved.length; at += maxMovedPerMessage) {
      const units = this.moved.slice(at, at + maxMovedPerMessage)
      this.send({ type: 'add-units', runId: this.runId, from: at, units })
    }
  }

  /**
   * It says that its units of a stage have ended.
   *
   * @param units how many units of other agents it knew of: where others are on their way, it will say so again
   */
  stageDone(stage: number, units: number): void {
    if (!this.moved.slice(units).some((each) => each.stage === stage)) this.done.add(stage)
  }

  acknowledge(): void {
    if (this.lastCommitted >= 0) this.send({ type: 'ack', runId: this.runId, number: this.lastCommitted })
  }

  /** Tells it, once, to forget the run. */
  release(reason: string): void {
    if (this.#released) return
    this.#released = true
    this.send({ type: 'release', runId: this.runId, reason })
  }

  /** These units are someone else's now. */
  giveAway(units: readonly MovedUnit[], progress: Progress): void {
    for (const unit of units) this.#given += remainingExecutions(this.#stages, unit)
    if (this.gone) this.#startsMade = startsMade(this.#stages, this, progress)
  }

  /** Windows that were given up so far. */
  get windowsMissing(): number {
    return this.closedWindows().missing.reduce((sum, span) => sum + span.windows, 0)
  }

  view(): AgentView {
    const { id, incarnation, host } = this.agent.identity
    const state = this.suspect ? 'suspect' : this.#state
    const { activeUsers, hits, windows, windowsMissing } = this
    return { id, incarnation, host, state, activeUsers, hits, windows, windowsMissing }
  }

  closedLedger(): AgentLedger {
    return closeLedger(this.planned, this.ledger)
  }

  /** What arrived of what is owed. Before the load nothing is. */
  closedWindows(): AgentWindows {
    const missing = [...this.stream.missing]
    if (this.lostAtMs !== null && !this.stream.ended && !this.left) {
      missing.push(owedByLost(this.stream.lastToMs, this.lostAtMs, this.#windowMs))
    }
    return { agent: this.id, received: this.stream.received, missing, hitsPerMs: this.hitsPerMs }
  }
}
