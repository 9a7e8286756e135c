import { setMaxListeners } from 'node:events'

/** Listens to one signal at a time: the engine gives tearDown another than the test had. */
export class AbortWatch {
  readonly #onAbort: () => void
  #signal: AbortSignal | null = null

  constructor(onAbort: () => void) {
    this.#onAbort = onAbort
  }

  /** Leaves the signal before, and listens to this one. */
  follow(signal: AbortSignal | null): void {
    if (signal === this.#signal) return
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#signal = signal
    if (signal === null) return
    // All sockets and sessions of a user listen to one signal, and every one of them lets go of it in the end.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', this.#onAbort)
  }
}
