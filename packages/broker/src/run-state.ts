import type { RunState } from '@loads-runner/protocol'
import { IllegalMoveError } from './errors.ts'

/** Every legal move of a run. What is not in here throws. The words are explained beside `runStateSchema`. */
export const moves: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['preparing', 'failed', 'aborted'],
  preparing: ['ready', 'failed', 'aborted'],
  ready: ['running', 'draining', 'failed', 'aborted'],
  running: ['draining', 'done', 'failed', 'aborted', 'incomplete'],
  draining: ['done', 'failed', 'aborted', 'incomplete'],
  done: [],
  failed: [],
  aborted: [],
  incomplete: [],
}

export function isEnd(state: RunState): boolean {
  return moves[state].length === 0
}

/** Holds the state of one run. `move` is the only way to change it, and whoever must know is told by it. */
export class RunStateMachine {
  readonly #runId: string
  readonly #onMove: (state: RunState, note: string) => void
  #current: RunState = 'queued'

  constructor(runId: string, onMove: (state: RunState, note: string) => void) {
    this.#runId = runId
    this.#onMove = onMove
  }

  get current(): RunState {
    return this.#current
  }

  get ended(): boolean {
    return isEnd(this.#current)
  }

  is(...states: RunState[]): boolean {
    return states.includes(this.#current)
  }

  /** @throws {IllegalMoveError} when the present state does not lead there; nothing changes then. */
  move(to: RunState, note: string): void {
    if (!moves[this.#current].includes(to)) throw new IllegalMoveError(this.#runId, this.#current, to)
    this.#current = to
    this.#onMove(to, note)
  }
}
