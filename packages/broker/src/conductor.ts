import { Refusal } from './errors.ts'
import type { OperatorPeerConnection } from './subscribers.ts'

/** Bytes of JSON text that setUpRun may return. */
const maxDataLength = 1024 * 1024

/**
 * The console that runs setUpRun and tearDownRun of a run.
 *
 * none: the run needs nobody. idle: nothing was asked of it. setting-up: it was told that the agents are ready.
 * set-up: it has said that setUpRun is done. tearing-down: it was told that load has ended. over: nothing is expected
 * of it any more.
 */
export type ConductorState = 'none' | 'idle' | 'setting-up' | 'set-up' | 'tearing-down' | 'over'

export class Conductor {
  readonly #runId: string
  readonly #connection: OperatorPeerConnection | null
  #state: ConductorState

  /** @param connection null where the run needs nobody */
  constructor(runId: string, connection: OperatorPeerConnection | null) {
    this.#runId = runId
    this.#connection = connection
    this.#state = connection === null ? 'none' : 'idle'
  }

  get state(): ConductorState {
    return this.#state
  }

  get needed(): boolean {
    return this.#state !== 'none'
  }

  /** setUpRun may have begun and nothing has undone it. */
  get mustTearDown(): boolean {
    return this.#state === 'setting-up' || this.#state === 'set-up'
  }

  is(connection: OperatorPeerConnection): boolean {
    return this.#connection === connection
  }

  /** What was asked of it, or that nothing is. */
  become(state: Exclude<ConductorState, 'none'>): void {
    if (this.#connection !== null) this.#state = state
  }

  /** It is gone. @returns what that means for the run */
  lose(): string {
    const { state } = this
    this.become('over')
    return state === 'idle'
      ? 'conductor-lost: the console that conducts the run is gone'
      : 'conductor-lost: the console that ran setUpRun is gone; tearDownRun was not seen to run'
  }

  /** @throws {Refusal} NOT_CONDUCTOR when another console speaks. */
  check(connection: OperatorPeerConnection): void {
    if (this.#connection === connection) return
    const who = this.needed ? 'by the console that submitted it' : 'by nobody'
    throw new Refusal('NOT_CONDUCTOR', `run ${this.#runId} is conducted ${who}`)
  }
}

/** Why what setUpRun returned cannot be given to the agents; null when it can. */
export function complaintAbout(data: string): string | null {
  if (Buffer.byteLength(data) > maxDataLength) return 'setUpRun returned more than 1 MB; return less'
  return null
}
