/**
 * A fault-injecting TCP proxy: seeded, aware of protocols, driven by code, by HTTP and by a schedule.
 *
 * @module
 */
export {
  flag,
  microseconds,
  milliseconds,
  oneOf,
  optional,
  seconds,
  share,
  text,
  whole,
  words,
  type Attribute,
  type AttributeTable,
} from './attributes.ts'
export { readConfigFile } from './config/config-file.ts'
export type { ControlConfig, NamedProxyOptions, ProxyConfig } from './config/proxy-config.ts'
export { readConfig } from './config/read-config.ts'
export { ControlServer, type ControlOptions } from './control/control-server.ts'
export { scheduleRoutes } from './control/schedule-routes.ts'
export { Refusal } from './control/refusal.ts'
export { json, nothing, type Answer, type Call, type Route, type RouteModule } from './control/route.ts'
export { loadModule, type LoadedModule } from './custom/load-modules.ts'
export { ChaosError, type ChaosErrorCode } from './errors.ts'
export type { Direction } from './direction.ts'
export type { ChaosEvent } from './events/event.ts'
export { defineFault, type FaultDefinition } from './faults/definition.ts'
export type { Flow, Stage, Timer } from './faults/stage.ts'
export { describeAttributes, describeFaults, type DescribedAttribute } from './faults/described.ts'
export { addFault, findFault, knownFaults } from './faults/registry.ts'
export type { Exchange, Reply, Treatment } from './protocols/exchange.ts'
export {
  defineProtocol,
  type Dialogue,
  type Protocol,
  type RequestHead,
  type Talk,
} from './protocols/protocol.ts'
export { addProtocol, findProtocol, knownProtocols } from './protocols/registry.ts'
export { EventHub } from './events/event-hub.ts'
export { EventLog, type EventLogOptions } from './events/event-log.ts'
export { loggedProxy, type LoggedProxy } from './events/log-entry.ts'
export { readRecording, type Recording } from './events/replay.ts'
export { type Cut, type CutMode, type CutOptions, type WayState } from './partition/cut.ts'
export { partitionRoutes } from './control/partition-routes.ts'
export { NetworkNamespaces, thisMachine } from './partition/network-namespace.ts'
export { PartitionMatrix, type PartitionOptions, type PartitionState } from './partition/partition-matrix.ts'
export { readPartitions, type PartitionConfig } from './partition/read-partitions.ts'
export { parseAddress } from './proxy/address.ts'
export type { FaultScope } from './proxy/fault-scope.ts'
export type { ProxyCounters, ProxyOptions, TlsOptions } from './proxy/options.ts'
export { Proxies } from './proxy/proxies.ts'
export { Proxy, startProxy } from './proxy/proxy.ts'
export type { FaultRequest, Rule, UnitKind } from './rules/rule.ts'
export { behaviorNames, faultsOf, parseBehaviors } from './rules/behaviors.ts'
export { ruleAttributes } from './rules/parse-rule.ts'
export type { ConfigNode } from './config/config-node.ts'
export type { ScheduleClock } from './schedule/clock.ts'
export { FaultSchedule, type FaultScheduleOptions, type ScheduleRemains } from './schedule/fault-schedule.ts'
export { parseSchedule, readSchedule, type ScheduleWorld } from './schedule/read-schedule.ts'
export type { ScheduleStep, StepAction, StepEvent, StepTrigger } from './schedule/step.ts'
export type { PartitionTarget, ScheduleTarget } from './schedule/target.ts'
export { fromVaurien, vaurienOptions } from './rules/vaurien-options.ts'
