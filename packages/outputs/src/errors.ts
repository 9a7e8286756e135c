export type OutputErrorCode =
  /** No output has this name. */
  | 'OUTPUT_UNKNOWN'
  /** What follows the name cannot be used: a bad address, no file name, a variable that is not set. */
  | 'OUTPUT_ARGUMENTS'
  /** A module that cannot be loaded, or that makes no output. */
  | 'OUTPUT_MODULE'
  /** It will never work: wrong credentials, no such database. The run goes on without this output. */
  | 'OUTPUT_REFUSED'
  /** It did not work this time: tried again. */
  | 'OUTPUT_UNAVAILABLE'
  /** It did not answer in time: tried again. */
  | 'OUTPUT_TIMEOUT'

/** Thrown by outputs, and by what makes and checks them. The message names the output and what to do. */
export class OutputError extends Error {
  override readonly name = 'OutputError'
  readonly code: OutputErrorCode

  constructor(code: OutputErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The text of whatever was thrown, with the code of a system error where its text leaves that out. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Ours say all that is worth saying.
  if (error instanceof OutputError) return error.message
  const { code } = error as NodeJS.ErrnoException
  const text = error.message === '' ? (code ?? error.name) : error.message
  // fetch and its kin hide the reason: `fetch failed`.
  const { cause } = error
  return cause instanceof Error && cause.message !== '' && !text.includes(cause.message)
    ? `${text}: ${cause.message}`
    : text
}

/** By its code: an output of somebody else's may have a copy of our class, or none. */
export function hasCode(error: unknown, code: OutputErrorCode): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code
}
