import type { AgentConnection, AgentToBroker, BrokerToAgent, Dialer, Identity } from '@loads-runner/protocol'
import { FakeSession } from './fake-session.ts'
import type { ManualClock } from './manual-clock.ts'

let incarnations = 0

/**
 * A scripted agent on a real connection. By itself it prepares, arms, sends heartbeats and releases; what it does with
 * a stage is up to `onStage`, by default everything at once.
 */
export class FakeAgent {
  readonly identity: Identity
  readonly received: BrokerToAgent[] = []
  readonly sessions = new Map<string, FakeSession>()
  readonly bundles: Uint8Array[] = []
  connection!: AgentConnection
  closed = false
  /** A paused agent neither hears nor says anything, but its connection stays. */
  paused = false
  onPrepare: (message: Extract<BrokerToAgent, { type: 'prepare' }>) => AgentToBroker | null
  onArm: (runId: string) => AgentToBroker | null = (runId) => ({ type: 'armed', runId })
  onStage: (session: FakeSession, stage: number) => void = (session, stage) => this.runStage(session, stage)
  onFinish: (session: FakeSession) => void = (session) => session.send(this.connection, true)
  onStop: (session: FakeSession, mode: string) => void = (session) => session.send(this.connection, true)
  onAddUnits: (session: FakeSession) => void = () => {}
  releases = true
  readonly #dialer: Dialer
  readonly #clock: ManualClock
  #cancelHeartbeat = () => {}
  readonly #unheard: BrokerToAgent[] = []

  constructor(dialer: Dialer, clock: ManualClock, id: string, options: Partial<Identity> = {}) {
    this.#dialer = dialer
    this.#clock = clock
    const incarnation = `incarnation-${++incarnations}`
    this.identity = {
      id,
      incarnation,
      host: 'host-1',
      pid: 1,
      version: '0',
      slots: 1,
      labels: {},
      ...options,
    }
    this.onPrepare = ({ runId }) => ({ type: 'prepared', runId, workers: 2 })
  }

  get id(): string {
    return this.identity.id
  }

  /** The session of its only run, or of the given one. */
  session(runId = [...this.sessions.keys()][0]): FakeSession {
    const session = this.sessions.get(runId ?? '')
    if (session === undefined) throw new Error(`${this.id} has no session of ${runId}`)
    return session
  }

  types(): string[] {
    return this.received.map((message) => message.type)
  }

  async dial(): Promise<this> {
    const connection = await this.#dialer.dialAsAgent(this.identity)
    this.connection = connection
    this.closed = false
    connection.onMessage((message) => {
      if (this.paused) this.#unheard.push(message)
      else this.#hear(message)
    })
    void connection.closed.then(() => {
      if (this.connection === connection) this.closed = true
    })
    this.#cancelHeartbeat()
    this.#cancelHeartbeat = this.#clock.every(1000, () => {
      if (!this.paused) connection.send({ type: 'heartbeat' })
    })
    return this
  }

  say(message: AgentToBroker): void {
    this.connection.send(message)
  }

  /** The process is stopped (SIGSTOP), or runs on. */
  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    for (const message of this.#unheard.splice(0)) this.#hear(message)
  }

  /** Stops its heartbeats, for good. */
  silence(): void {
    this.#cancelHeartbeat()
  }

  async leave(): Promise<void> {
    this.silence()
    await this.connection.close()
  }

  /**
   * Ends the link from the broker's side, as a broken network would: without a goodbye of the agent. What a paused one has
   * not heard is lost.
   */
  breakLink(): void {
    this.#unheard.length = 0
    this.paused = false
    const link = this.connection as unknown as { lose(message: string): void }
    link.lose('the network is gone')
  }

  /** Runs a stage to its end, in one window. */
  runStage(session: FakeSession, stage: number): void {
    for (const { unit, from, count } of session.unitsOf(stage)) session.execute(unit, from, count)
    session.send(this.connection)
    this.endStage(session, stage)
  }

  endStage(session: FakeSession, stage: number): void {
    this.say({ type: 'stage-done', runId: session.runId, stage, units: session.moved.length })
  }

  #hear(message: BrokerToAgent): void {
    this.received.push(message)
    const { runId } = message
    const session = this.sessions.get(runId)
    if (message.type === 'prepare') {
      this.sessions.set(runId, new FakeSession(runId, message.spec, message.share))
      this.#answer(this.onPrepare(message))
    } else if (message.type === 'release') {
      if (this.releases) this.say({ type: 'released', runId })
    } else if (message.type === 'bundle') {
      this.bundles.push(message.bytes)
      if (message.last) this.say({ type: 'prepared', runId, workers: 2 })
    } else if (session === undefined) {
      throw new Error(`${this.id} got ${message.type} of a run that it does not know`)
    } else if (message.type === 'arm') {
      this.#answer(this.onArm(runId))
    } else if (message.type === 'start-stage') {
      session.stage = message.stage
      session.begun.push(message.stage)
      this.onStage(session, message.stage)
    } else if (message.type === 'add-units') {
      session.moved.splice(message.from, session.moved.length, ...message.units)
      this.onAddUnits(session)
    } else if (message.type === 'control') {
      session.changes.set(message.stage, message.changes)
    } else if (message.type === 'rows') {
      session.leased.push([message.feed, message.first, message.count])
    } else if (message.type === 'finish') {
      this.onFinish(session)
    } else if (message.type === 'stop') {
      this.onStop(session, message.mode)
    } else if (message.type === 'ack') {
      session.acked = message.number
    }
  }

  #answer(message: AgentToBroker | null): void {
    if (message !== null) this.say(message)
  }
}
