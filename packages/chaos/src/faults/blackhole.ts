import { defineFault } from './definition.ts'
import type { Flow, Stage } from './stage.ts'

/**
 * One direction is dead: all its bytes and its end are dropped, and nobody is told. The other direction works. When it is
 * removed, a connection that has lost something closes, since its stream has a hole; one that has not goes on.
 */
export const blackhole = defineFault<object>({
  type: 'blackhole',
  summary: 'one direction is dead; the connection stays open',
  attributes: {},
  units: ['connection'],
  tells: true,
  stage: (flow) => new Blackhole(flow),
})

class Blackhole implements Stage<object> {
  readonly #flow: Flow
  #hasLost = false

  constructor(flow: Flow) {
    this.#flow = flow
  }

  onBytes(): void {
    this.#lose()
  }

  onEnd(): void {
    this.#lose()
    this.#flow.swallowEnd()
  }

  onRemove(): void {
    if (this.#hasLost) this.#flow.close('fin')
  }

  #lose(): void {
    if (this.#hasLost) return
    this.#hasLost = true
    this.#flow.applied()
  }
}
