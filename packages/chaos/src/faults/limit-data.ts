import { whole } from '../attributes.ts'
import { defineFault } from './definition.ts'
import type { Flow, Stage } from './stage.ts'

interface LimitDataAttributes {
  bytes: number
}

/**
 * So many bytes of this direction of a connection pass, then both sides are closed; with 0, at the first byte. The count begins
 * with the fault and goes on when the limit is changed; a limit that has been passed already closes at the next byte.
 */
export const limitData = defineFault<LimitDataAttributes>({
  type: 'limit_data',
  summary: 'closes after a number of bytes',
  attributes: { bytes: whole({ initial: 0, help: 'how many bytes pass' }) },
  units: ['connection'],
  tells: true,
  stage: (flow, attributes) => new LimitData(flow, attributes),
})

class LimitData implements Stage<LimitDataAttributes> {
  readonly #flow: Flow
  #limit: number
  #passed = 0
  #isOver = false

  constructor(flow: Flow, { bytes }: LimitDataAttributes) {
    this.#flow = flow
    this.#limit = bytes
  }

  onBytes(bytes: Buffer): void {
    if (this.#isOver) return
    const left = Math.max(0, this.#limit - this.#passed)
    const within = bytes.length <= left ? bytes : bytes.subarray(0, left)
    this.#passed += within.length
    this.#isOver = bytes.length >= left
    if (within.length > 0) this.#flow.pass(within)
    if (!this.#isOver) return
    this.#flow.applied({ bytes: this.#passed })
    this.#flow.close('fin')
  }

  onEnd(): void {
    if (!this.#isOver) this.#flow.end()
  }

  onUpdate({ bytes }: LimitDataAttributes): void {
    this.#limit = bytes
  }
}
