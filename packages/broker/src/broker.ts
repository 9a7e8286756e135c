import path from 'node:path'
import type { AgentToBroker, Identity, Listener, Peer, RunSpec } from '@loads-runner/protocol'
import { AgentRegistry, type AgentPeerConnection, type RegisteredAgent } from './agent-registry.ts'
import { openBundleStore, type BundleStore } from './bundle-store.ts'
import { systemClock, type Clock } from './clock.ts'
import { idleLeaseMs } from './limits.ts'
import type { KeepRuns } from './journal-retention.ts'
import { OperatorDesk } from './operator-desk.ts'
import { RunTable } from './run-table.ts'
import type { Log } from './run-voice.ts'
import type { OperatorPeerConnection } from './subscribers.ts'

/** How often leases and limits are looked at. */
const tickMs = 250
/** How often consoles are told that the broker lives. */
const heartbeatMs = 2_000
/** A tick that comes so late says that this process stood still, not that its agents were silent. */
const stallMs = 1_000

export interface BrokerOptions {
  /**
   * Where peers come from, one at least. A process that holds a broker adds an in-process channel and is an operator of
   * its own.
   */
  listeners: readonly Listener[]
  /** Where bundles and journals are kept; null: bundles in memory, no journals. */
  stateDir: string | null
  /** Which journals of ended runs are kept; without it, all. */
  keepRuns?: KeepRuns
  version: string
  log: Log
  /**
   * A run was submitted. Its spec has what nobody else is told: passwords of outputs, for the process that holds the
   * broker and runs them.
   */
  onRun?: (runId: string, spec: RunSpec) => void
  clock?: Clock
}

/**
 * The process that knows: it has agents, makes runs of them for consoles, and merges what they report. It runs no code
 * of users.
 */
export class Broker {
  readonly #options: BrokerOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #registry = new AgentRegistry()
  readonly #bundles: BundleStore
  readonly #runs: RunTable
  readonly #operators = new Set<OperatorPeerConnection>()
  #timers: (() => void)[] = []
  #tickedMs = 0
  #closing = false

