import { setTimeout as sleep } from 'node:timers/promises'
import {
  ChannelError,
  type AgentConnection,
  type AgentToBroker,
  type BrokerToAgent,
  type Closed,
  type Dialer,
  type Identity,
} from '@loads-runner/protocol'
import { AgentRun, type SessionPlace } from './agent-run.ts'
import { BundleCache } from './bundle-cache.ts'

export interface AgentOptions {
  dialer: Dialer
  identity: Identity
  /** Where sessions make their directories; null: the system's temporary directory. */
  workDir: string | null
  sessions: SessionPlace
  log: (level: 'info' | 'warning' | 'error', text: string) => void
  /** How long to go on dialing a broker that cannot be reached; without it, for ever. Milliseconds. */
  maxReconnectMs?: number
  /** It ends after taking part in so many runs; without it, it stays. */
  maxRuns?: number
}

/** Why an agent has ended, and whether it has done what it was there for. */
export interface AgentEnd {
  reason: string
  done: boolean
}

const heartbeatMs = 500
const mayPass: readonly string[] = ['CHANNEL_UNREACHABLE', 'CHANNEL_LOST', 'CHANNEL_TIMEOUT']
const firstRetryMs = 100
const mostRetryMs = 2000

/**
 * The process that makes load, as its broker sees it: dials out, keeps its lease, runs what it is told.
 *
 *     dial -> registered -> (connection lost -> dial again) ... -> stop
 *     while no broker is in reach, runs go on for their max-orphan-time, then their load stops
 */
export class Agent {
  readonly #options: AgentOptions
  readonly #runs = new Map<string, AgentRun>()
  /** Runs that are being closed. */
  readonly #releasing = new Set<string>()
  readonly #bundles = new BundleCache()
  #connection: AgentConnection | null = null
  #lastSentAt = 0
  #stopped = false
  #begun = 0
  /** A broker has taken this agent once. */
  #registered = false
  #orphanTimer: NodeJS.Timeout | null = null
  #heartbeat: NodeJS.Timeout | null = null
  #settleEnd!: (end: AgentEnd) => void
  /** Settles when the agent has stopped, or has given up on its broker. */
  readonly ended = new Promise<AgentEnd>((resolve) => (this.#settleEnd = resolve))
  readonly #onExit = () => this.#runs.forEach((run) => run.killNow())

  constructor(options: AgentOptions) {
    this.#options = options
  }

  /**
   * Resolves when the broker has accepted this agent.
   *
   * @throws {ChannelError} when the broker refuses it, or stays out of reach for maxReconnectMs
   */
  async start(): Promise<void> {
    process.on('exit', this.#onExit)
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastSentAt >= heartbeatMs) this.#send({ type: 'heartbeat' })
    }, heartbeatMs)
    try {
      await this.#connect()
    } catch (error) {
      this.#cleanUp()
      throw error
    }
  }

