import { InterruptedError, RequestError } from './errors.ts'
import { classify } from './sessions/hit-error.ts'

/** Statuses name series: longer ones than any code that is meant to be read are cut. */
const longestStatus = 60

/**
 * The word that an error leaves as the status of a hit: its class where it is one of a connection (`refused`, `dns`,
 * ...), else its code where that is a word, else its name. Never its message, which may hold anything.
 */
export function statusOfError(error: unknown, signal: AbortSignal): string {
  if (error instanceof InterruptedError) return 'interrupted'
  if (error instanceof RequestError) return error.class
  if (typeof error !== 'object' || error === null) return typeof error
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: unknown }
  if (name === 'AbortError' && signal.aborted) return 'interrupted'
  if (name === 'TimeoutError') return 'timeout'
  const known = classOf(error) ?? (code === undefined ? classOf(cause) : null)
  if (known !== null) return known
  if (typeof code === 'string' && code !== '') return code.slice(0, longestStatus)
  return typeof name === 'string' && name !== '' ? name.slice(0, longestStatus) : 'Error'
}

/** The class of an error of a connection, by its code; null for any other error. */
function classOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null
  const { code, errors, path, syscall } = error as NodeJS.ErrnoException & { errors?: unknown }
  // EACCES of a file is not the one of a connection.
  if (path !== undefined && syscall !== 'connect') return null
  // `connect` that tried several addresses says the codes in a list.
  if (typeof code !== 'string' && !Array.isArray(errors)) return null
  const found = classify(error, { reused: false, answered: false, idleMs: 0, elapsedMs: 0 })
  return found === 'protocol' ? null : found
}
