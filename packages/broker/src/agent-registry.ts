import type { AgentRow, AgentToBroker, BrokerToAgent, Connection, Identity } from '@loads-runner/protocol'
import type { Candidate } from './placement.ts'

export type AgentPeerConnection = Connection<BrokerToAgent, AgentToBroker>

/** Incarnations whose unreleased runs are remembered after they were fenced. */
const maxRemembered = 1000
/** Replaced processes of one name that are remembered. */
const maxPredecessors = 100
/** Messages kept for an agent whose link is broken. It has its lease to come back, so they are few. */
const maxUnsent = 10_000

/**
 * One agent process. It stays the same object when its link breaks and the same incarnation dials again; a new process
 * of the same name is another object.
 */
export class RegisteredAgent {
  readonly identity: Identity
  /** Runs whose slot it occupies: until it says `released`. */
  readonly runs: Set<string>
  /** When it was last heard, by the monotonic clock. */
  lastHeardMs: number
  /** It has left a run by itself, as it is about to stop: it gets no other one. */
  leaving = false
  /** Counts the links it had: a stream of parts cannot go on over another one. */
  links = 1
  /** Incarnations of this name that this process, or one before it, took the place of. */
  readonly predecessors: Set<string>
  #connection: AgentPeerConnection | null
  /** What was said while the link was broken, for the next one. */
  #unsent: BrokerToAgent[] = []

  constructor(identity: Identity, connection: AgentPeerConnection, runs: Iterable<string>, nowMs: number) {
    this.identity = identity
    this.#connection = connection
    this.runs = new Set(runs)
    this.lastHeardMs = nowMs
    this.predecessors = new Set()
  }

  get id(): string {
    return this.identity.id
  }

  get connected(): boolean {
    return this.#connection !== null
  }

  /** Messages that wait to be written. */
  get backlog(): number {
    return this.#connection?.backlog ?? 0
  }

  /**
   * Queues a message; one that is said while the link is broken goes out over the next one.
   *
   * @returns false where the sender should pause (see `Connection.send`)
   */
  send(message: BrokerToAgent): boolean {
    if (this.#connection === null) {
      if (this.#unsent.length < maxUnsent) this.#unsent.push(message)
      return false
    }
    try {
      return this.#connection.send(message)
    } catch {
      // It has no wire form, or is too large for the link: to the run that is an agent which never got it.
      this.relink(null)
      return false
    }
  }

  uses(connection: AgentPeerConnection): boolean {
    return this.#connection === connection
  }

  /** Goes on over a new link (null: the link is broken) and closes the old one. */
  relink(connection: AgentPeerConnection | null): void {
    const old = this.#connection
    this.#connection = connection
    this.links++
    if (connection !== null) for (const message of this.#unsent.splice(0)) this.send(message)
    if (old !== null && old !== connection) void old.close()
  }
}

/** What registering a peer meant. */
export interface Registration {
  agent: RegisteredAgent
  /** The process of the same name that this one replaces; it is fenced. */
  replaced: RegisteredAgent | null
  /** The same process over a new link. */
  returned: boolean
}

/** The agents that this broker can use, by name. */
export class AgentRegistry {
  readonly #agents = new Map<string, RegisteredAgent>()
  /** Runs that a fenced incarnation has not released yet, should it come back. */
  readonly #unreleased = new Map<string, Set<string>>()

  /** Was this process replaced by the one that has its name now? It must not take the name back: the two would fight. */
  isFenced(identity: Identity): boolean {
    return this.#agents.get(identity.id)?.predecessors.has(identity.incarnation) ?? false
  }

  register(identity: Identity, connection: AgentPeerConnection, nowMs: number): Registration {
    const known = this.#agents.get(identity.id)
    if (known !== undefined && known.identity.incarnation === identity.incarnation) {
      known.relink(connection)
      known.lastHeardMs = nowMs
      return { agent: known, replaced: null, returned: true }
    }
    if (known !== undefined) this.remove(known)
    const key = keyOf(identity)
    const agent = new RegisteredAgent(identity, connection, this.#unreleased.get(key) ?? [], nowMs)
    if (known !== undefined) {
      const before = [...known.predecessors, known.identity.incarnation].slice(-maxPredecessors)
      for (const incarnation of before) agent.predecessors.add(incarnation)
    }
    this.#unreleased.delete(key)
    this.#agents.set(identity.id, agent)
    return { agent, replaced: known ?? null, returned: false }
  }

  /** Takes an agent off the list and closes its link. What it has not released is remembered for its return. */
  remove(agent: RegisteredAgent): void {
    if (this.#agents.get(agent.id) === agent) this.#agents.delete(agent.id)
    agent.relink(null)
    if (agent.runs.size === 0) return
    this.#unreleased.set(keyOf(agent.identity), agent.runs)
    for (const oldest of this.#unreleased.keys()) {
      if (this.#unreleased.size <= maxRemembered) break
      this.#unreleased.delete(oldest)
    }
  }

  get(id: string): RegisteredAgent | undefined {
    return this.#agents.get(id)
  }

  /** Is this very process the one that goes by its name? */
  holds(agent: RegisteredAgent): boolean {
    return this.#agents.get(agent.id) === agent
  }

  get size(): number {
    return this.#agents.size
  }

  [Symbol.iterator](): IterableIterator<RegisteredAgent> {
    return this.#agents.values()
  }

  /** Agents that can be reached now. */
  candidates(): Candidate[] {
    const candidates: Candidate[] = []
    for (const agent of this.#agents.values()) {
      const { id, host, slots } = agent.identity
      if (agent.connected && !agent.leaving)
        candidates.push({ id, host, slots: Math.max(1, slots), busy: agent.runs.size })
    }
    return candidates
  }

  /** In the order of their names. */
  rows(): AgentRow[] {
    const rows = [...this.#agents.values()].map(({ identity, runs }) => {
      const { id, host, pid, version, slots, labels } = identity
      return { id, host, pid, version, slots, labels, busy: runs.size, runs: [...runs] }
    })
    return rows.sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))
  }
}

function keyOf(identity: Identity): string {
  return JSON.stringify([identity.id, identity.incarnation])
}
