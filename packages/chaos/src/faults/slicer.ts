import { microseconds, whole } from '../attributes.ts'
import { defineFault } from './definition.ts'
import { HeldBytes } from './held-bytes.ts'
import type { Flow, Stage, Timer } from './stage.ts'

interface SlicerAttributes {
  average_size: number
  size_variation: number
  /** Milliseconds. */
  delay: number
}

/** After so many pieces others have their turn. */
const piecesAtOnce = 256

/**
 * Bytes arrive in small pieces of `average_size`, up to `size_variation` less or more but at least 1, with a pause after each.
 * With an `average_size` of 0 pieces stay as they came, and only the pauses are made. Pauses shorter than a timer's resolution
 * are made together: pieces come in groups, at the right speed. Removal passes on the rest in one piece.
 */
export const slicer = defineFault<SlicerAttributes>({
  type: 'slicer',
  summary: 'bytes arrive in small pieces',
  attributes: {
    average_size: whole({ initial: 0, help: 'bytes of a piece; 0: as they come' }),
    size_variation: whole({ initial: 0, help: 'how many bytes less or more' }),
    delay: microseconds({ initial: 0, help: 'pause after each piece, in microseconds' }),
  },
  units: ['connection'],
  stage: (flow, attributes) => new Slicer(flow, attributes),
})

class Slicer implements Stage<SlicerAttributes> {
  readonly #flow: Flow
  readonly #held: HeldBytes
  #attributes: SlicerAttributes
  /** When the pause after the last piece ends. */
  #dueAt = -Infinity
  #timer: Timer | null = null

  constructor(flow: Flow, attributes: SlicerAttributes) {
    this.#flow = flow
    this.#held = new HeldBytes(flow)
    this.#attributes = attributes
  }

  onBytes(bytes: Buffer): void {
    if (this.#held.isEmpty) this.#dueAt = Math.max(this.#dueAt, this.#flow.now())
    this.#held.push(bytes)
    if (this.#timer === null) this.#passDue()
  }

  onEnd(): void {
    this.#held.end()
  }

  onUpdate(attributes: SlicerAttributes): void {
    // A pause that was long is not waited for when pauses are short now.
    this.#dueAt = Math.min(this.#dueAt, this.#flow.now() + attributes.delay)
    this.#attributes = attributes
    this.#passDue()
  }

  onRemove(): void {
    this.#timer?.cancel()
    this.#held.pass()
  }

  readonly #passDue = (): void => {
    this.#timer?.cancel()
    this.#timer = null
    const now = this.#flow.now()
    for (let pieces = 0; pieces < piecesAtOnce; pieces++) {
      if (this.#held.isEmpty) return
      if (this.#dueAt > now) break
      this.#dueAt += this.#attributes.delay
      this.#held.passFirst(this.#size())
    }
    this.#timer = this.#flow.after(Math.max(0, this.#dueAt - now), this.#passDue)
  }

  #size(): number {
    const { average_size: average, size_variation: variation } = this.#attributes
    if (average === 0) return Number.MAX_SAFE_INTEGER
    return Math.max(1, this.#flow.random.integer(average - variation, average + variation))
  }
}
