import { subscribe } from 'node:diagnostics_channel'
import { statusOfError } from '../error-status.ts'
import { statementName } from './hit-name.ts'
import { runningUser, type RunningUser } from './running-user.ts'
import { tracingPrefix } from './selection.ts'

/** What a tracing channel hands around from start to end: one object for each operation. */
interface Operation {
  readonly result?: unknown
  readonly error?: unknown
  readonly command?: unknown
  readonly query?: unknown
  readonly sql?: unknown
  readonly statement?: unknown
}

interface Running {
  readonly user: RunningUser
  readonly name: string
  readonly startedAt: number
}

/**
 * Counts the operations of a tracing channel (`tracing:NAME:start`, `:end`, `:asyncEnd`) as hits of the kind `call`.
 * They are called after the channel and the command or statement that many clients tell: `mysql2:query SELECT ?`.
 */
export function instrumentTracing(channel: string): void {
  const running = new WeakMap<object, Running>()
  const label = channel.slice(tracingPrefix.length)
  const on = (event: string, listener: (operation: Operation) => void) =>
    subscribe(`${channel}:${event}`, (message) => listener(message as Operation))

  const finish = (operation: Operation) => {
    const known = running.get(operation)
    if (known === undefined) return
    running.delete(operation)
    const { context } = known.user
    const broken = operation.error !== undefined
    const status = broken ? statusOfError(operation.error, context.signal) : 'ok'
    const micros = Math.round((performance.now() - known.startedAt) * 1000)
    context.meter.hit('call', known.name, '', status, broken && status !== 'interrupted', micros, 0, 0, null)
  }

  on('start', (operation) => {
    const user = runningUser(channel)
    if (user === null) return
    const name = operationName(operation)
    const startedAt = performance.now()
    running.set(operation, { user, name: name === '' ? label : `${label} ${name}`, startedAt })
  })
  // The end of the call is the end of the operation only where it has its outcome already: one that is not
  // asynchronous, or that failed before it was.
  on('end', (operation) => {
    if (operation.error !== undefined || 'result' in operation) finish(operation)
  })
  on('asyncEnd', finish)
}

/** Command or statement, never the values that go with it. */
function operationName({ command, query, sql, statement }: Operation): string {
  if (typeof command === 'string') return command.toUpperCase().slice(0, 40)
  const text = (query as { text?: unknown } | null | undefined)?.text
  for (const each of [query, text, sql, statement]) if (typeof each === 'string') return statementName(each)
  return ''
}
