import type { AgentState, AgentView, BrokerToAgent, SessionLedger } from '@loads-runner/protocol'
import type { LoadProfile, MovedUser, Share } from '@loads-runner/testcase/load'
import type { RegisteredAgent } from './agent-registry.ts'
import { owedByLost, type AgentWindows } from './coverage.ts'
import { closeLedger, type AgentLedger } from './ledger.ts'
import { plannedOf, remainingExecutions, type Holding } from './respread.ts'
import type { WindowStream } from './window-intake.ts'

/** Users per `add-users` message. */
const maxMovedPerMessage = 5000

/** One agent in one run: what it has to do, how far it is, what came from it. */
export class Member implements Holding {
  readonly runId: string
  readonly agent: RegisteredAgent
  readonly share: Share
  readonly stream: WindowStream
  moved: MovedUser[] = []
  /** Executions that are its to make; moving users changes it. */
  planned: number
  workers = 0
  /** It said that its users of the present stage have ended. */
  stageDone = false
  /** Its final window has arrived (perhaps not yet committed). */
  finalTaken = false
  activeUsers = 0
  ledger: SessionLedger = { planned: 0, started: 0, finished: 0, interrupted: 0 }
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
  /** A bundle is on its way. */
  sending = false
  /** Milliseconds of the run at which it was given up; null while it was not, and before the load. */
  lostAtMs: number | null = null
  readonly #profile: LoadProfile
  #state: AgentState = 'preparing'
  #released = false

  constructor(
    runId: string,
    agent: RegisteredAgent,
    share: Share,
    profile: LoadProfile,
    stream: WindowStream,
    nowMs: number,
  ) {
    this.runId = runId
    this.agent = agent
    this.share = share
    this.stream = stream
    this.planned = plannedOf(profile, share)
    this.lastSaidMs = nowMs
    this.#profile = profile
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

  /** Can take over users. */
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

  /** Gives it users of another agent. They may be of a stage whose own users have all ended here. */
  takeOver(users: MovedUser[], stage: number): void {
    if (users.length === 0) return
    for (const user of users) {
      this.moved.push(user)
      this.planned += remainingExecutions(this.#profile, user)
    }
    if (users.some((user) => user.stage === stage)) this.stageDone = false
    for (let at = 0; at < users.length; at += maxMovedPerMessage) {
      this.send({ type: 'add-users', runId: this.runId, users: users.slice(at, at + maxMovedPerMessage) })
    }
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

  /** These users are someone else's now. */
  giveAway(users: readonly MovedUser[]): void {
    for (const user of users) this.planned -= remainingExecutions(this.#profile, user)
  }

  view(): AgentView {
    const { id, incarnation, host } = this.agent.identity
    const state = this.suspect ? 'suspect' : this.#state
    return { id, incarnation, host, state, activeUsers: this.activeUsers, windows: this.windows }
  }

  closedLedger(): AgentLedger {
    return closeLedger(this.planned, this.ledger)
  }

  /** What arrived of what is owed. Before the load nothing is. */
  closedWindows(windowMs: number): AgentWindows {
    const missing = [...this.stream.missing]
    if (this.lostAtMs !== null && !this.stream.ended && !this.left) {
      missing.push(owedByLost(this.stream.lastToMs, this.lostAtMs, windowMs))
    }
    return { agent: this.id, received: this.stream.received, missing, hitsPerMs: this.hitsPerMs }
  }
}
