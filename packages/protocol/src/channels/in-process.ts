import type {
  AgentConnection,
  Dialer,
  Identity,
  Listener,
  OperatorConnection,
  Peer,
  Role,
} from '../channel.ts'
import { ChannelError } from '../errors.ts'
import { createToken } from '../hello.ts'
import { agentToBrokerSchema } from '../messages/agent-to-broker.ts'
import type { AgentToBroker } from '../messages/agent-to-broker.ts'
import { brokerToAgentSchema } from '../messages/broker-to-agent.ts'
import type { BrokerToAgent } from '../messages/broker-to-agent.ts'
import { brokerToOperatorSchema, operatorToBrokerSchema } from '../messages/operator.ts'
import type { BrokerToOperator, OperatorToBroker } from '../messages/operator.ts'
import { Link } from './link.ts'
import type { LinkOptions } from './link.ts'
import { PeerDesk } from './peer-desk.ts'

const address = 'in-process'

/**
 * A broker and its peers in one process. Messages are encoded, checked and decoded as on a wire, so both ends share
 * no object and a local run meets the same rules as a distributed one.
 */
export function createInProcessChannel(): { listener: Listener; dialer: Dialer } {
  const listener = new InProcessListener()
  return { listener, dialer: new InProcessDialer(listener) }
}

class InProcessListener implements Listener {
  readonly address = address
  readonly desk = new PeerDesk()
  readonly links = new Set<Link<never, unknown>>()
  isClosed = false

  onPeer(handler: (peer: Peer) => void): void {
    this.desk.onPeer(handler)
  }

  async close(): Promise<void> {
    this.isClosed = true
    await Promise.all([...this.links].map((link) => link.close()))
  }
}

class InProcessDialer implements Dialer {
  readonly #listener: InProcessListener

  constructor(listener: InProcessListener) {
    this.#listener = listener
  }

  async dialAsAgent(identity: Identity): Promise<AgentConnection> {
    this.#checkOpen('agent')
    const [near, far] = linkPair<AgentToBroker, BrokerToAgent>(
      brokerToAgentSchema,
      agentToBrokerSchema,
      this.#listener,
    )
    this.#listener.desk.admit({ role: 'agent', identity: structuredClone(identity), connection: far })
    return near
  }

  async dialAsOperator(identity: Identity): Promise<OperatorConnection> {
    this.#checkOpen('operator')
    const [near, far] = linkPair<OperatorToBroker, BrokerToOperator>(
      brokerToOperatorSchema,
      operatorToBrokerSchema,
      this.#listener,
    )
    this.#listener.desk.admit({ role: 'operator', identity: structuredClone(identity), connection: far })
    return near
  }

  #checkOpen(role: Role): void {
    if (this.#listener.isClosed)
      throw new ChannelError('CHANNEL_UNREACHABLE', address, `The broker that the ${role} dials is closed`)
  }
}

/** The dialer's end (sends Up) and the listener's end (sends Down). */
function linkPair<Up, Down>(
  nearSchema: LinkOptions<Down>['schema'],
  farSchema: LinkOptions<Up>['schema'],
  { links }: InProcessListener,
): [Link<Up, Down>, Link<Down, Up>] {
  const token = createToken()
  const near: Link<Up, Down> = new Link({
    schema: nearSchema,
    token,
    write: carrier((bytes) => far.receive(bytes)),
    ended: () => {},
  })
  const far: Link<Down, Up> = new Link({
    schema: farSchema,
    token,
    write: carrier((bytes) => near.receive(bytes)),
    ended: () => void links.delete(far as Link<never, unknown>),
  })
  links.add(far as Link<never, unknown>)
  return [near, far]
}

/** Delivers in a later turn of the event loop, in order, like a socket. */
function carrier(deliver: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  let waiting: Uint8Array[] = []
  return (bytes) => {
    waiting.push(bytes)
    if (waiting.length > 1) return
    setImmediate(() => {
      const batch = waiting
      waiting = []
      for (const frame of batch) deliver(frame)
    })
  }
}
