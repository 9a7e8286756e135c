import { optional, share, whole } from '../attributes.ts'
import { defineFault } from './definition.ts'
import type { Flow, Stage } from './stage.ts'

interface CorruptAttributes {
  rate: number
  offset: number | null
}

/**
 * Flips bits: of each byte with a chance of `rate` one, or one of the byte at `offset`, or both. Offsets count the bytes of the
 * direction from 0, from when the fault began; which ones are hit depends on the seed and not on how the bytes were split.
 * Each flip is an event, up to 100 of a direction.
 */
export const corrupt = defineFault<CorruptAttributes>({
  type: 'corrupt',
  summary: 'flips bits',
  attributes: {
    rate: share({ initial: 0, help: 'share of bytes of which a bit is flipped' }),
    offset: optional(whole({ initial: 0, help: 'the byte, from 0, of which a bit is flipped' })),
  },
  units: ['connection'],
  tells: 'each',
  check: ({ rate, offset }) =>
    rate === 0 && offset === null ? 'give a rate or an offset, or nothing is ever flipped' : null,
  stage: (flow, attributes) => new Corrupt(flow, attributes),
})

class Corrupt implements Stage<CorruptAttributes> {
  readonly #flow: Flow
  #rate: number
  #offset: number | null
  /** Bytes that have come. */
  #seen = 0
  /** The offset of the next byte that the rate hits. */
  #next = Infinity

  constructor(flow: Flow, { rate, offset }: CorruptAttributes) {
    this.#flow = flow
    this.#rate = rate
    this.#offset = offset
    this.#draw(0)
  }

  onBytes(bytes: Buffer): void {
    const from = this.#seen
    this.#seen += bytes.length
    // Lent bytes are not ours to change.
    let changed: Buffer | null = null
    const flip = (offset: number) => {
      changed ??= Buffer.from(bytes)
      const bit = this.#flow.random.integer(0, 7)
      changed[offset - from] = changed[offset - from]! ^ (1 << bit)
      this.#flow.applied({ offset, bit })
    }
    for (let at = this.#upcoming(); at < this.#seen; at = this.#upcoming()) {
      flip(at)
      if (at === this.#offset) this.#offset = null
      if (at === this.#next) this.#draw(at + 1)
    }
    this.#flow.pass(changed ?? bytes)
  }

  onEnd(): void {
    this.#flow.end()
  }

  onUpdate({ rate, offset }: CorruptAttributes): void {
    this.#offset = offset !== null && offset >= this.#seen ? offset : null
    if (rate === this.#rate) return
    this.#rate = rate
    this.#draw(this.#seen)
  }

  #upcoming(): number {
    return Math.min(this.#next, this.#offset ?? Infinity)
  }

  /** The gap between hits is geometric: one draw for each hit in place of one for each byte. */
  #draw(from: number): void {
    if (this.#rate === 0) this.#next = Infinity
    else if (this.#rate === 1) this.#next = from
    else this.#next = from + Math.floor(Math.log(1 - this.#flow.random.next()) / Math.log1p(-this.#rate))
  }
}
