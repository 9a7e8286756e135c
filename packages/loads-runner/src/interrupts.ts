import { RunnerError } from './errors.ts'
import { exitCodes } from './exit-codes.ts'
import type { World } from './world.ts'

export type InterruptReason = 'SIGINT' | 'SIGTERM'

type Handler = (reason: InterruptReason) => void

/**
 * Ctrl-C and its kin. Before there is a run to stop, the first one ends the command; later they go to a handler. A
 * terminal that hangs up ends the display only: the run goes on to its end, and its exit code is right.
 */
export class Interrupts {
  readonly #unsubscribe: () => void
  readonly #waiting = new Set<(error: RunnerError) => void>()
  #handler: Handler | null = null
  #first: InterruptReason | null = null

  constructor(world: Pick<World, 'onSignal'>) {
    this.#unsubscribe = world.onSignal((signal) => {
      if (signal !== 'SIGHUP') this.#take(signal)
    })
  }

  /** The first signal that came; null when none did. */
  get first(): InterruptReason | null {
    return this.#first
  }

  /** Hands every signal from now on to `handler`. A signal that came before is handed over at once. */
  handle(handler: Handler): void {
    this.#handler = handler
    if (this.#first !== null) handler(this.#first)
  }

  /**
   * Waits for a step of the preparation, or for a signal.
   *
   * @throws {RunnerError} RUNNER_INTERRUPTED with exit code 130 or 143
   */
  async race<T>(step: Promise<T>): Promise<T> {
    // A step that loses the race may fail later; its failure is no news then.
    step.catch(() => {})
    let stopWaiting = () => {}
    const interrupted = new Promise<never>((_, reject) => {
      this.#waiting.add(reject)
      stopWaiting = () => this.#waiting.delete(reject)
      if (this.#first !== null) reject(interruption(this.#first))
    })
    try {
      return await Promise.race([interrupted, step])
    } finally {
      stopWaiting()
    }
  }

  close(): void {
    this.#unsubscribe()
    this.#handler = null
  }

  #take(reason: InterruptReason): void {
    this.#first ??= reason
    if (this.#handler !== null) this.#handler(reason)
    else for (const reject of this.#waiting) reject(interruption(reason))
  }
}

/** The exit code after a graceful stop by a signal. */
export function exitCodeOfSignal(reason: InterruptReason): number {
  return reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
}

export function interruption(reason: InterruptReason): RunnerError {
  return new RunnerError('RUNNER_INTERRUPTED', `interrupted by ${reason}`, exitCodeOfSignal(reason))
}
