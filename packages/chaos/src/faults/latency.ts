import { milliseconds } from '../attributes.ts'
import { defineFault } from './definition.ts'
import { DelayLine } from './delay-line.ts'
import { spreadAttributes, timeAround, type Spread } from './distribution.ts'
import type { Flow, Stage } from './stage.ts'

interface LatencyAttributes extends Spread {
  latency: number
}

/** A long way at full speed: 100 MB/s over 160 ms. */
const longestWay = 16 * 1024 * 1024

/**
 * Bytes arrive later, from when they came, in order and at full speed. The end follows the last bytes at once. Several such
 * faults add up; one that is removed passes on at once what is on its way.
 */
export const latency = defineFault<LatencyAttributes>({
  type: 'latency',
  summary: 'bytes arrive later',
  attributes: {
    latency: milliseconds({ initial: 0, help: 'how much later, in milliseconds' }),
    ...spreadAttributes(milliseconds),
  },
  units: ['connection'],
  stage: (flow, attributes) => new Latency(flow, attributes),
})

class Latency implements Stage<LatencyAttributes> {
  readonly #flow: Flow
  readonly #line: DelayLine
  #attributes: LatencyAttributes

  constructor(flow: Flow, attributes: LatencyAttributes) {
    this.#flow = flow
    this.#line = new DelayLine(flow, longestWay)
    this.#attributes = attributes
  }

  onBytes(bytes: Buffer): void {
    this.#line.push(bytes, this.#delayMs())
  }

  onEnd(): void {
    this.#line.end()
  }

  onUpdate(attributes: LatencyAttributes): void {
    this.#attributes = attributes
    this.#line.reschedule(() => this.#delayMs())
  }

  onRemove(): void {
    this.#line.flush()
  }

  #delayMs(): number {
    return timeAround(this.#attributes.latency, this.#attributes, this.#flow.random)
  }
}
