import { ChunkLane } from './chunk-lane.ts'
import type { ConversationHost } from './conversation-host.ts'
import { Gather } from './gather.ts'
import type { QueueHost } from './message-flow.ts'
import type { Ending, Treatments } from './treatments.ts'

interface Owner {
  /** What a rule for chunks wants of the whole connection. */
  ending(how: Exclude<Ending, 'abort'>, rule: string): void
  /** All has passed to the client, and the end may. */
  clientEnds(): void
}

/** The ways out of a conversation: what leaves at once is joined, then rules for chunks have their turn. */
export class Exits {
  readonly #upLane: ChunkLane
  readonly #downLane: ChunkLane
  readonly #up: Gather
  readonly #down: Gather
  /** What is passed to the client is an answer of ours. */
  #answers = false

  constructor(host: ConversationHost, queueHost: QueueHost, treatments: Treatments, owner: Owner) {
    const ending = (how: Exclude<Ending, 'abort'>, rule: string): void => owner.ending(how, rule)
    this.#upLane = new ChunkLane('upstream', queueHost, treatments, {
      pass: (bytes) => host.toBackend(bytes),
      end: () => host.endBackend(),
      ending,
    })
    this.#downLane = new ChunkLane('downstream', queueHost, treatments, {
      pass: (bytes) => (this.#answers ? host.answer(bytes) : host.toClient(bytes)),
      end: () => owner.clientEnds(),
      ending,
    })
    this.#up = new Gather((bytes) => this.#upLane.pass(bytes))
    this.#down = new Gather((bytes) => this.#downLane.pass(bytes))
  }

  /** @param isStaged stages may use their bytes again as soon as they were passed on */
  toBackend(bytes: Buffer, isStaged: boolean): void {
    this.#up.add(bytes)
    if (isStaged) this.#up.flush()
  }

  toClient(bytes: Buffer, isStaged: boolean): void {
    this.#down.add(bytes)
    if (isStaged) this.#down.flush()
  }

  answer(bytes: Buffer): void {
    this.#down.flush()
    this.#answers = true
    this.#downLane.pass(bytes)
    this.#answers = false
  }

  endBackend(): void {
    this.#up.flush()
    this.#upLane.end()
  }

  endClient(): void {
    this.#down.flush()
    this.#downLane.end()
  }

  flush(): void {
    this.#up.flush()
    this.#down.flush()
  }

  forgetDelays(isGone: (rule: string) => boolean): void {
    this.#upLane.forgetDelays(isGone)
    this.#downLane.forgetDelays(isGone)
  }

  closeBackend(): void {
    this.#upLane.close()
    this.#up.drop()
  }

  close(): void {
    this.closeBackend()
    this.#downLane.close()
    this.#down.drop()
  }
}
