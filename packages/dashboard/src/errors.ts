export type DashboardErrorCode =
  /** The port is in use, or may not be used. */
  | 'DASHBOARD_PORT'
  /** A run has no such events as a model is made of. */
  | 'DASHBOARD_EVENTS'
  /** The bundled page is not there. */
  | 'DASHBOARD_PAGE'

/** What went wrong around a page or a report; the message says what to do. */
export class DashboardError extends Error {
  readonly code: DashboardErrorCode

  constructor(code: DashboardErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DashboardError'
    this.code = code
  }
}
