import type { TurnMessage } from './turn.ts'
import { unknownRequest, type Ending, type Treated, type Treatments } from './treatments.ts'

interface Owner {
  /** What a rule wants at once. */
  ending(how: Exclude<Ending, 'abort'>, rule: string): void
  /** Orderly, after all that was passed on. */
  finish(rule: string): void
}

/** A connection of which nothing is understood: its bytes are one request and one reply. */
export class WholeConnection {
  readonly #treatments: Treatments
  readonly #request: TurnMessage
  readonly #reply: TurnMessage
  readonly #owner: Owner
  /** Whose stages are at work. */
  readonly #stages: { request: string | null; reply: string | null } = { request: null, reply: null }
  /** What happens at the first bytes of the client. */
  #atBytes: Treated | null = null

  constructor(treatments: Treatments, request: TurnMessage, reply: TurnMessage, owner: Owner) {
    this.#treatments = treatments
    this.#request = request
    this.#reply = reply
    this.#owner = owner
  }

  /** Does what rules that were not asked yet, or have changed, want of it; undoes what others wanted and want no more. */
  treat(): void {
    this.#forget()
    const treated = this.#treatments.ofConnection(wholeConnection)
    if (treated === null) return
    const { ending, reply, rule, requestDelays, replyDelays, requestStage, replyStage } = treated
    if (ending !== null && ending !== 'abort') {
      this.#owner.ending(ending, rule)
      return
    }
    if (ending !== null || reply !== null) this.#atBytes = treated
    if (requestDelays.length > 0) this.#request.delay(requestDelays)
    if (replyDelays.length > 0) this.#reply.delay(replyDelays)
    if (requestStage !== null) {
      this.#stages.request = requestStage.rule
      this.#request.restage(requestStage)
    }
    if (replyStage !== null) {
      this.#stages.reply = replyStage.rule
      this.#reply.restage(replyStage)
    }
  }

  /** Bytes of the client; lent. */
  write(bytes: Buffer): void {
    const treated = this.#atBytes
    if (treated?.reply?.backend !== 'spared') this.#request.write(bytes)
    if (treated === null) return
    // Where a request ends is not known: its first bytes must do.
    if (treated.reply !== null) this.#reply.give(treated.reply.bytes)
    this.#owner.finish(treated.rule)
  }

  #forget(): void {
    const { request, reply } = this.#stages
    if (request !== null && !this.#treatments.hasHit(request)) {
      this.#stages.request = null
      this.#request.restage(null)
    }
    if (reply !== null && !this.#treatments.hasHit(reply)) {
      this.#stages.reply = null
      this.#reply.restage(null)
    }
    if (this.#atBytes !== null && !this.#treatments.hasHit(this.#atBytes.rule)) this.#atBytes = null
  }
}

const wholeConnection = unknownRequest('connection')
