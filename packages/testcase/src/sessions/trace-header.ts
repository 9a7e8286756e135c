import { randomBytes } from 'node:crypto'
import type { UserContext } from '../context.ts'
import { traceIdOf } from './trace.ts'

/**
 * A `traceparent` for what is not sent by the HTTP session: the trace of the execution, and a parent of its own. Null
 * where the run does not trace.
 */
export function traceParentOf(context: UserContext): string | null {
  if (!context.target.trace) return null
  return `00-${traceIdOf(context.run.id, context.executionId)}-${randomBytes(8).toString('hex')}-01`
}
