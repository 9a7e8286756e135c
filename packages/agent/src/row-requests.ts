/** Rows of a leased feed that the session has asked for. `size`: rows of the file. */
export interface RowRequest {
  feed: string
  size: number
  count: number
}

/**
 * What a session has asked for and has no answer to: a request or its answer may be lost with a link, so they are said
 * again over the next one. Rows that were leased in an answer which is lost are nobody's until the end of the run.
 */
export class RowRequests {
  readonly #open: RowRequest[] = []

  add(request: RowRequest): void {
    this.#open.push(request)
  }

  /** The oldest request of this feed has its answer. */
  answered(feed: string): void {
    const index = this.#open.findIndex((request) => request.feed === feed)
    if (index >= 0) this.#open.splice(index, 1)
  }

  open(): readonly RowRequest[] {
    return this.#open
  }
}
