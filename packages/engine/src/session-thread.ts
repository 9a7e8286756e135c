import type { SessionLedger } from './session-spec.ts'
import type { ThreadHost } from './thread-host.ts'
import { ThreadState, type ThreadCount } from './thread-state.ts'

/** A load thread that has not turned its event loop for so long is reported, in milliseconds. */
export const blockedWarningMs = 2000

export type ThreadStatus = 'loading' | 'loaded' | 'armed' | 'ended' | 'dead'

/** What a session knows of one of its load threads. */
export class SessionThread {
  readonly index: number
  readonly state = new ThreadState()
  host!: ThreadHost
  status: ThreadStatus = 'loading'
  /** Stages whose units run on it, and how often it was given some. */
  readonly #given = new Map<number, number>()
  readonly #open = new Set<number>()
  #beats = 0
  /** performance.now() when its beats last changed. */
  #beatAt = performance.now()
  #warned = false

  constructor(index: number) {
    this.index = index
  }

  get living(): boolean {
    return this.status !== 'dead' && this.status !== 'ended'
  }

  /** Stages whose users still run on it. */
  get stages(): ReadonlySet<number> {
    return this.#open
  }

  /** It is given units of a stage. */
  give(stage: number): void {
    this.#given.set(stage, (this.#given.get(stage) ?? 0) + 1)
    this.#open.add(stage)
  }

  /** It says that no user of the stage runs any more: old news if it has been given units since. */
  done(stage: number, begun: number): void {
    if (begun === this.#given.get(stage)) this.#open.delete(stage)
  }

  /** It is gone. Returns the stages that ran on it. */
  bury(): number[] {
    const stages = [...this.#open]
    this.status = 'dead'
    this.#open.clear()
    return stages
  }

  wakeUp(now: number): void {
    this.#beatAt = now
  }

  /** Nobody has looked for so many milliseconds: whether it turned in them is not known. */
  unseenFor(milliseconds: number): void {
    this.#beatAt += milliseconds
  }

  /** For how many milliseconds its event loop has not turned, as far as can be seen. */
  blockedFor(now: number): number {
    const beats = this.state.get('beats')
    if (beats !== this.#beats) {
      this.#beats = beats
      this.#beatAt = now
      this.#warned = false
      return 0
    }
    return now - this.#beatAt
  }

  /** Once for each time that it is blocked. */
  shouldWarn(blockedMs: number): boolean {
    if (this.#warned || blockedMs <= blockedWarningMs) return false
    this.#warned = true
    return true
  }

  /** It is being killed: what it does not do is no news any more. */
  giveUp(): void {
    this.#beatAt = Infinity
  }

  /** Milliseconds. */
  get eventLoopLagMs(): number {
    // A window may be cut long after the last look at the beats.
    const isAlive = this.state.get('beats') !== this.#beats
    const silence = isAlive ? 0 : performance.now() - this.#beatAt
    return Math.max(this.state.eventLoopLagMs, silence > 1000 && Number.isFinite(silence) ? silence : 0)
  }
}

/** Over all threads, dead ones included. */
export function sumOf(threads: readonly SessionThread[], field: ThreadCount): number {
  return threads.reduce((sum, thread) => sum + thread.state.get(field), 0)
}

/** @param planned executions that were known beforehand */
export function ledgerOf(planned: number, threads: readonly SessionThread[]): SessionLedger {
  return {
    planned: planned + sumOf(threads, 'planned'),
    started: sumOf(threads, 'started'),
    finished: sumOf(threads, 'finished'),
    interrupted: sumOf(threads, 'interrupted'),
    dropped: sumOf(threads, 'dropped'),
  }
}
