import type { Direction } from '../direction.ts'
import type { Reply } from '../protocols/exchange.ts'
import type { RequestHead } from '../protocols/protocol.ts'
import { randomOf, type Random } from '../random.ts'
import type { Hit } from '../rules/decider.ts'
import type { Rule, UnitKind } from '../rules/rule.ts'
import type { ConversationHost } from './conversation-host.ts'
import type { MessageStage } from './message-flow.ts'
import type { Delay } from './message-queue.ts'

export type Ending = 'hang' | 'blackout' | 'reset' | 'abort'

/** What becomes of one request or chunk, of all rules that hit it. */
export interface Treated {
  requestDelays: Delay[]
  replyDelays: Delay[]
  requestStage: MessageStage | null
  replyStage: MessageStage | null
  reply: Reply | null
  ending: Ending | null
  /** Whose the reply or the ending is. */
  rule: string
}

/** Asks the rules of a proxy about the requests and chunks of one connection. */
export class Treatments {
  readonly #host: ConversationHost
  /** Of rules that are drawn once for a connection; what was drawn stays as long as the rule does. */
  readonly #drawn = new Map<string, Drawn>()
  #rules: readonly Rule[] = []
  #ofRequests: readonly Rule[] = []
  readonly #ofChunks: Record<Direction, readonly Rule[]> = { upstream: [], downstream: [] }
  #requests = 0
  readonly #chunks: Record<Direction, number> = { upstream: 0, downstream: 0 }

  constructor(host: ConversationHost) {
    this.#host = host
    this.refresh(() => false)
  }

