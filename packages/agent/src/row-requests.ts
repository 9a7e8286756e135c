/** Rows of a leased feed that the session has asked for. `size`: rows of the file. */
export interface RowRequest {
  feed: string
  size: number
  count: number
}

/** Rows that are this agent's. A count of 0: none is left. */
export interface GrantedRows {
  feed: string
  first: number
  count: number
}

/**
 * What a session has asked for and has no answer to, one request per feed. A request or its answer may be lost with a
 * link, so it is said again over the next one. Then two answers may come: the second is kept for the next request, since
 * each row is leased once. Rows of an answer that is lost are nobody's until the end of the run.
 */
export class RowRequests {
  readonly #ask: (request: RowRequest) => void
  readonly #give: (rows: GrantedRows) => void
  readonly #open = new Map<string, RowRequest>()
  readonly #kept = new Map<string, GrantedRows[]>()

  /** @param ask says a request to the broker; @param give hands rows to the session */
  constructor(ask: (request: RowRequest) => void, give: (rows: GrantedRows) => void) {
    this.#ask = ask
    this.#give = give
  }

  /** The session needs rows. Asked again before there was an answer, it is asked for again. */
  take(request: RowRequest): void {
    const rows = this.#kept.get(request.feed)?.shift()
    if (rows !== undefined) return this.#give(rows)
    this.#open.set(request.feed, request)
    this.#ask(request)
  }

  /** The broker's answer. */
  answer(rows: GrantedRows): void {
    if (this.#open.delete(rows.feed)) return this.#give(rows)
    if (rows.count === 0) return
    const kept = this.#kept.get(rows.feed)
    if (kept === undefined) this.#kept.set(rows.feed, [rows])
    else kept.push(rows)
  }

  /** Over a new link: asks for all that has no answer. */
  repeat(): void {
    for (const request of this.#open.values()) this.#ask(request)
  }
}
