import { milliseconds } from '../attributes.ts'
import { Deadline } from './deadline.ts'
import { defineFault } from './definition.ts'
import { HeldBytes } from './held-bytes.ts'
import type { Flow, Stage } from './stage.ts'

interface ResetPeerAttributes {
  timeout: number
}

/**
 * Both sides are reset (RST) some time after the first bytes or the end came; nothing gets through meanwhile. Until then
 * nothing is lost: removal passes on what was held, and the connection lives.
 */
export const resetPeer = defineFault<ResetPeerAttributes>({
  type: 'reset_peer',
  summary: 'a reset to both sides, some time after the first bytes',
  attributes: {
    timeout: milliseconds({ initial: 0, help: 'milliseconds from the first bytes to the reset' }),
  },
  units: ['connection'],
  tells: true,
  stage: (flow, attributes) => new ResetPeer(flow, attributes),
})

class ResetPeer implements Stage<ResetPeerAttributes> {
  readonly #flow: Flow
  readonly #held: HeldBytes
  readonly #deadline: Deadline
  #timeout: number
  #hasEnded = false

  constructor(flow: Flow, { timeout }: ResetPeerAttributes) {
    this.#flow = flow
    this.#timeout = timeout
    this.#held = new HeldBytes(flow)
    this.#deadline = new Deadline(flow, () => {
      flow.applied()
      flow.close('rst')
    })
  }

  onBytes(bytes: Buffer): void {
    this.#held.push(bytes)
    this.#deadline.start(this.#timeout)
  }

  onEnd(): void {
    this.#hasEnded = true
    this.#deadline.start(this.#timeout)
  }

  onUpdate({ timeout }: ResetPeerAttributes): void {
    this.#timeout = timeout
    this.#deadline.change(timeout)
  }

  onRemove(): void {
    this.#deadline.cancel()
    this.#held.pass()
    if (this.#hasEnded) this.#flow.end()
  }
}
