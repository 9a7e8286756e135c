import type { OutputEnvironment } from '@loads-runner/outputs'

/** So many are told. */
const most = 5

let told = 0
let log: OutputEnvironment['log'] | null = null

/**
 * Output modules of users run in this process. An error that nobody awaits there must not end a run that has nothing to
 * do with it. Whose it is cannot be known, so all are told from here on; timers of a module outlive its run.
 */
export function tellStrayErrors(environment: OutputEnvironment): void {
  const isFirst = log === null
  log = environment.log
  told = 0
  if (!isFirst) return
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) process.on(name, tell)
}

function tell(error: unknown): void {
  if (++told > most) return
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const rest = told === most ? '\nthose that follow are not told' : ''
  log?.('warning', `nothing awaits this error, of an output module perhaps: ${text}${rest}`)
}
