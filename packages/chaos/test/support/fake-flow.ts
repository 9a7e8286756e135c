import assert from 'node:assert/strict'
import type { Direction } from '../../src/direction.ts'
import type { Flow, Stage, Timer } from '../../src/faults/stage.ts'
import { findProtocol } from '../../src/protocols/registry.ts'
import { randomOf, type Random } from '../../src/random.ts'
import { parseRule } from '../../src/rules/parse-rule.ts'
import type { Rule } from '../../src/rules/rule.ts'

export interface FakeFlowOptions {
  direction?: Direction
  random?: Random
  /** Milliseconds that each timer is late. */
  late?: number
  clock?: FakeClock
}

interface Pending {
  at: number
  callback: () => void
}

/** Time that moves when it is told to. */
export class FakeClock {
  now = 1000
  readonly #pending = new Set<Pending>()

  after(ms: number, callback: () => void): Timer {
    assert.ok(ms >= 0 && Number.isFinite(ms), `a timer of ${ms} ms`)
    const pending = { at: this.now + ms, callback }
    this.#pending.add(pending)
    return { cancel: () => this.#pending.delete(pending) }
  }

  get timers(): number {
    return this.#pending.size
  }

  /** Lets time pass, and what is due happen. */
  advance(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const [next] = [...this.#pending].sort((a, b) => a.at - b.at)
      if (next === undefined || next.at > until) break
      this.#pending.delete(next)
      this.now = Math.max(this.now, next.at)
      next.callback()
    }
    this.now = until
  }
}

/** Writes down what a stage does, and fails when it breaks what it has promised. */
export class FakeFlow implements Flow {
  readonly direction: Direction
  readonly random: Random
  readonly clock: FakeClock
  /** What was passed on, and when, in milliseconds since the start. */
  readonly passed: { at: number; bytes: Buffer }[] = []
  endedAt: number | null = null
  closed: { at: number; how: 'fin' | 'rst' } | null = null
  swallowed = 0
  held = 0
  allowed = 256 * 1024
  told: Readonly<Record<string, string | number>> | true | null = null
  /** No timer fires any more. */
  isOver = false
  readonly #startedAt: number
  readonly #late: number

  constructor({
    direction = 'downstream',
    random = randomOf('fake'),
    late = 0,
    clock,
  }: FakeFlowOptions = {}) {
    this.direction = direction
    this.random = random
    this.clock = clock ?? new FakeClock()
    this.#late = late
    this.#startedAt = this.clock.now
  }

  get at(): number {
    return Math.round((this.clock.now - this.#startedAt) * 1e6) / 1e6
  }

  get bytes(): Buffer {
    return Buffer.concat(this.passed.map(({ bytes }) => bytes))
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  now(): number {
    return this.clock.now
  }

  pass(bytes: Buffer): void {
    if (this.closed !== null) return
    assert.equal(this.endedAt, null, 'bytes after the end')
    assert.ok(bytes.length > 0, 'no bytes')
    this.passed.push({ at: this.at, bytes: Buffer.from(bytes) })
  }

  end(): void {
    if (this.closed !== null) return
    assert.equal(this.endedAt, null, 'a second end')
    this.endedAt = this.at
  }

  swallowEnd(): void {
    this.swallowed++
  }

  hold(bytes: Buffer): Buffer {
    this.held += bytes.length
    return Buffer.from(bytes)
  }

  release(length: number): void {
    this.held -= length
    assert.ok(this.held >= 0, 'more released than held')
  }

  allow(bytes: number): void {
    assert.ok(bytes > 0 && Number.isSafeInteger(bytes), `${bytes} bytes allowed`)
    this.allowed = bytes
  }

  after(ms: number, callback: () => void): Timer {
    return this.clock.after(ms + this.#late, () => {
      if (!this.isOver && this.closed === null) callback()
    })
  }

  close(how: 'fin' | 'rst'): void {
    this.closed ??= { at: this.at, how }
  }

  applied(detail?: Readonly<Record<string, string | number>>): void {
    this.told ??= detail ?? true
  }
}

/** A stage of a fault, at work on a fake flow. */
export class StageAtWork {
  readonly flow: FakeFlow
  readonly #stage: Stage

  constructor({ definition, attributes }: Rule, options: FakeFlowOptions = {}) {
    this.flow = new FakeFlow(options)
    this.#stage = definition.stage!(this.flow, attributes)
  }

  /** Lends bytes, and takes them back. */
  send(bytes: Uint8Array | string): void {
    const lent = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes)
    this.#stage.onBytes(lent)
    assert.ok(lent.equals(typeof bytes === 'string' ? Buffer.from(bytes) : bytes), 'lent bytes were changed')
    lent.fill(0xee)
  }

  end(): void {
    this.#stage.onEnd()
  }

  update({ attributes }: Rule): void {
    this.#stage.onUpdate?.(attributes)
  }

  remove(): void {
    this.#stage.onRemove?.()
    this.flow.isOver = true
  }

  /** The connection has closed otherwise. */
  close(): void {
    this.flow.close('fin')
    this.#stage.onClose?.()
  }

  advance(ms: number): void {
    this.flow.clock.advance(ms)
  }
}

export function ruleOf(type: string, attributes: Readonly<Record<string, unknown>> = {}): Rule {
  return parseRule({ type, attributes }, findProtocol('tcp'))
}

export function atWork(
  type: string,
  attributes: Readonly<Record<string, unknown>> = {},
  options: FakeFlowOptions = {},
): StageAtWork {
  return new StageAtWork(ruleOf(type, attributes), options)
}
