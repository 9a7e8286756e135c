import type { Direction } from '../direction.ts'
import type { QueueHost } from './message-flow.ts'
import { MessageQueue } from './message-queue.ts'
import type { Ending, Treated, Treatments } from './treatments.ts'

interface LaneOutput {
  pass(bytes: Buffer): void
  end(): void
  /** What a rule wants of the whole connection. */
  ending(how: Exclude<Ending, 'abort'>, rule: string): void
}

/** Where rules of unit chunk work: on each piece of bytes of one direction, as it leaves the conversation. */
export class ChunkLane {
  readonly #direction: Direction
  readonly #treatments: Treatments
  readonly #output: LaneOutput
  readonly #queue: MessageQueue<Treated | null>

  constructor(direction: Direction, host: QueueHost, treatments: Treatments, output: LaneOutput) {
    this.#direction = direction
    this.#treatments = treatments
    this.#output = output
    this.#queue = new MessageQueue<Treated | null>(direction, host, {
      pass: (bytes) => output.pass(bytes),
      end: () => output.end(),
      close: (how, rule) => output.ending(how === 'fin' ? 'blackout' : 'reset', rule),
      done: ({ owner }) => {
        if (owner === null) return
        if (owner.ending === 'abort' || owner.reply?.closes === true) output.ending('blackout', owner.rule)
        else if (owner.ending !== null) output.ending(owner.ending, owner.rule)
      },
    })
  }

  /** Bytes are lent until it returns. */
  pass(bytes: Buffer): void {
    if (this.#queue.isEmpty && !this.#treatments.treatsChunks(this.#direction)) {
      if (!this.#queue.isClosed) this.#output.pass(bytes)
      return
    }
    const treated = this.#treatments.ofChunk(this.#direction, bytes)
    const message = this.#queue.open(treated)
    if (treated === null) {
      message.write(bytes)
    } else {
      const delays = [...treated.requestDelays, ...treated.replyDelays]
      if (delays.length > 0) message.delay(delays)
      message.stage = treated.replyStage ?? treated.requestStage
      if (treated.reply !== null) message.give(treated.reply.bytes)
      else if (treated.ending === null || treated.ending === 'abort') message.write(bytes)
    }
    message.end()
  }

  end(): void {
    this.#queue.end()
  }

  forgetDelays(isGone: (rule: string) => boolean): void {
    this.#queue.forgetDelays(isGone)
  }

  close(): void {
    this.#queue.close()
  }
}
