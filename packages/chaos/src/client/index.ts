/**
 * Drives proxies that are elsewhere, over HTTP.
 *
 * @module
 */
export { ChaosError, type ChaosErrorCode } from '../errors.ts'
export type { ChaosEvent } from '../events/event.ts'
export type { FaultScope } from '../proxy/fault-scope.ts'
export type { FaultRequest } from '../rules/rule.ts'
export { ControlClient, type EventSelection } from './control-client.ts'
export { ControlFailure } from './control-failure.ts'
export type { FaultState, ProxyState, RemoteProxyOptions } from './proxy-state.ts'
export { RemoteProxy } from './remote-proxy.ts'
export { foldedPhase } from '../schedule/phase.ts'
