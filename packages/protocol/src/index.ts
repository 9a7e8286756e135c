/**
 * The wire between broker, agents and consoles: messages and their schemas, the codec, the channels that carry them,
 * keys and join strings, and the event log.
 *
 *     const keys = await loadOrCreateKeys(defaultStateDir())
 *     const listener = await listen({ host: '127.0.0.1', port: 0, keys })
 *     listener.onPeer((peer) => {
 *       if (peer.role === 'agent') peer.connection.onMessage((message) => ...)
 *     })
 *
 *     const join = parseJoin(formatJoin(keys, 'agent', listener.address))
 *     const connection = await dialer(join).dialAsAgent(identity)
 *     connection.send({ type: 'heartbeat' })
 *     await connection.close()
 */
export type {
  AgentConnection,
  Closed,
  Connection,
  Dialer,
  Identity,
  Listener,
  OperatorConnection,
  Peer,
  Role,
} from './channel.ts'

export { agentToBrokerSchema, sessionLedgerSchema, windowSchema } from './messages/agent-to-broker.ts'
export type { AgentToBroker, SessionLedger, WindowMessage } from './messages/agent-to-broker.ts'
export { brokerToAgentSchema, controlChangeSchema, stopModeSchema } from './messages/broker-to-agent.ts'
export type { BrokerToAgent, StopMode } from './messages/broker-to-agent.ts'
export {
  agentStateSchema,
  agentViewSchema,
  annotationSchema,
  commitSchema,
  runEventSchema,
  runStateSchema,
  tearDownNote,
} from './messages/events.ts'
export type {
  AgentState,
  AgentView,
  Annotation,
  CommitEvent,
  CommittedWindow,
  FaultEvent,
  NoteEvent,
  ObservationEvent,
  RunEvent,
  RunState,
  SnapshotEvent,
  ThresholdState,
} from './messages/events.ts'
export {
  agentRowSchema,
  brokerToOperatorSchema,
  operatorToBrokerSchema,
  runRowSchema,
} from './messages/operator.ts'
export type {
  AgentRow,
  BrokerToOperator,
  OperatorResults,
  OperatorToBroker,
  RunRow,
} from './messages/operator.ts'
export {
  loadModelSchema,
  loadProfileSchema,
  onAgentLossSchema,
  redacted,
  runSpecSchema,
  scenarioSchema,
  targetOptionsSchema,
  testSelectionSchema,
  thresholdSchema,
} from './messages/run-spec.ts'
export type { OnAgentLoss, RunSpec, TestSelection } from './messages/run-spec.ts'

export { createInProcessChannel } from './channels/in-process.ts'
export { dialer } from './channels/zeromq-dialer.ts'
export { listen } from './channels/zeromq-listener.ts'
export type { ListenOptions, ZeromqListener } from './channels/zeromq-listener.ts'

export { codec, maxMessageBytes } from './codec.ts'
export { formatEndpoint, parseEndpoint } from './endpoint.ts'
export type { Endpoint } from './endpoint.ts'
export { ChannelError, ProtocolError } from './errors.ts'
export type { ChannelErrorCode, ProtocolErrorCode } from './errors.ts'
export { EventLogWriter, readEventLog } from './event-log.ts'
export { identitySchema, protocolVersion } from './hello.ts'
export { formatJoin, parseJoin } from './join.ts'
export type { Join } from './join.ts'
export { createKeys } from './keys.ts'
export type { BrokerKeys, CurvePair, RoleKeys, SigningPair } from './keys.ts'
export { readJoin } from './read-join.ts'
export { defaultStateDir, loadOrCreateKeys, writeJoinFiles } from './state-dir.ts'
