import type { Meter } from './meter.ts'
import type { Random } from './random.ts'

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
}

export const defaultTarget: TargetOptions = {
  serverUrl: null,
  timeoutMs: 30_000,
  insecure: false,
  ca: null,
  cert: null,
  key: null,
  proxy: null,
}

/** The run as one user sees it (`this.run`). */
export interface RunView {
  readonly id: string
  readonly seed: number
  readonly agent: string
  /** What the class's `static setUpRun` returned; null without one. */
  readonly data: unknown
}

/**
 * What the engine gives to a virtual user and moves on before each execution. Tests read it through `this.user`,
 * `this.iteration`, `this.random` and so on.
 */
export interface UserContext {
  readonly user: number
  /** Number of the running execution of this user, from 0. */
  iteration: number
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
}
