import type { AgentToBroker } from './messages/agent-to-broker.ts'
import type { BrokerToAgent } from './messages/broker-to-agent.ts'
import type { BrokerToOperator, OperatorToBroker } from './messages/operator.ts'

/**
 * A channel carries typed messages between a broker and its peers. Peers dial out; the broker listens on one address.
 * Two implementations share one conformance suite: in-process and ZeroMQ.
 *
 *     agent    --dial-->  Connection<AgentToBroker, BrokerToAgent>      |
 *     console  --dial-->  Connection<OperatorToBroker, BrokerToOperator>|  Listener (broker): a Peer for each
 */

export type Role = 'agent' | 'operator'

/** Who a peer says it is; its role is proved by its key, not by this. */
export interface Identity {
  /** Stable name: an agent's id, a console's user. */
  id: string
  /** New for each process. */
  incarnation: string
  host: string
  pid: number
  version: string
  /** Runs at once (agents). */
  slots: number
  labels: Record<string, string>
}

/** Why a connection ended. */
export interface Closed {
  /** closed: we closed it. bye: the other side did. lost: nothing came any more or the link broke. refused: by the other side. */
  reason: 'closed' | 'bye' | 'lost' | 'refused'
  message: string
}

/** One end of an ordered stream of messages. What was sent before the link broke may or may not have arrived. */
export interface Connection<Out, In> {
  /**
   * Queues a message. Returns false when more than the high-water mark waits to be written, true otherwise;
   * the message is queued either way. After the end it does nothing and returns false. A side that lets 10,000
   * messages or 64 MiB wait ends the connection as lost.
   *
   * @throws {ProtocolError} MESSAGE_TOO_LARGE above 64 MiB, MESSAGE_INVALID for values without a wire form.
   */
  send(message: Out): boolean
  /** Messages queued here and not yet handed to the transport. */
  readonly backlog: number
  /** Set before the first turn of the event loop after the connection is handed out; messages wait for it. */
  onMessage(handler: (message: In) => void): void
  /** Settles once, never rejects. */
  readonly closed: Promise<Closed>
  /** Says goodbye and flushes what was sent, for at most a second. */
  close(): Promise<void>
  /** Ends the connection at once. The other side learns why: it is not wanted here, and dialing again will not help. */
  refuse(message: string): void
}

export type AgentConnection = Connection<AgentToBroker, BrokerToAgent>
export type OperatorConnection = Connection<OperatorToBroker, BrokerToOperator>

/** The broker's end of one connection. */
export type Peer =
  | { role: 'agent'; identity: Identity; connection: Connection<BrokerToAgent, AgentToBroker> }
  | { role: 'operator'; identity: Identity; connection: Connection<BrokerToOperator, OperatorToBroker> }

export interface Listener {
  /** `host:port` as bound; "in-process" for the in-process channel. */
  readonly address: string
  /** Called for each peer that proved its role. */
  onPeer(handler: (peer: Peer) => void): void
  close(): Promise<void>
}

/** Something to dial: made from a join string, or in-process. */
export interface Dialer {
  /** @throws {ChannelError} unreachable, wrong key, wrong role, wrong version, or refused. */
  dialAsAgent(identity: Identity): Promise<AgentConnection>
  /** @throws {ChannelError} likewise. */
  dialAsOperator(identity: Identity): Promise<OperatorConnection>
}