  constructor(options: BrokerOptions) {
    const { stateDir, keepRuns = null, log, onRun, clock = systemClock } = options
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#bundles = openBundleStore(stateDir === null ? null : path.join(stateDir, 'bundles'))
    this.#runs = new RunTable({
      clock,
      registry: this.#registry,
      bundles: this.#bundles,
      stateDir,
      keepRuns,
      log,
      onRun: (runId, spec) => this.#guard(`start of run ${runId}`, () => onRun?.(runId, spec)),
    })
  }

  /** Where agents and consoles find it: that of the first listener. */
  get address(): string {
    return this.#options.listeners[0]?.address ?? ''
  }

  /** Peers are served from now on. */
  async start(): Promise<void> {
    const { listeners, version } = this.#options
    this.#tickedMs = this.#clock.monotonic()
    this.#timers.push(this.#clock.every(tickMs, () => this.#guard('tick', () => this.#tick())))
    this.#timers.push(this.#clock.every(heartbeatMs, () => this.#heartbeat()))
    for (const listener of listeners) {
      listener.onPeer((peer) => this.#guard('peer', () => this.#welcome(peer)))
    }
    this.#log('info', `broker ${version} listens on ${this.address}`)
    await this.#runs.prune()
  }

  /** Lets everybody go. Runs that are under way are not ended: their journals say how far they were. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    for (const cancel of this.#timers) cancel()
    this.#timers = []
    await this.#runs.suspend()
    await Promise.all(this.#options.listeners.map((listener) => listener.close()))
  }

  #welcome(peer: Peer): void {
    if (peer.role === 'agent') this.#welcomeAgent(peer.identity, peer.connection)
    else this.#welcomeOperator(peer.identity, peer.connection)
  }

  #welcomeAgent(identity: Identity, connection: AgentPeerConnection): void {
    const { id, incarnation, host } = identity
    if (this.#registry.isFenced(identity)) {
      this.#log(
        'warning',
        `agent ${id} (${incarnation}) is fenced: another process has its name; it is turned away`,
      )
      const { pid, host: where } = this.#registry.get(id)!.identity
      connection.refuse(
        `another process (${pid} on ${where}) has taken the name ${id}; give each agent a --name of its own`,
      )
      return
    }
    const { agent, replaced, returned } = this.#registry.register(
      identity,
      connection,
      this.#clock.monotonic(),
    )
    this.#log('info', `agent ${id} (${incarnation}) on ${host} ${returned ? 'is back' : 'is registered'}`)
    connection.onMessage((message) => {
      if (agent.uses(connection))
        this.#guard(`${message.type} of ${id}`, () => this.#onAgentMessage(agent, message))
    })
    void connection.closed.then(({ reason, message }) => {
      this.#guard(`end of ${id}`, () => this.#onAgentClosed(agent, connection, reason, message))
    })
    if (replaced !== null) this.#runs.agentGone(replaced, 'fenced', `a new process took the name ${id}`)
    for (const runId of agent.runs) {
      const run = this.#runs.get(runId)
      if (run !== undefined) this.#runs.safely(run, () => run.agentReturned(agent))
      else agent.send({ type: 'release', runId, reason: 'the run is not known any more' })
    }
    this.#runs.place()
  }

  #onAgentMessage(agent: RegisteredAgent, message: AgentToBroker): void {
    agent.lastHeardMs = this.#clock.monotonic()
    if (message.type === 'heartbeat') return
    const run = this.#runs.get(message.runId)
    if (message.type === 'released') {
      agent.runs.delete(message.runId)
      if (run !== undefined) this.#runs.safely(run, () => run.released(agent))
      this.#runs.place()
    } else if (run !== undefined) {
      this.#runs.safely(run, () => run.handle(agent, message))
    } else {
      agent.send({ type: 'release', runId: message.runId, reason: 'there is no such run' })
    }
  }

  #onAgentClosed(
    agent: RegisteredAgent,
    connection: AgentPeerConnection,
    reason: string,
    message: string,
  ): void {
    if (this.#closing || !agent.uses(connection)) return
    if (reason === 'bye') return this.#drop(agent, `it said goodbye: ${message}`)
    this.#log('warning', `the link to agent ${agent.id} ended (${reason}): ${message}`)
    // It may dial again within its lease; nothing is lost until then.
    agent.relink(null)
    if (agent.runs.size === 0) this.#registry.remove(agent)
  }

  /** The process is known to be gone. */
  #drop(agent: RegisteredAgent, note: string): void {
    this.#log('info', `agent ${agent.id} is gone: ${note}`)
    this.#registry.remove(agent)
    this.#runs.agentGone(agent, 'lost', note)
    this.#runs.place()
  }

  #welcomeOperator(identity: Identity, connection: OperatorPeerConnection): void {
    this.#log('debug', `console ${identity.id} (${identity.incarnation}) on ${identity.host} is here`)
    this.#operators.add(connection)
    const desk = new OperatorDesk(connection, {
      registry: this.#registry,
      runs: this.#runs,
      bundles: this.#bundles,
      version: this.#options.version,
      operator: identity.id,
      address: () => this.address,
      log: this.#log,
      onAgentExited: (agent, note) => this.#drop(agent, `it has exited: ${note}`),
    })
    connection.onMessage((message) => this.#guard(`${message.type} of a console`, () => desk.take(message)))
    void connection.closed.then(() => {
      this.#operators.delete(connection)
      if (!this.#closing) this.#guard('end of a console', () => desk.gone())
    })
  }

  #tick(): void {
    const nowMs = this.#clock.monotonic()
    const lateMs = nowMs - this.#tickedMs - tickMs
    this.#tickedMs = nowMs
    if (lateMs > stallMs) {
      this.#log('warning', `this process stood still for ${Math.round(lateMs)} ms; leases are extended`)
      for (const agent of this.#registry) agent.lastHeardMs += lateMs
    }
    this.#runs.tick(nowMs)
    for (const agent of this.#registry) this.#checkAgent(agent, nowMs)
  }

  /** Leases of agents in runs are the runs' affair; here it is about those that no run counts on. */
  #checkAgent(agent: RegisteredAgent, nowMs: number): void {
    const silentMs = nowMs - agent.lastHeardMs
    let leaseMs = idleLeaseMs
    for (const runId of agent.runs) {
      const run = this.#runs.get(runId)
      if (run?.countsOn(agent)) return
      if (run?.hasLost(agent)) leaseMs = Math.min(leaseMs, run.spec.leaseMs)
    }
    if (silentMs <= leaseMs) return
    this.#log('info', `agent ${agent.id} is taken off the list: silent for ${Math.round(silentMs)} ms`)
    this.#registry.remove(agent)
  }

  #heartbeat(): void {
    for (const connection of this.#operators) connection.send({ type: 'heartbeat' })
  }

  /** A defect in the handling of one thing must not end the service of all others. */
  #guard(what: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#log('error', `${what} failed: ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
}
