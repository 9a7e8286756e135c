/**
 * The load engine: bundles users' tests, plans a share of load, and runs it in load threads.
 *
 * @example
 * ```ts
 * const bundle = await bundleTests({ testDir, names: ['example.TestWebSite.test_es'], includeFiles: [], external: [] })
 * const session = new Session({ runId, agent, spec, share, bundle: bundle.bytes, workDir: null, ownProcess: false }, listener)
 * await session.prepare()
 * await session.arm('{}')
 * session.startStage(0) // windows and stageDone reach the listener
 * session.stop('drain') // the final window follows
 * await session.close()
 * ```
 */
export { bundleTests, type Bundle, type BundleRequest } from './bundle.ts'
export { Conductor, type ConductorListener } from './conductor.ts'
export { EngineError, type EngineErrorCode } from './errors.ts'
export { createStandaloneFeeds } from './feeds/standalone-feeds.ts'
export { importConfig, type ImportedConfig } from './import-config.ts'
export { planSession, type SessionPlan } from './plan.ts'
export type { ClassAttributes, SelectedTest } from './select-tests.ts'
export { Session } from './session.ts'
export { removeAbandoned } from './work-directory.ts'
export type {
  GeneratorHealth,
  LogLevel,
  SessionControl,
  SessionLedger,
  SessionListener,
  SessionOptions,
  SessionSpec,
  SessionWindow,
  StopMode,
  UsedRows,
} from './session-spec.ts'
