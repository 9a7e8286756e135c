import { Delta } from '@loads-runner/metrics'
import type { CommittedWindow } from '@loads-runner/protocol'
import type { AgentShare } from './interval.ts'

/** What was recorded in an interval of one sort: figures that count, or those of the warm-up. */
export class IntervalPart {
  /** How much of the interval is of this sort, in milliseconds. */
  loadMs = 0
  /** Some commit was of this sort. */
  hasWindows = false
  #delta: Delta | null = null
  /** The delta belongs to somebody else: it is copied before anything is added. */
  #borrowed = false
  readonly #shares = new Map<string, Share>()

  /** Live: whoever gets it must not change it, and this part must be given up or {@link lend} be called. */
  get delta(): Delta {
    return (this.#delta ??= new Delta())
  }

  /** Something was recorded in it, if only silence. */
  get isKnown(): boolean {
    return this.loadMs > 0
  }

  get hasDelta(): boolean {
    return this.#delta !== null && !this.#delta.isEmpty
  }

  agents(): AgentShare[] {
    return [...this.#shares.values()].map(({ share, cpuSum }) => ({ ...share, cpu: cpuSum / share.windows }))
  }

  /** The delta is used elsewhere from now on. */
  lend(): Delta {
    const { delta } = this
    this.#borrowed = true
    return delta
  }

  take(delta: Delta, windows: readonly CommittedWindow[]): void {
    this.hasWindows = true
    this.#add(delta)
    for (const window of windows) {
      const share = { ...window, windows: 1 }
      this.#shareOf(window.agent, window.incarnation).add(share, window.toMs)
    }
  }

  /** Adds what a shorter interval holds; parts are merged in order of time. */
  merge(other: IntervalPart): void {
    this.loadMs += other.loadMs
    this.hasWindows ||= other.hasWindows
    if (other.#delta !== null) this.#add(other.#delta)
    for (const { share, toMs, cpuSum } of other.#shares.values()) {
      const cpu = cpuSum / share.windows
      this.#shareOf(share.agent, share.incarnation).add({ ...share, cpu }, toMs)
    }
  }

  /** Puts a delta back that was packed away. */
  restore(delta: Delta): void {
    this.#delta = delta
    this.#borrowed = false
  }

  /** Lets go of the delta, which is kept elsewhere. */
  release(): void {
    this.#delta = null
    this.#borrowed = false
  }

  #add(delta: Delta): void {
    if (this.#delta === null) {
      // One commit per second is the rule: it need not be copied.
      this.#delta = delta
      this.#borrowed = true
      return
    }
    if (delta.isEmpty) return
    if (this.#borrowed) {
      const own = new Delta()
      own.merge(this.#delta)
      this.#delta = own
      this.#borrowed = false
    }
    this.#delta.merge(delta)
  }

  #shareOf(agent: string, incarnation: string): Share {
    const key = `${agent} ${incarnation}`
    let share = this.#shares.get(key)
    if (share === undefined) this.#shares.set(key, (share = new Share(agent, incarnation)))
    return share
  }
}

/** The share of one agent, with what is needed to add to it. */
class Share {
  readonly share: AgentShare
  /** Of all windows: the mean is taken when it is asked for. */
  cpuSum = 0
  /** Milliseconds of the run at which the window ended that `activeUsers` is of. */
  toMs = -1

  constructor(agent: string, incarnation: string) {
    this.share = {
      agent,
      incarnation,
      activeUsers: 0,
      hits: 0,
      windows: 0,
      eventLoopLagMs: 0,
      cpu: 0,
      latenessMs: 0,
    }
  }

  add(from: Omit<AgentShare, 'agent' | 'incarnation'>, toMs: number): void {
    const { share } = this
    share.hits += from.hits
    share.windows += from.windows
    share.eventLoopLagMs = Math.max(share.eventLoopLagMs, from.eventLoopLagMs)
    share.latenessMs = Math.max(share.latenessMs, from.latenessMs)
    this.cpuSum += from.cpu * from.windows
    if (toMs < this.toMs) return
    this.toMs = toMs
    share.activeUsers = from.activeUsers
  }
}
