import { UsageError } from '../errors.ts'

/** A recorded execution. */
export interface ReplayTarget {
  /** Name or path of a run directory, or `latest`. */
  run: string
  /** `scenario/user/iteration`, or `scenario/number` in open models and shared hits. */
  execution: string
}

/**
 * `RUN:EXECUTION`: `latest:default/3/0`, `results/2026-11-21--4:buy/1042`.
 *
 * @throws {UsageError} when the text is no such pair
 */
export function parseReplay(text: string): ReplayTarget {
  const at = text.indexOf(':')
  const [run, execution] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || !/^.+?\/\d+(?:\/\d+)?$/s.test(execution)) {
    throw new UsageError(
      `"${text}" is not RUN:EXECUTION; write latest:default/3/0, or results/<run>:<execution id>`,
    )
  }
  return { run, execution }
}
