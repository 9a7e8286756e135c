import { Delta, DeltaDecoder, hitKinds, type Catalogue } from '@loads-runner/metrics'
import type { WindowMessage } from '@loads-runner/protocol'
import type { MissingSpan } from './coverage.ts'
import { messageOf } from './errors.ts'

/** Windows kept of one agent while one before them is missing. */
const maxHeld = 128

/** A window in its place in the order of its agent, ready to be committed. */
export interface TakenWindow {
  agent: string
  window: WindowMessage
  /** Decoded, with the series outside the catalogue already folded into overflow; empty when it cannot be read. */
  delta: Delta
  /** In its delta. */
  hits: number
  /** False when its delta is damaged: its books still count, its figures are missing. */
  readable: boolean
}

/** A window that came before its turn; its delta is null when it cannot be read. */
interface Held {
  window: WindowMessage
  delta: Delta | null
}

/**
 * The windows of one agent in one run, numbered without gaps. One that came already is a duplicate; one that comes too
 * early is held until those before it have come, or have been given up: then the gap is written down and the rest goes
 * on.
 *
 * Each link of the agent is one stream of definitions, in the order of arrival. So every window is decoded as it comes,
 * duplicates too: what defines a series may have come in one.
 */
export class WindowStream {
  readonly agent: string
  /** Windows taken that could be read. */
  received = 0
  /** Milliseconds of the run up to which windows were taken. */
  lastToMs = 0
  /** The final window was taken. */
  ended = false
  readonly missing: MissingSpan[] = []
  readonly #catalogue: Catalogue
  readonly #onBad: (reason: string) => void
  #decoder = new DeltaDecoder()
  readonly #held = new Map<number, Held>()
  #next = 0
  #gapSinceMs: number | null = null

  constructor(agent: string, catalogue: Catalogue, onBad: (reason: string) => void) {
    this.agent = agent
    this.#catalogue = catalogue
    this.#onBad = onBad
  }

  /** The agent speaks over a new link, and defines its series again. */
  relink(): void {
    this.#decoder = new DeltaDecoder()
  }

  /**
   * @returns the windows that are now in order, this one perhaps among them; 'duplicate' when this one was taken or
   * given up before
   */
  offer(window: WindowMessage, nowMs: number): TakenWindow[] | 'duplicate' {
    if (this.ended) return 'duplicate'
    let complaint = ''
    const delta = this.#decode(window, (reason) => (complaint = reason))
    const held = this.#held.get(window.number)
    // Only a window that could not be read is better the second time.
    if (window.number < this.#next || (held !== undefined && (held.delta !== null || delta === null))) {
      return 'duplicate'
    }
    if (delta === null) this.#onBad(complaint)
    this.#held.set(window.number, { window, delta })
    const taken = this.#drain()
    if (this.#held.size > maxHeld) taken.push(...this.giveUpGap())
    this.#gapSinceMs = this.#held.size === 0 ? null : (this.#gapSinceMs ?? nowMs)
    return taken
  }

  /** How long a window has been missing while later ones wait; 0 when none is. */
  gapAgeMs(nowMs: number): number {
    return this.#gapSinceMs === null ? 0 : nowMs - this.#gapSinceMs
  }

  /** The missing windows will not come any more: goes on with what is held. */
  giveUpGap(): TakenWindow[] {
    const taken: TakenWindow[] = []
    while (this.#held.size > 0) {
      const first = Math.min(...this.#held.keys())
      if (first > this.#next) this.#miss(first - this.#next, this.#held.get(first)!.window.fromMs)
      this.#next = first
      taken.push(...this.#drain())
    }
    this.#gapSinceMs = null
    return taken
  }

  #drain(): TakenWindow[] {
    const taken: TakenWindow[] = []
    for (;;) {
      const next = this.#held.get(this.#next)
      if (next === undefined) return taken
      this.#held.delete(this.#next)
      this.#next++
      const { window, delta } = next
      this.ended = window.final
      if (delta === null) {
        this.#miss(1, window.toMs)
      } else {
        this.received++
        this.lastToMs = Math.max(this.lastToMs, window.toMs)
      }
      const admitted = delta === null ? new Delta() : this.#catalogue.admit(delta)
      taken.push({
        agent: this.agent,
        window,
        delta: admitted,
        hits: hitsIn(admitted),
        readable: delta !== null,
      })
    }
  }

  #decode(window: WindowMessage, complain: (reason: string) => void): Delta | null {
    try {
      return this.#decoder.decode(window.delta)
    } catch (error) {
      complain(`window ${window.number} of ${this.agent} cannot be read: ${messageOf(error)}`)
      return null
    }
  }

  /** Writes down `windows` missing ones up to `toMs`, joined to the span before where they touch. */
  #miss(windows: number, toMs: number): void {
    const fromMs = this.lastToMs
    const end = Math.max(fromMs, toMs)
    const before = this.missing.at(-1)
    if (before !== undefined && before.toMs === fromMs) {
      before.toMs = end
      before.windows += windows
    } else {
      this.missing.push({ fromMs, toMs: end, windows })
    }
    this.lastToMs = end
  }
}

function hitsIn(delta: Delta): number {
  let hits = 0
  for (const { key, count } of delta.series.values()) if (hitKinds.has(key.kind)) hits += count
  return hits
}
