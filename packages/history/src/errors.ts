export type HistoryErrorCode =
  /** There is no run of that name in the store. */
  | 'HISTORY_NO_RUN'
  /** Several runs have that name, or an id that begins so. */
  | 'HISTORY_AMBIGUOUS'
  /** A place that is no run directory and no journal, or one without what was asked for. */
  | 'HISTORY_NOT_A_RUN'
  /** A file of a run that was damaged or edited, with its line. */
  | 'HISTORY_DAMAGED'
  /** A metric of a trend that does not exist, or cannot be read. */
  | 'HISTORY_METRIC'
  /** A request to remove runs that does not say which. */
  | 'HISTORY_PRUNE'

/** Thrown for runs on disk that cannot be found or read, and for questions about them that make no sense. */
export class HistoryError extends Error {
  readonly code: HistoryErrorCode

  constructor(code: HistoryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'HistoryError'
    this.code = code
  }
}
