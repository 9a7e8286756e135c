import { milliseconds, share } from '../attributes.ts'
import { defineFault } from './definition.ts'
import { DelayLine } from './delay-line.ts'
import type { Flow, Stage } from './stage.ts'

interface LossAttributes {
  rate: number
  rto: number
}

/** What a segment of TCP carries on an Ethernet, in bytes. */
const segmentBytes = 1460
/** As often and as late as a sender tries again before it gives up; here the segment then gets through. */
const mostRetries = 15
const longestRto = 120_000

/**
 * Lost packets as the receiver of a TCP stream feels them: never as a gap, but as a wait until the sender has sent them again,
 * which all that follows shares. Each piece that is read is cut into segments, and each segment is lost with a chance of
 * `rate`, the first retry after `rto`, each further one after twice the time of the one before (RFC 6298).
 */
export const loss = defineFault<LossAttributes>({
  type: 'loss',
  summary: 'lost packets: bytes arrive when they have been sent again',
  attributes: {
    rate: share({ initial: 0, help: `share of segments of ${segmentBytes} bytes that are lost` }),
    rto: milliseconds({
      initial: 200,
      min: 1,
      max: longestRto,
      help: 'until the first retry, in milliseconds; it doubles with each',
    }),
  },
  units: ['connection'],
  tells: true,
  stage: (flow, attributes) => new Loss(flow, attributes),
})

class Loss implements Stage<LossAttributes> {
  readonly #flow: Flow
  readonly #line: DelayLine
  #attributes: LossAttributes

  constructor(flow: Flow, attributes: LossAttributes) {
    this.#flow = flow
    this.#line = new DelayLine(flow)
    this.#attributes = attributes
  }

  onBytes(bytes: Buffer): void {
    if (this.#attributes.rate === 0) {
      this.#line.push(bytes, 0)
      return
    }
    let from = 0
    for (let at = 0; at < bytes.length; at += segmentBytes) {
      const delay = this.#delayMs()
      if (delay === 0) continue
      // What stands before a lost segment need not wait for it.
      if (at > from) this.#line.push(bytes.subarray(from, at), 0)
      this.#line.push(bytes.subarray(at, at + segmentBytes), delay)
      from = at + segmentBytes
    }
    if (from < bytes.length) this.#line.push(from === 0 ? bytes : bytes.subarray(from), 0)
  }

  onEnd(): void {
    this.#line.end()
  }

  onUpdate(attributes: LossAttributes): void {
    this.#attributes = attributes
    this.#line.reschedule(() => this.#delayMs())
  }

  onRemove(): void {
    this.#line.flush()
  }

  #delayMs(): number {
    const { rate, rto } = this.#attributes
    let delay = 0
    let retries = 0
    for (; retries < mostRetries && this.#flow.random.next() < rate; retries++)
      delay += Math.min(rto * 2 ** retries, longestRto)
    if (retries > 0) this.#flow.applied({ retries, ms: delay })
    return delay
  }
}