  /** Leaves its runs in good order and says goodbye. Nothing that it started goes on. */
  async stop(reason = 'it was stopped', done = false): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await Promise.all([...this.#runs.values()].map((run) => run.leave()))
    await this.#connection?.close()
    this.#cleanUp()
    this.#settleEnd({ reason, done })
  }

  #cleanUp(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    if (this.#orphanTimer !== null) clearTimeout(this.#orphanTimer)
    process.off('exit', this.#onExit)
  }

  async #connect(): Promise<void> {
    const { dialer, identity, log, maxReconnectMs = Infinity } = this.#options
    const since = performance.now()
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(mostRetryMs, retryMs * 2)) {
      try {
        this.#connection = await dialer.dialAsAgent(identity)
        break
      } catch (error) {
        const gone = performance.now() - since
        if (!this.#mayPass(error) || gone > maxReconnectMs || this.#stopped) throw error
        if (retryMs === firstRetryMs) log('warning', `${(error as Error).message}; trying again`)
        await sleep(retryMs)
      }
    }
    const connection = this.#connection
    if (this.#stopped) return connection.close()
    this.#registered = true
    connection.onMessage((message) => this.#onMessage(message))
    void connection.closed.then((closed) => this.#onClosed(connection, closed))
    if (this.#orphanTimer !== null) clearTimeout(this.#orphanTimer)
    this.#orphanTimer = null
    for (const run of this.#runs.values()) run.resend()
  }

  /**
   * A broker that is not there yet, or does not answer, may come; one that says no will go on saying no. But a broker that
   * once took this agent may answer oddly while it goes down or comes up.
   */
  #mayPass(error: unknown): boolean {
    if (!(error instanceof ChannelError)) return false
    if (mayPass.includes(error.code)) return true
    return this.#registered && error.code === 'CHANNEL_WRONG_KEY'
  }

  #onClosed(connection: AgentConnection, { reason, message }: Closed): void {
    if (this.#connection !== connection) return
    this.#connection = null
    if (this.#stopped) return
    // Whoever is not wanted would not be wanted the next time.
    if (reason === 'refused') return void this.stop(`the broker refuses it: ${message}`)
    this.#options.log('warning', `the broker is out of reach: ${message}`)
    this.#watchOrphans()
    this.#reconnect().catch((error: unknown) => void this.stop((error as Error).message))
  }

  async #reconnect(): Promise<void> {
    // A broker that hangs up at once must not be dialed without end.
    await sleep(firstRetryMs)
    await this.#connect()
    if (!this.#stopped) this.#options.log('info', 'the broker is back')
  }

  /** Load without anybody who could stop it must end by itself. */
  #watchOrphans(): void {
    if (this.#runs.size === 0 || this.#orphanTimer !== null) return
    const maxOrphanMs = Math.min(...[...this.#runs.values()].map((run) => run.spec.maxOrphanMs))
    this.#orphanTimer = setTimeout(() => {
      this.#orphanTimer = null
      this.#options.log('warning', `no broker for ${maxOrphanMs / 1000} s: the load stops`)
      for (const run of this.#runs.values()) run.stopLoad()
    }, maxOrphanMs)
  }

  #onMessage(message: BrokerToAgent): void {
    const run = this.#runs.get(message.runId)
    if (message.type === 'prepare') {
      if (run === undefined && !this.#stopped && this.#mayBegin()) this.#begin(message)
    } else if (message.type === 'release') {
      void this.#release(message.runId, run)
    } else run?.take(message)
  }

  /** A run that comes between the last one and the goodbye goes without this agent. */
  #mayBegin(): boolean {
    return this.#begun < (this.#options.maxRuns ?? Infinity)
  }

  #begin({ runId, spec, share }: Extract<BrokerToAgent, { type: 'prepare' }>): void {
    const { identity, workDir, sessions } = this.#options
    const run = new AgentRun({
      runId,
      agent: identity.id,
      spec,
      share,
      place: sessions,
      workDir,
      bundles: this.#bundles,
      send: (message) => this.#send(message),
      connected: () => this.#connection !== null,
    })
    this.#runs.set(runId, run)
    this.#begun++
    this.#options.log('info', `run ${runId}: ${spec.names.join(' ')}`)
    run.begin()
  }

  async #release(runId: string, run: AgentRun | undefined): Promise<void> {
    // A broker that knows nothing of a run says so to every window of it.
    if (this.#releasing.has(runId)) return
    if (run !== undefined) {
      this.#releasing.add(runId)
      await run.close()
      this.#releasing.delete(runId)
      this.#runs.delete(runId)
      this.#options.log('info', `run ${runId} is over`)
    }
    this.#send({ type: 'released', runId })
    const { maxRuns = Infinity } = this.#options
    if (this.#begun >= maxRuns && this.#runs.size === 0) void this.stop('its runs are over', true)
  }

  #send(message: AgentToBroker): void {
    if (this.#connection === null) return
    this.#lastSentAt = performance.now()
    this.#connection.send(message)
  }
}
