/**
 * Loads: write one test class; run it locally, on N agents, and while things break.
 *
 *     // example.ts
 *     import { TestCase } from 'loads-runner'
 *
 *     export class TestWebSite extends TestCase {
 *       async test_es() {
 *         const answer = await this.session.get('http://localhost:9200')
 *         this.assertEqual(answer.status, 200)
 *       }
 *     }
 *
 *     $ loads-runner example.TestWebSite.test_es
 *
 * or from code:
 *
 *     import { run } from 'loads-runner'
 *     const summary = await run({ test: 'example.TestWebSite.test_es', users: 10 })
 *
 * Every load thread imports this module, so nothing here may be heavy to load.
 *
 * @module
 */
import { provideRunProxies } from './proxies/provide-proxies.ts'
import { provideStandaloneFeeds } from './standalone-feeds.ts'

export {
  AppClient,
  AppResponse,
  BodyError,
  Cookies,
  HttpResponse,
  HttpSession,
  InterruptedError,
  RedirectError,
  RequestError,
  ResponseHeaders,
  ServerUrlError,
  TestCase,
  UsageError,
  WebSocketError,
  WebSocketSession,
  weight,
} from '@loads-runner/testcase'
export type {
  CookieOptions,
  ExpectedStatus,
  FaultScope,
  HitErrorClass,
  Message,
  Proxies,
  ProxyHandle,
  Random,
  RequestOptions,
  RunHookContext,
  RunView,
  Tags,
  TestClass,
  WebSocketEnd,
  WebSocketOptions,
} from '@loads-runner/testcase'
export type { Stats, Summary, Verdict } from '@loads-runner/metrics'
export { run } from './code.ts'
export type { RunOptions } from './code.ts'

provideRunProxies()
provideStandaloneFeeds()
export { defineConfig } from './run-options.ts'
export type {
  CommonOptions,
  LoadOptions,
  LoadsConfig,
  ProfileOptions,
  ScenarioOptions,
} from './run-options.ts'
