import type { Pause } from './model.ts'
import type { Random } from '../random.ts'

/**
 * Milliseconds that a user waits after an execution.
 *
 * @param random made when it is needed only
 * @param lastedMs how long the execution took
 */
export function pauseAfter(pause: Pause, random: () => Random, lastedMs: number): number {
  switch (pause.type) {
    case 'none':
      return 0
    case 'constant':
      return pause.ms
    case 'uniform':
      return pause.fromMs + (pause.toMs - pause.fromMs) * random().next()
    case 'exponential':
      return -pause.meanMs * Math.log(1 - random().next())
    case 'pacing':
      return Math.max(0, pause.ms - lastedMs)
  }
}
