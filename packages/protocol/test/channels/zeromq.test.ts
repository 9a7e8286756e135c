import { dialer } from '../../src/channels/zeromq-dialer.ts'
import { listen } from '../../src/channels/zeromq-listener.ts'
import { formatJoin, parseJoin } from '../../src/join.ts'
import { createKeys } from '../../src/keys.ts'
import { channelConformance } from '../channel-conformance.ts'

describe('ZeroMQ channel', () => {
  channelConformance(async () => {
    const keys = createKeys()
    const listener = await listen({ host: '127.0.0.1', port: 0, keys })
    const dialAs = (role: 'agent' | 'operator') => dialer(parseJoin(formatJoin(keys, role, listener.address)))
    return { listener, agents: dialAs('agent'), operators: dialAs('operator') }
  })
})
