import { statusOfError } from '../error-status.ts'
import type { RunningUser } from './running-user.ts'
import { hitName } from './hit-name.ts'

/** One request of a client that is not ours, while it runs. Whichever end comes first is recorded. */
export class HttpHit {
  bytesIn = 0
  bytesOut = 0
  readonly #user: RunningUser
  readonly #method: string
  readonly #name: string
  readonly #startedAt = performance.now()
  #status = 0
  #ended = false

  constructor(user: RunningUser, method: string, origin: string, path: string) {
    this.#user = user
    this.#method = method
    this.#name = hitName(origin, path, user.origin)
  }

  /** The head of the answer has come. */
  answered(status: number): void {
    this.#status = status
  }

  /** The body has come too. */
  complete(): void {
    this.#end(String(this.#status), this.#status >= 400)
  }

  broken(error: unknown): void {
    const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
    // Whoever cuts a request cuts it on purpose: the test, or the end of the run.
    const cut = code === 'UND_ERR_ABORTED' || code === 'ABORT_ERR' || name === 'AbortError'
    const status = cut ? 'interrupted' : statusOfError(error, this.#user.context.signal)
    this.#end(status, status !== 'interrupted')
  }

  /** The connection ended in the middle of the answer, and nobody says why. */
  cutOff(): void {
    const cut = this.#user.context.signal.aborted
    this.#end(cut ? 'interrupted' : 'closed', !cut)
  }

  #end(status: string, failed: boolean): void {
    if (this.#ended) return
    this.#ended = true
    const micros = Math.round((performance.now() - this.#startedAt) * 1000)
    const { meter } = this.#user.context
    meter.hit('http', this.#name, this.#method, status, failed, micros, this.bytesIn, this.bytesOut, null)
  }
}
