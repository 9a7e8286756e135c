import { oneOf, quiet, whole } from '../attributes.ts'
import { defineFault } from './definition.ts'
import { HeldBytes } from './held-bytes.ts'
import { Lane, type Vehicle } from './lane.ts'
import type { Flow, Stage } from './stage.ts'

interface BandwidthAttributes {
  rate: number
  scope: 'connection' | 'proxy'
}

const leastHeld = 256 * 1024
const mostHeld = 16 * 1024 * 1024
/** So long the lane must be busy with what is held, or a late timer leaves it idle. */
const heldMs = 20

/** Lanes that connections share, by the attributes of their rule: those are one object for all connections. */
const shared = new WeakMap<BandwidthAttributes, Lane>()

/**
 * A narrow line: `rate` kilobytes (of 1,000 bytes) a second, of each connection or of all together. A byte arrives when the
 * line has had time for it, never sooner, and large pieces arrive in small ones. With 0 nothing passes at all. Removal passes
 * on at once what is held.
 */
export const bandwidth = defineFault<BandwidthAttributes>({
  type: 'bandwidth',
  summary: 'a narrow line',
  attributes: {
    rate: whole({ initial: 0, help: 'kilobytes (1,000 bytes) a second; 0: nothing passes' }),
    scope: quiet(
      oneOf(['connection', 'proxy'], {
        initial: 'connection',
        help: 'whether each connection has its line, or all share one; also whose units skip, count and every count',
      }),
    ),
  },
  units: ['connection'],
  stage: (flow, attributes) => new Bandwidth(flow, attributes),
})

class Bandwidth implements Stage<BandwidthAttributes>, Vehicle {
  readonly flow: Flow
  readonly held: HeldBytes
  #scope: BandwidthAttributes['scope']
  #lane: Lane

  constructor(flow: Flow, attributes: BandwidthAttributes) {
    this.flow = flow
    this.held = new HeldBytes(flow, heldAt(attributes.rate))
    this.#scope = attributes.scope
    this.#lane = laneOf(attributes, null)
  }

  onBytes(bytes: Buffer): void {
    this.held.push(bytes)
    this.#lane.enter(this)
  }

  onEnd(): void {
    this.held.end()
  }

  onUpdate(attributes: BandwidthAttributes): void {
    this.held.allow(heldAt(attributes.rate))
    const before = this.#scope === attributes.scope ? this.#lane : null
    this.#scope = attributes.scope
    const lane = laneOf(attributes, before)
    if (lane === this.#lane) return
    this.#lane.leave(this)
    this.#lane = lane
    if (!this.held.isEmpty) lane.enter(this)
  }

  onRemove(): void {
    this.#lane.leave(this)
    this.held.pass()
  }

  onClose(): void {
    this.#lane.leave(this)
  }
}

/** The lane for these attributes: the one before, at its new rate, where that goes on. */
function laneOf(attributes: BandwidthAttributes, before: Lane | null): Lane {
  const known = shared.get(attributes)
  if (known !== undefined) return known
  const lane = before ?? new Lane(attributes.rate)
  lane.change(attributes.rate)
  if (attributes.scope === 'proxy') shared.set(attributes, lane)
  return lane
}

function heldAt(rate: number): number {
  return Math.min(Math.max(leastHeld, rate * heldMs), mostHeld)
}
