import type { Direction } from '../direction.ts'
import type { Flow, Stage, Timer } from '../faults/stage.ts'
import type { Random } from '../random.ts'
import type { Rule } from '../rules/rule.ts'
import type { Link } from './link.ts'
import { Timers } from './timers.ts'

/** Takes bytes and their end: a stage, or what follows the last. */
export interface Taker {
  write(bytes: Buffer): void
  /** Nothing follows. */
  ended(): void
}

/** Events of a unit of a fault that tells of each time; what one connection makes must have an end. */
const mostTold = 100

/** What a stage holds before reading stops, unless it allows itself more. Bytes. */
const usuallyAllowed = 256 * 1024

/** The place of a stage in a link, and what that may do there. */
export class StageSlot implements Flow, Taker {
  readonly direction: Direction
  readonly random: Random
  readonly draw: number
  rule: Rule
  next: Taker
  allowed = usuallyAllowed
  readonly #link: Link
  readonly #stage: Stage
  #timers: Timers | null = null
  #told = 0
  #hasEnded = false
  #isOver = false

  constructor(link: Link, rule: Rule, draw: number, random: Random, next: Taker) {
    this.#link = link
    this.direction = link.direction
    this.random = random
    this.rule = rule
    this.draw = draw
    this.next = next
    this.#stage = this.#made()
  }

  write(bytes: Buffer): void {
    if (this.#told === 0) this.#reached()
    if (this.#isOver || this.#link.isClosed) return
    try {
      this.#stage.onBytes(bytes)
    } catch (error) {
      this.#broke(error)
    }
  }

  now(): number {
    return performance.now()
  }

  pass(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#isOver && !this.#link.isClosed) this.next.write(bytes)
  }

  end(): void {
    if (this.#isOver || this.#link.isClosed) return
    this.#isOver = true
    this.next.ended()
  }

  swallowEnd(): void {
    if (this.#isOver || this.#link.isClosed) return
    this.#isOver = true
    this.#link.endStopped()
  }

  hold(bytes: Buffer): Buffer {
    return this.#link.hold(bytes)
  }

  release(length: number): void {
    this.#link.release(length)
  }

  allow(bytes: number): void {
    this.allowed = bytes
    this.#link.allowanceChanged()
  }

  after(ms: number, callback: () => void): Timer {
    if (this.#link.isClosed) return { cancel: () => {} }
    this.#timers ??= new Timers()
    return this.#timers.after(ms, () => {
      try {
        callback()
      } catch (error) {
        this.#broke(error)
      }
    })
  }

  close(how: 'fin' | 'rst'): void {
    this.#link.faultCloses(how, this.rule.name)
  }

  applied(detail?: Readonly<Record<string, string | number>>): void {
    if (this.#told >= (this.rule.definition.tells === 'each' ? mostTold : 1)) return
    this.#told++
    this.#link.tellFault(this.rule, this.draw, detail)
  }

  ended(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (this.#told === 0) this.#reached()
    if (this.#isOver || this.#link.isClosed) return
    try {
      this.#stage.onEnd()
    } catch (error) {
      this.#broke(error)
    }
  }

  update(rule: Rule): void {
    this.rule = rule
    try {
      this.#stage.onUpdate?.(rule.attributes)
    } catch (error) {
      this.#broke(error)
    }
  }

  /** The stage may pass on what it holds; after it, it is out. */
  remove(): void {
    this.#timers?.close()
    try {
      this.#stage.onRemove?.()
    } catch (error) {
      this.#broke(error)
    }
    // A stream must not lose its end with the stage that held it.
    if (this.#hasEnded) this.end()
    this.#isOver = true
    this.#timers?.close()
  }

  /** With the connection. */
  closed(): void {
    this.#timers?.close()
    try {
      this.#stage.onClose?.()
    } catch (error) {
      this.#broke(error)
    }
  }

  #made(): Stage {
    try {
      return this.rule.definition.stage!(this, this.rule.attributes)
    } catch (error) {
      this.#broke(error)
      return { onBytes: () => {}, onEnd: () => {} }
    }
  }

  #reached(): void {
    if (!this.rule.definition.tells) this.applied()
  }

  /** A stage with a mistake costs its connection, not the proxy. */
  #broke(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#link.faultCloses('rst', `${this.rule.name}: ${message}`)
  }
}
