import type { ServerResponse } from 'node:http'

/** A silent connection is asked after so long whether its other end is there; after ten questions without an answer it is not. */
const askMs = 10_000

/** A lease as its holder has it: one line of JSON with its id, then an answer that stays open. */
export class LeaseStream {
  readonly #response: ServerResponse
  #isOver = false

  constructor(response: ServerResponse, id: string, onEnd: () => void) {
    this.#response = response
    response.socket?.setTimeout(0)
    // Nothing is ever sent on it, so the questions of TCP find a holder whose machine is gone.
    response.socket?.setKeepAlive(true, askMs)
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    response.write(`${JSON.stringify({ id })}\n`)
    const end = () => {
      if (this.#isOver) return
      this.#isOver = true
      onEnd()
    }
    response.on('close', end)
    response.on('error', end)
  }

  close(): void {
    this.#response.end()
  }
}
