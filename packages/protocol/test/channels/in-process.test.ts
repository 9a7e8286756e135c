import { createInProcessChannel } from '../../src/channels/in-process.ts'
import { channelConformance } from '../channel-conformance.ts'

describe('in-process channel', () => {
  channelConformance(async () => {
    const { listener, dialer } = createInProcessChannel()
    return { listener, agents: dialer, operators: dialer }
  })
})
