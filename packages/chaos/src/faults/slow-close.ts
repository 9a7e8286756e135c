import { milliseconds } from '../attributes.ts'
import { Deadline } from './deadline.ts'
import { defineFault } from './definition.ts'
import type { Flow, Stage } from './stage.ts'

interface SlowCloseAttributes {
  delay: number
}

/** The end of the stream arrives later; bytes pass as they are. Removal lets a waiting end through at once. */
export const slowClose = defineFault<SlowCloseAttributes>({
  type: 'slow_close',
  summary: 'the end of the stream arrives later',
  attributes: { delay: milliseconds({ initial: 0, help: 'how much later, in milliseconds' }) },
  units: ['connection'],
  tells: true,
  stage: (flow, attributes) => new SlowClose(flow, attributes),
})

class SlowClose implements Stage<SlowCloseAttributes> {
  readonly #flow: Flow
  readonly #deadline: Deadline
  #delay: number
  #isWaiting = false

  constructor(flow: Flow, { delay }: SlowCloseAttributes) {
    this.#flow = flow
    this.#delay = delay
    this.#deadline = new Deadline(flow, () => this.#end())
  }

  onBytes(bytes: Buffer): void {
    this.#flow.pass(bytes)
  }

  onEnd(): void {
    if (this.#delay === 0) {
      this.#flow.end()
      return
    }
    this.#isWaiting = true
    this.#flow.applied()
    this.#deadline.start(this.#delay)
  }

  onUpdate({ delay }: SlowCloseAttributes): void {
    this.#delay = delay
    this.#deadline.change(delay)
  }

  onRemove(): void {
    this.#deadline.cancel()
    this.#end()
  }

  #end(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#flow.end()
  }
}
