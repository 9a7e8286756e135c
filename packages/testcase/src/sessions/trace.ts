import { createHash } from 'node:crypto'
import type { UserContext } from '../context.ts'

/**
 * The trace id of an execution, for the target's own tracing: the same wherever it runs, so that it can be worked out
 * from a report.
 *
 * @returns 32 hexadecimal digits, as in W3C Trace Context
 */
export function traceIdOf(runId: string, executionId: string): string {
  return digestOf(runId, executionId).slice(0, 32)
}

function digestOf(runId: string, executionId: string): string {
  return createHash('sha256').update(`${runId}\n${executionId}`).digest('hex')
}

/** Makes the `traceparent` header of each request of one user. */
export class TraceParents {
  readonly #context: UserContext
  #executionId: string | null = null
  #prefix = ''
  #spanStart = ''
  #span = 0

  constructor(context: UserContext) {
    this.#context = context
  }

  /** `00-<trace id>-<number of the request>-01`: each request is the parent of what the target does for it. */
  next(): string {
    const { executionId, run } = this.#context
    if (executionId !== this.#executionId) {
      const digest = digestOf(run.id, executionId)
      this.#executionId = executionId
      this.#prefix = `00-${digest.slice(0, 32)}-`
      this.#spanStart = digest.slice(32, 40)
      this.#span = 0
    }
    const span = (++this.#span).toString(16).padStart(8, '0')
    return `${this.#prefix}${this.#spanStart}${span}-01`
  }
}
