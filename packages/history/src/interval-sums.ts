import type { CommitEvent } from '@loads-runner/protocol'
import type { Interval } from './interval.ts'
import { IntervalPart } from './interval-part.ts'

/** What a run stood at: sums since its start. */
export interface Standing {
  activeUsers: number
  planned: number
  started: number
  finished: number
  dropped: number
}

export const atRest: Standing = { activeUsers: 0, planned: 0, started: 0, finished: 0, dropped: 0 }

export function standingOf(event: CommitEvent): Standing {
  const { activeUsers, planned, started, finished, dropped } = event
  return { activeUsers, planned, started, finished, dropped }
}

/** Sums never fall, whatever the order in which commits come. */
export function later(before: Standing, now: Standing): Standing {
  return {
    activeUsers: now.activeUsers,
    planned: Math.max(before.planned, now.planned),
    started: Math.max(before.started, now.started),
    finished: Math.max(before.finished, now.finished),
    dropped: Math.max(before.dropped, now.dropped),
  }
}

/** One interval in the making, or one that is kept for figures that come late. */
export class IntervalSums {
  readonly fromMs: number
  readonly spanMs: number
  /** Figures of the warm-up are in no total: in an interval that has both, they are not shown. */
  readonly counted = new IntervalPart()
  readonly warmUp = new IntervalPart()
  standing: Standing | null = null
  revision = 0
  /** Milliseconds of the run at which the first window began that counts, and at which the last of any sort ended. */
  countsFromMs = Infinity
  lastMs = 0

  constructor(fromMs: number, spanMs: number) {
    this.fromMs = fromMs
    this.spanMs = spanMs
  }

  get toMs(): number {
    return this.fromMs + this.spanMs
  }

  covers(atMs: number): boolean {
    return atMs >= this.fromMs && atMs < this.toMs
  }

  part(warmUp: boolean): IntervalPart {
    return warmUp ? this.warmUp : this.counted
  }

  /** Adds an interval that lies in this one. */
  merge(shorter: IntervalSums): void {
    this.counted.merge(shorter.counted)
    this.warmUp.merge(shorter.warmUp)
    if (shorter.standing !== null) this.standing = shorter.standing
  }

  /** As it is handed out: what it holds is not changed any more, but copied first. */
  show(startedAt: number): Interval {
    const warmUp = !this.counted.isKnown
    const part = this.part(warmUp)
    return {
      spanMs: this.spanMs,
      fromMs: this.fromMs,
      at: startedAt + this.fromMs,
      loadMs: part.loadMs,
      delta: part.lend(),
      warmUp,
      ...(this.standing ?? atRest),
      agents: part.agents(),
      revision: this.revision,
    }
  }
}
