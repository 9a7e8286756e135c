import { lookup } from 'node:dns/promises'
import type { AgentConnection, Dialer, Identity, OperatorConnection, Role } from '../channel.ts'
import { formatEndpoint } from '../endpoint.ts'
import { ChannelError } from '../errors.ts'
import type { Join } from '../join.ts'
import type { AgentToBroker } from '../messages/agent-to-broker.ts'
import { brokerToAgentSchema } from '../messages/broker-to-agent.ts'
import type { BrokerToAgent } from '../messages/broker-to-agent.ts'
import { brokerToOperatorSchema } from '../messages/operator.ts'
import type { BrokerToOperator, OperatorToBroker } from '../messages/operator.ts'
import { DealerLine } from './dealer-line.ts'
import { Link } from './link.ts'
import type { LinkOptions } from './link.ts'
import { TimeLimit } from './time-limit.ts'

/** From the first lookup to the welcome. */
const dialMs = 5_000

/** Dials a broker over ZeroMQ. A connection that breaks has ended: dial again for the next one. */
export function dialer(join: Join): Dialer {
  return {
    dialAsAgent: (identity): Promise<AgentConnection> =>
      dial<AgentToBroker, BrokerToAgent>(join, 'agent', identity, brokerToAgentSchema),
    dialAsOperator: (identity): Promise<OperatorConnection> =>
      dial<OperatorToBroker, BrokerToOperator>(join, 'operator', identity, brokerToOperatorSchema),
  }
}

async function dial<Out, In>(
  join: Join,
  role: Role,
  identity: Identity,
  schema: LinkOptions<In>['schema'],
): Promise<Link<Out, In>> {
  const address = formatEndpoint(join.host, join.port)
  if (join.role !== role)
    throw new ChannelError(
      'CHANNEL_WRONG_ROLE',
      address,
      `This join string is for an ${join.role}. Use the broker's ${role}.join file.`,
    )
  const limit = new TimeLimit(dialMs)
  try {
    const hosts = await resolve(join.host, address)
    for (const [index, host] of hosts.entries()) {
      const line = new DealerLine(join, address, formatEndpoint(host, join.port))
      try {
        // The other addresses have the rest.
        const restMs = limit.leftMs * (1 - 1 / (hosts.length - index))
        await line.open(() => limit.leftMs - restMs)
        const token = await line.introduce(role, identity, () => limit.leftMs)
        return line.attach(new Link<Out, In>({ schema, token, ...line.ends }))
      } catch (error) {
        line.close()
        // Another address of the same name may be the one that the broker listens on.
        const isLast = index === hosts.length - 1
        if (isLast || !(error instanceof ChannelError) || error.code !== 'CHANNEL_UNREACHABLE') throw error
      }
    }
  } finally {
    limit.end()
  }
  throw new ChannelError('CHANNEL_UNREACHABLE', address, `The name ${join.host} has no address`)
}

/** All addresses of a name: a broker may listen on one family only. */
async function resolve(host: string, address: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true })
    return found.map((entry) => entry.address)
  } catch (error) {
    throw new ChannelError(
      'CHANNEL_UNREACHABLE',
      address,
      `The broker's name ${host} cannot be resolved: ${(error as Error).message}`,
      { cause: error },
    )
  }
}