  /** Takes the rules as they are now. @param isGone rules that were removed; one of the same name is another */
  refresh(isGone: (rule: string) => boolean): void {
    for (const name of this.#drawn.keys()) if (isGone(name)) this.#drawn.delete(name)
    const rules = this.#host.rules()
    if (rules === this.#rules) return
    this.#rules = rules
    const treating = rules.filter((rule) => rule.definition.treat !== undefined)
    this.#ofRequests = treating.filter(({ unit }) => unit !== 'chunk')
    for (const direction of ['upstream', 'downstream'] as const)
      this.#ofChunks[direction] = treating.filter(
        (rule) => rule.unit === 'chunk' && rule.stream === direction,
      )
  }

  /** Whether a rule that is drawn once for the connection has hit it. */
  hasHit(rule: string): boolean {
    return (this.#drawn.get(rule)?.hit ?? null) !== null
  }

  treatsChunks(direction: Direction): boolean {
    return this.#ofChunks[direction].length > 0
  }

  /** What becomes of the next request; null: nothing. */
  ofRequest(request: RequestHead): Treated | null {
    const ordinal = ++this.#requests
    if (this.#ofRequests.length === 0) return null
    return this.#merged(this.#ofRequests, {
      unit: 'request',
      direction: 'upstream',
      ordinal,
      request,
      bytes: null,
    })
  }

  /**
   * What becomes of a connection of which nothing is known, which is one request: only of the rules that were not asked yet, or
   * have changed.
   */
  ofConnection(request: RequestHead): Treated | null {
    const fresh = this.#ofRequests.filter((rule) => this.#drawn.get(rule.name)?.rule !== rule)
    if (fresh.length === 0) return null
    return this.#merged(fresh, {
      unit: 'connection',
      direction: 'upstream',
      ordinal: 1,
      request,
      bytes: null,
    })
  }

  /** What becomes of the next chunk of a direction; null: nothing. */
  ofChunk(direction: Direction, bytes: Buffer): Treated | null {
    const rules = this.#ofChunks[direction]
    const ordinal = ++this.#chunks[direction]
    if (rules.length === 0) return null
    return this.#merged(rules, { unit: 'chunk', direction, ordinal, request: chunk, bytes })
  }

  #merged(rules: readonly Rule[], asked: Asked): Treated | null {
    let merged: Treated | null = null
    for (const rule of rules) {
      if (asked.unit === 'request' && rule.definition.suits?.(asked.request, rule) === false) continue
      const hit = this.#hit(rule, asked)
      if (hit === null) continue
      merged ??= nothing()
      this.#merge(merged, rule, hit, asked)
    }
    return merged
  }

  #hit(rule: Rule, asked: Asked): Drawn | null {
    const { connection, client, decider } = this.#host
    const isOnce = asked.unit === 'connection' || rule.unit === 'connection'
    const { direction, request } = asked
    const ordinal = isOnce ? 1 : asked.ordinal
    const known = isOnce ? this.#drawn.get(rule.name) : undefined
    if (known?.rule === rule) return known.hit === null ? null : known
    // What counts units was asked already; all else draws the same again, and compares it with the share of now.
    const isCounted = rule.skip > 0 || rule.every > 1 || rule.count !== null
    const isAsked = request === chunk ? null : request
    const hit =
      known !== undefined && isCounted
        ? known.hit
        : decider.decide(rule, { connection, direction, ordinal, client, request: isAsked })
    const random =
      hit === null
        ? null
        : (known?.random ??
          randomOf(
            decider.seed,
            this.#host.proxyName,
            connection,
            direction,
            rule.name,
            rule.unit,
            ordinal,
            'how',
          ))
    const drawn: Drawn = { rule, hit, random, isTold: known?.isTold ?? false, ordinal }
    if (isOnce) this.#drawn.set(rule.name, drawn)
    return hit === null ? null : drawn
  }

  #merge(merged: Treated, rule: Rule, drawn: Drawn, { direction, request, bytes }: Asked): void {
    const { protocol } = this.#host
    const random = drawn.random!
    const treatment = rule.definition.treat!(
      { protocol, unit: rule.unit, direction, request, bytes, random },
      rule.attributes,
    )
    const { name } = rule
    let hasEffect = false
    for (const [ms, delays] of [
      [treatment.delayRequestMs ?? 0, merged.requestDelays],
      [treatment.delayReplyMs ?? 0, merged.replyDelays],
    ] as const) {
      if (ms <= 0) continue
      delays.push({ rule: name, ms })
      hasEffect = true
    }
    if (treatment.requestStage !== undefined && merged.requestStage === null) {
      merged.requestStage = { rule: name, random, make: treatment.requestStage }
      hasEffect = true
    }
    // One outcome for a request: the first that a rule wants.
    if (!merged.rule && (treatment.reply ?? treatment.replyStage ?? treatment.ending) !== undefined) {
      merged.rule = name
      merged.reply = treatment.reply ?? null
      merged.ending = treatment.ending ?? null
      if (treatment.replyStage !== undefined)
        merged.replyStage = { rule: name, random, make: treatment.replyStage }
      hasEffect = true
    }
    if (hasEffect) this.#tell(rule, drawn, direction, request, treatment.detail)
  }

  #tell(
    rule: Rule,
    drawn: Drawn,
    direction: Direction,
    request: RequestHead,
    detail: Readonly<Record<string, string | number>> | undefined,
  ): void {
    if (drawn.isTold) return
    drawn.isTold = true
    const { proxyName, connection } = this.#host
    this.#host.tell({
      type: 'fault',
      at: Date.now(),
      proxy: proxyName,
      connection,
      rule: rule.name,
      fault: rule.definition.type,
      direction,
      unit: rule.unit,
      ordinal: drawn.ordinal,
      draw: drawn.hit!.draw,
      ...(request.label === '' ? {} : { request: request.label }),
      ...(detail === undefined ? {} : { detail }),
    })
  }
}

interface Asked {
  unit: UnitKind
  direction: Direction
  ordinal: number
  request: RequestHead
  bytes: Buffer | null
}

interface Drawn {
  rule: Rule
  hit: Hit | null
  random: Random | null
  isTold: boolean
  ordinal: number
}

/** A request of which nothing is known. */
export function unknownRequest(label: string): RequestHead {
  return { label, replies: 1, detail: {}, verb: null, path: null, text: null, header: () => undefined }
}

const chunk = unknownRequest('')

function nothing(): Treated {
  return {
    requestDelays: [],
    replyDelays: [],
    requestStage: null,
    replyStage: null,
    reply: null,
    ending: null,
    rule: '',
  }
}
