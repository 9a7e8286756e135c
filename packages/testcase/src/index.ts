/**
 * What a test is written against.
 *
 *     import { TestCase } from 'loads-runner'
 *
 *     export class TestWebSite extends TestCase {
 *       async test_es() {
 *         const answer = await this.session.get('http://localhost:9200')
 *         this.assertEqual(answer.status, 200)
 *       }
 *     }
 */
export { TestCase } from './test-case.ts'
export type { RunHookContext, TestClass } from './test-case.ts'
export { weight } from './marks.ts'
export type { Condition } from './measurements.ts'
export type { Step } from './scopes.ts'
export type { Instrument } from './instrument/selection.ts'
export type { Comparable, Container } from './assertions.ts'
export type { Random } from './random.ts'
export {
  BodyError,
  GrpcError,
  InterruptedError,
  RedirectError,
  RequestError,
  ServerUrlError,
  StreamError,
  UsageError,
  WebSocketError,
} from './errors.ts'

export { HttpSession } from './sessions/http/http-session.ts'
export type { RequestOptions } from './sessions/http/http-request.ts'
export type { ExpectedStatus } from './sessions/http/http-call.ts'
export { HttpResponse } from './sessions/http/response.ts'
export { ResponseHeaders } from './sessions/http/response-headers.ts'
export { AppClient, AppResponse } from './sessions/http/app.ts'
export { Cookies } from './sessions/http/cookies.ts'
export type { CookieOptions } from './sessions/http/cookies.ts'
export { GrpcStream } from './sessions/grpc/grpc-stream.ts'
export type { GrpcClient, GrpcMessage, GrpcOptions, GrpcResult } from './sessions/grpc/grpc-client.ts'
export type { GrpcCallOptions } from './sessions/grpc/grpc-call.ts'
export { EventStream } from './sessions/events/event-stream.ts'
export type { EventStreamOptions } from './sessions/events/event-stream.ts'
export type { ServerEvent } from './sessions/events/event-stream-parser.ts'
export { TcpConnection } from './sessions/raw/tcp-connection.ts'
export type { ExchangeOptions } from './sessions/raw/tcp-connection.ts'
export type { TcpOptions } from './sessions/raw/tcp-opening.ts'
export type { Until } from './sessions/raw/byte-queue.ts'
export { UdpSocket } from './sessions/raw/udp-socket.ts'
export type { DatagramOptions } from './sessions/raw/udp-socket.ts'
export { WebSocketSession } from './sessions/websocket/websocket-session.ts'
export type { Message, WebSocketEnd, WebSocketOptions } from './sessions/websocket/websocket-session.ts'

// For the engine.
export { warmUpSessions } from './sessions/libraries.ts'
export { traceIdOf } from './sessions/trace.ts'
export {
  provideProxies,
  proxiesFor,
  type FaultScope,
  type Proxies,
  type ProxyHandle,
  type ProxyProvider,
  type ProxyUse,
} from './proxies.ts'
export { attachUser, keepUserSockets, releaseUser, restoreProxies, settleExecution } from './user-link.ts'
export { isInstrumented, runInstrumented } from './instrument/index.ts'
export { isAssertionFailure } from './assertion-failure.ts'
export { classTagsOf, isTestClass, testMethodsOf, weightOf } from './test-class.ts'
export { checkNote, internTags, mergeTags } from './tags.ts'
export { createRandom } from './random.ts'
export { setStandaloneFeeds, type FeedFactory } from './standalone-feeds.ts'
export { defaultConnections, defaultTarget } from './context.ts'
export type {
  ConnectionOptions,
  FeedMode,
  FeedRow,
  FeedSource,
  RunView,
  TargetOptions,
  UserContext,
} from './context.ts'
export { silentMeter } from './meter.ts'
export type { HitErrorClass, HitKind, HitPhase, Meter, Tags } from './meter.ts'
export { observeExchanges, type Exchange, type ExchangeObserver } from './exchange.ts'
