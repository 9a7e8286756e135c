/**
 * The broker: the process that knows. It registers agents, divides runs over them, merges what they report, tells any
 * number of consoles, and gives the verdict.
 *
 *     import { createInProcessChannel } from '@loads-runner/protocol'
 *     import { Broker } from '@loads-runner/broker'
 *
 *     const { listener, dialer } = createInProcessChannel()
 *     const broker = new Broker({ listeners: [listener], stateDir: null, version: '0.1.0', log: () => {} })
 *     await broker.start()
 *     // agents and consoles dial with `dialer`
 *     await broker.close()
 *
 * @module
 */
export { Broker, type BrokerOptions } from './broker.ts'
export { systemClock, type Clock } from './clock.ts'
export type { KeepRuns } from './journal-retention.ts'
export type { Log, LogLevel } from './run-voice.ts'
