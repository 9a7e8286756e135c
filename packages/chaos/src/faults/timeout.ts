import { milliseconds } from '../attributes.ts'
import { defineFault } from './definition.ts'
import type { Flow, Stage, Timer } from './stage.ts'

interface TimeoutAttributes {
  timeout: number
}

/**
 * Nothing gets through, and the connection closes when nothing was sent for `timeout` milliseconds: as in Toxiproxy the time
 * is idle time, begun anew by all that is dropped, so a sender that keeps on talking is never cut. For a time that runs in any
 * case see `limit_time`. With 0 it never closes. Removal closes it, since bytes may have been lost.
 */
export const timeout = defineFault<TimeoutAttributes>({
  type: 'timeout',
  summary: 'nothing gets through; closes when the sender was silent for a time',
  attributes: {
    timeout: milliseconds({ initial: 0, help: 'milliseconds of silence until it closes; 0: never closes' }),
  },
  units: ['connection'],
  tells: true,
  stage: (flow, attributes) => new Timeout(flow, attributes),
})

class Timeout implements Stage<TimeoutAttributes> {
  readonly #flow: Flow
  #timeout: number
  #silentSince: number
  #timer: Timer | null = null

  constructor(flow: Flow, { timeout: ms }: TimeoutAttributes) {
    this.#flow = flow
    this.#timeout = ms
    this.#silentSince = flow.now()
    this.#wait()
  }

  onBytes(): void {
    this.#flow.applied()
    this.#silentSince = this.#flow.now()
  }

  onEnd(): void {
    this.#flow.applied()
    this.#flow.swallowEnd()
  }

  onUpdate({ timeout: ms }: TimeoutAttributes): void {
    this.#timeout = ms
    this.#timer?.cancel()
    this.#timer = null
    this.#wait()
  }

  onRemove(): void {
    this.#close()
  }

  /** One timer: what was dropped meanwhile is looked at when it fires. */
  #wait(): void {
    if (this.#timeout === 0) return
    const left = this.#silentSince + this.#timeout - this.#flow.now()
    this.#timer = this.#flow.after(Math.max(0, left), () => {
      if (this.#flow.now() < this.#silentSince + this.#timeout) this.#wait()
      else this.#close()
    })
  }

  #close(): void {
    this.#timer?.cancel()
    this.#flow.applied()
    this.#flow.close('fin')
  }
}
