/** Exit codes of `loads-runner`: a public contract, described in one place. */
export const exitCodes = {
  /** Passed: at least one execution finished and nothing below applies. */
  passed: 0,
  /** Tests failed or erred. */
  failed: 1,
  /** Wrong use or configuration. */
  usage: 2,
  /** Tests could not be found or loaded. */
  notLoadable: 3,
  /** Broker or agents unreachable, not enough agents, conductor failed, results not writable. */
  infrastructure: 4,
  /** Windows are missing. */
  incomplete: 5,
  /** The load generator itself was the limit. */
  generatorLimited: 6,
  /** Stopped by an operator. */
  stopped: 7,
  /** A defect of Loads itself. */
  defect: 70,
  /** A threshold was crossed. */
  threshold: 99,
  /** Interrupted by SIGINT, after a graceful stop. */
  interrupted: 130,
  /** Interrupted by SIGTERM, after a graceful stop. */
  terminated: 143,
} as const

/** Where several apply, the first of these wins. */
const precedence = [2, 3, 4, 70, 130, 143, 7, 5, 6, 99, 1, 0]

/** The exit code that wins of two that apply. */
export function worseOf(one: number, other: number): number {
  const rank = (code: number) => (precedence.includes(code) ? precedence.indexOf(code) : precedence.length)
  return rank(one) <= rank(other) ? one : other
}
