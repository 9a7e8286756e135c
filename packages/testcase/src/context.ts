import type { Meter, Tags } from './meter.ts'
import type { Random } from './random.ts'

/** How users hold their connections. */
export interface ConnectionOptions {
  /** user: each user has its own; shared: users of a load thread share a pool; fresh: new ones for each execution. */
  policy: 'user' | 'shared' | 'fresh'
  /** Connections to one origin at a time, per user or per pool. */
  most: number
  /** Requests after which a connection is closed; null: no limit. */
  mostRequests: number | null
  /** Milliseconds after which an idle connection is closed. */
  keepAliveMs: number
  /** Local addresses that connections start from, in turn; empty: the system chooses. */
  sourceAddresses: string[]
  /** first: the first address of a name; spread: all addresses in turn. */
  dns: 'first' | 'spread'
}

export const defaultConnections: ConnectionOptions = {
  policy: 'user',
  most: 256,
  mostRequests: null,
  keepAliveMs: 300_000,
  sourceAddresses: [],
  dns: 'first',
}

/** How sessions reach the target: from `--server-url --timeout --insecure --ca --cert --key --proxy`. */
export interface TargetOptions {
  serverUrl: string | null
  timeoutMs: number
  /** Accept any TLS certificate. Off unless asked for. */
  insecure: boolean
  /** PEM texts (not file names: the files live on the machine of the runner). */
  ca: string | null
  cert: string | null
  key: string | null
  proxy: string | null
  /** Speak HTTP/2 where the server offers it (over TLS), or always (`h2c`, without TLS). */
  http2: boolean
  connections: ConnectionOptions
  /** Record the phases of each hit. */
  phases: boolean
  /** Send a `traceparent` header that holds the execution id. */
  trace: boolean
}

export const defaultTarget: TargetOptions = {
  serverUrl: null,
  timeoutMs: 30_000,
  insecure: false,
  ca: null,
  cert: null,
  key: null,
  proxy: null,
  http2: false,
  connections: defaultConnections,
  phases: false,
  trace: false,
}

/** The run as one user sees it (`this.run`). */
export interface RunView {
  readonly id: string
  readonly seed: number
  readonly agent: string
  /** What the class's `static setUpRun` returned; null without one. */
  readonly data: unknown
}

export type FeedMode = 'sequential' | 'random' | 'unique' | 'leased'

export type FeedRow = Readonly<Record<string, string>>

/** Where rows of data files come from: the engine opens each file once per load thread. */
export interface FeedSource {
  /**
   * The row of the running execution.
   *
   * @throws {UsageError} no such file, no such format, or no row left
   */
  row(file: string, mode: FeedMode, user: UserContext): Promise<FeedRow>
}

/**
 * What the engine gives to a virtual user and moves on before each execution. Tests read it through `this.user`,
 * `this.iteration`, `this.random` and so on.
 */
export interface UserContext {
  readonly user: number
  /** Number of the running execution of this user, from 0. */
  iteration: number
  /** `scenario/user/iteration` in closed models, `scenario/number` where a schedule or a shared count hands them out. */
  readonly executionId: string
  readonly scenario: string
  /**
   * Number of the running execution in its scenario, the same on any number of agents: what data rows are chosen by.
   * Each number comes once; in models bounded by time some are left out.
   */
  readonly ordinal: number
  /** Tags of everything that is recorded now: of the scenario, of the class, and of `this.tagged`. Null: none. */
  tags: Tags | null
  /** Directory that relative file names of tests belong to. */
  readonly directory: string
  /** Rows of data files, for `this.feed`. */
  readonly feeds: FeedSource
  /** Seeded anew for each execution from the run's seed and the execution id. */
  random: Random
  readonly params: Readonly<Record<string, string>>
  readonly run: RunView
  /**
   * Aborts when the running execution is cut by the end of the run. The engine replaces it for tearDown, so that
   * clean-up can still speak to the target.
   */
  signal: AbortSignal
  readonly meter: Meter
  readonly target: TargetOptions
  /** Publishes a note into the event stream of the run; beyond a few per second they are counted, not kept. */
  annotate(text: string, tags: Tags): void
}
