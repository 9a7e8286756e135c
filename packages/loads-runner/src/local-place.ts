import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Identity } from '@loads-runner/protocol'
import type { Log, Place } from './place.ts'
import { Teardown } from './teardown.ts'
import { version } from './version.ts'

export interface LocalPlaceOptions {
  /** Users run on the main thread of this very process, where a debugger sees them. */
  inProcess: boolean
  log: Log
}

/** A broker and one agent in this process, over the in-process channel: the same pipe as a distributed run. */
export async function openLocalPlace(options: LocalPlaceOptions): Promise<Place> {
  const [{ createInProcessChannel }, { Broker }, { Agent }] = await Promise.all([
    import('@loads-runner/protocol'),
    import('@loads-runner/broker'),
    import('@loads-runner/agent'),
  ])
  const { log } = options
  const { listener, dialer } = createInProcessChannel()
  const teardown = new Teardown((name, error) => log('warning', `${name} did not stop: ${String(error)}`))
  const broker = new Broker({ listeners: [listener], stateDir: null, version, log })
  const agent = new Agent({
    dialer,
    identity: localIdentity(),
    workDir: null,
    sessions: options.inProcess ? 'in-process' : 'child',
    log,
  })
  teardown.add('the broker', () => broker.close())
  try {
    await broker.start()
    teardown.add('the agent', () => agent.stop())
    await agent.start()
  } catch (error) {
    await teardown.run()
    throw error
  }
  return { dialer, onExit: () => {}, stop: () => teardown.run() }
}

function localIdentity(): Identity {
  return {
    id: 'local',
    incarnation: randomUUID(),
    host: hostname(),
    pid: process.pid,
    version,
    slots: 1,
    labels: {},
  }
}
