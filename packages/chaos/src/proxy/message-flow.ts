import type { Direction } from '../direction.ts'
import type { Flow, Stage, Timer } from '../faults/stage.ts'
import type { Random } from '../random.ts'

/** What messages need of their connection. */
export interface QueueHost {
  now(): number
  after(ms: number, callback: () => void): Timer
  hold(direction: Direction, bytes: Buffer): Buffer
  release(direction: Direction, length: number): void
  /** Memory that holds no bytes of the stream; given back with `release`. */
  charge(direction: Direction, length: number): void
}

/** A stage for the bytes of one message, and whose it is. */
export interface MessageStage {
  rule: string
  random: Random
  make: (flow: Flow) => Stage
}

interface FlowOutput {
  pass(bytes: Buffer): void
  end(): void
  close(how: 'fin' | 'rst'): void
}

/** Where the stage of one message works: what comes out of it is the message that is passed on. */
export class MessageFlow implements Flow {
  readonly direction: Direction
  readonly random: Random
  readonly #host: QueueHost
  readonly #output: FlowOutput
  readonly #timers = new Set<Timer>()
  #stage: Stage | null = null
  #held = 0
  #senderHasEnded = false
  #isOver = false

  constructor(direction: Direction, host: QueueHost, { random, make }: MessageStage, output: FlowOutput) {
    this.direction = direction
    this.random = random
    this.#host = host
    this.#output = output
    const stage = make(this)
    if (!this.#isOver) this.#stage = stage
  }

  write(bytes: Buffer): void {
    this.#stage?.onBytes(bytes)
  }

  senderEnded(): void {
    if (this.#senderHasEnded) return
    this.#senderHasEnded = true
    this.#stage?.onEnd()
  }

  /** The stage is taken away; it passes on what it holds. */
  remove(): void {
    this.#stage?.onRemove?.()
    this.drop()
  }

  /** Nothing passes any more. */
  drop(): void {
    this.#isOver = true
    this.#stage = null
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    if (this.#held > 0) this.#host.release(this.direction, this.#held)
    this.#held = 0
  }

  now(): number {
    return this.#host.now()
  }

  pass(bytes: Buffer): void {
    if (!this.#isOver) this.#output.pass(bytes)
  }

  end(): void {
    if (this.#isOver) return
    this.drop()
    this.#output.end()
  }

  /** A message that ends here is over, as any other: what follows is another one. */
  swallowEnd(): void {
    this.end()
  }

  hold(bytes: Buffer): Buffer {
    this.#held += bytes.length
    return this.#host.hold(this.direction, bytes)
  }

  release(length: number): void {
    // What a stage that is over still held was given back with it.
    const given = Math.min(length, this.#held)
    this.#held -= given
    if (given > 0) this.#host.release(this.direction, given)
  }

  allow(): void {
    // A message has the room that its connection has.
  }

  after(ms: number, callback: () => void): Timer {
    const timer = this.#host.after(ms, () => {
      this.#timers.delete(timer)
      if (!this.#isOver) callback()
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        this.#timers.delete(timer)
        timer.cancel()
      },
    }
  }

  close(how: 'fin' | 'rst'): void {
    if (this.#isOver) return
    this.drop()
    this.#output.close(how)
  }

  applied(): void {
    // The event was told when the message was hit.
  }
}
