import type { Timer } from '../faults/stage.ts'
import type { Dialogue, RequestHead, Talk } from '../protocols/protocol.ts'
import type { RuleChange } from '../rules/rule-set.ts'
import { whyOpaque } from '../tls/why-opaque.ts'
import type { ConversationHost } from './conversation-host.ts'
import { Exits } from './exits.ts'
import type { QueueHost } from './message-flow.ts'
import { MessageQueue } from './message-queue.ts'
import { Treatments, type Ending } from './treatments.ts'
import type { Turn, TurnMessage } from './turn.ts'
import { WholeConnection } from './whole-connection.ts'

/** Bytes that a request which waits for its reply is counted as. */
const turnBytes = 200
/** Requests that may wait for their replies and are not counted. */
const freeTurns = 16
const none: Buffer = Buffer.alloc(0)

/**
 * Joins what a protocol understands of a connection to what rules want of its requests. It stands at the backend's end of the
 * stages of both directions. Requests leave in their order, and so do replies, those that the backend never sent among them.
 */
export class Conversation implements Talk {
  readonly #host: ConversationHost
  readonly #treatments: Treatments
  readonly #requests: MessageQueue<Turn | null>
  readonly #replies: MessageQueue<Turn | null>
  readonly #exits: Exits
  #dialogue: Dialogue | null = null
  /** Requests that the backend has seen and not answered in full, the oldest first. */
  readonly #awaited: Turn[] = []
  /** The request that is being told. */
  #asking: Turn | null = null
  /** The reply that is being told; null: none, or its bytes are dropped. */
  #replying: TurnMessage | null = null
  /** Whose reply is being told; null: nobody's. */
  #replyTurn: Turn | null = null
  /** Both directions, once nothing is understood of them (any more). */
  #raw: { request: TurnMessage; reply: TurnMessage } | null = null
  /** The same where nothing ever was understood. */
  #whole: WholeConnection | null = null
  /** The rule that keeps the connection hanging. */
  #hangs: string | null = null
  /** Replies to what was asked before go on no more, either. */
  #hangsAll = false
  /** The rule that ends the connection when all has passed to the client. */
  #finishes: string | null = null
  /** Nothing more of the client is understood or passed on. */
  #swallows = false
  #backendHasEnded = false
  #isOver = false
  readonly #takeFromClient = (bytes: Buffer): void => {
    if (this.#whole !== null) this.#whole.write(bytes)
    else if (this.#raw !== null) this.#raw.request.write(bytes)
    else this.#dialogue!.fromClient(bytes)
  }
  readonly #takeFromBackend = (bytes: Buffer): void => {
    if (this.#raw !== null) this.#raw.reply.write(bytes)
    else this.#dialogue!.fromBackend(bytes)
  }

  constructor(host: ConversationHost) {
    this.#host = host
    this.#treatments = new Treatments(host)
    const queueHost: QueueHost = {
      now: () => host.now(),
      after: (ms, callback) => this.#after(ms, callback),
      hold: (direction, bytes) => host.hold(direction, bytes),
      release: (direction, length) => host.release(direction, length),
      charge: (direction, length) => host.charge(direction, length),
    }
    this.#exits = new Exits(host, queueHost, this.#treatments, {
      ending: (how, rule) => this.#end(how, rule),
      clientEnds: () => this.#clientEnds(),
    })
    const close = (how: 'fin' | 'rst', rule: string): void =>
      this.#end(how === 'fin' ? 'blackout' : 'reset', rule)
    this.#requests = new MessageQueue<Turn | null>('upstream', queueHost, {
      pass: (bytes, { stage }) => this.#exits.toBackend(bytes, stage !== null),
      end: () => this.#exits.endBackend(),
      started: ({ owner }) => this.#requestStarted(owner),
      done: ({ owner }) => this.#requestDone(owner),
      close,
    })
    this.#replies = new MessageQueue<Turn | null>('downstream', queueHost, {
      pass: (bytes, { owner, stage }) => {
        if (owner?.isOurs === true) this.#exits.answer(bytes)
        else this.#exits.toClient(bytes, stage !== null)
      },
      end: () => this.#exits.endClient(),
      started: ({ owner }) => this.#replyStarted(owner),
      done: ({ owner }) => this.#replyDone(owner),
      close,
    })
  }

  /** Once, when the host is ready to be called: a greeting may be answered, or the connection be closed, at once. */
  begin(): void {
    this.#safely(() => this.#begin())
  }

  #begin(): void {
    const { open } = this.#host.protocol
    if (open !== null) {
      this.#dialogue = open(this)
    } else {
      const request = this.#requests.open(null)
      const reply = this.#replies.open(null)
      this.#raw = { request, reply }
      this.#whole = new WholeConnection(this.#treatments, request, reply, {
        ending: (how, rule) => this.#end(how, rule),
        finish: (rule) => this.#finish(rule),
      })
      this.#whole.treat()
    }
  }

  /** Bytes are lent until it returns. */
  fromClient(bytes: Buffer): void {
    if (this.#isOver || this.#swallows) return
    this.#safely(this.#takeFromClient, bytes)
  }

  clientEnded(): void {
    if (this.#hangs !== null) this.#close('fin', this.#hangs)
    if (this.#isOver) return
    this.#safely(() => {
      if (!this.#swallows) this.#dialogue?.clientEnded?.()
      this.#asking?.request.end()
      this.#raw?.request.end()
      this.#requests.end()
    })
  }

  /** Bytes are lent until it returns. */
  fromBackend(bytes: Buffer): void {
    if (this.#isOver || this.#backendHasEnded || this.#hangsAll) return
    this.#safely(this.#takeFromBackend, bytes)
  }

  backendEnded(): void {
    if (this.#isOver || this.#backendHasEnded) return
    this.#safely(() => this.#endBackend())
  }

  #endBackend(): void {
    this.#dialogue?.backendEnded?.()
    this.#backendHasEnded = true
    if (this.#hangs !== null) return
    if (this.#replyTurn === null) this.#replying?.end()
    this.#raw?.reply.end()
    const [first] = this.#awaited
    if (first === undefined) this.#replies.end()
    else this.#endAt(first)
  }

  /** Rules were added, changed or removed: takes effect now on what is held, and on all that begins from now on. */
  rulesChanged(changes: readonly RuleChange[]): void {
    if (!this.#isOver) this.#safely(() => this.#takeRules(changes))
  }

  #takeRules(changes: readonly RuleChange[]): void {
    // By name: another rule may have taken its place in the same step.
    const gone = new Set(changes.filter(({ what }) => what === 'removed').map(({ rule }) => rule.name))
    const isGone = (rule: string): boolean => gone.has(rule)
    this.#treatments.refresh(isGone)
    if (this.#hangs !== null && isGone(this.#hangs)) {
      this.#close('fin', this.#hangs)
      return
    }
    this.#requests.forgetDelays(isGone)
    this.#replies.forgetDelays(isGone)
    this.#exits.forgetDelays(isGone)
    this.#whole?.treat()
  }

  /** The connection is over; nothing is called any more. */
  closed(): void {
    this.#stop()
  }

  requestBegins(head: RequestHead): void {
    if (this.#isOver || this.#swallows) return
    this.#host.requestBegan?.()
    const treated = this.#treatments.ofRequest(head)
    const ending = treated?.ending ?? null
    const reply = treated?.reply ?? null
    const isSpared = reply === null ? ending !== null && ending !== 'abort' : reply.backend === 'spared'
    const needsPlace = head.replies === 1 || ending !== null || reply !== null
    // A few are not worth the counting: it costs more than all else here.
    const isCharged = needsPlace && (reply !== null || this.#awaited.length >= freeTurns)
    const turn: Turn = {
      head,
      treated,
      request: this.#requests.open(null),
      answer: needsPlace ? this.#replies.open(null) : null,
      isSpared,
      dropsReply: reply !== null || ending === 'abort',
      isOurs: false,
      closes: false,
      isLast: false,
      swallowed: 0,
      charged: isCharged ? turnBytes + (reply?.bytes.length ?? 0) : 0,
    }
    turn.request.owner = turn
    if (turn.answer !== null) turn.answer.owner = turn
    if (turn.charged > 0) this.#host.charge('upstream', turn.charged)
    this.#asking = turn
    if (treated !== null) {
      const { requestDelays, replyDelays } = treated
      // Who speaks first does not wait for a request: what it says is what waits.
      const [before, after] =
        head.speaksFirst === true ? [[], [...requestDelays, ...replyDelays]] : [requestDelays, replyDelays]
      if (before.length > 0) turn.request.delay(before)
      if (after.length > 0) turn.answer?.delay(after)
      turn.request.stage = isSpared ? null : treated.requestStage
      if (turn.answer !== null) turn.answer.stage = treated.replyStage
    }
    turn.request.begin()
    if (ending === 'hang') {
      this.#hangs = treated!.rule
      this.#swallows = true
    } else if (ending === 'blackout' || ending === 'reset') {
      this.#swallows = true
      turn.request.end()
    } else if (reply?.early?.after === 0) {
      this.#answerEarly(turn)
    }
  }

  requestBytes(bytes: Buffer): void {
    const turn = this.#asking
    if (turn === null || this.#isOver || this.#hangs !== null) return
    if (!turn.isSpared) {
      turn.request.write(bytes)
      return
    }
    turn.swallowed += bytes.length
    const early = turn.treated?.reply?.early
    if (early !== undefined && turn.swallowed > early.after && !this.#swallows) this.#answerEarly(turn)
  }

  requestEnds(): void {
    const turn = this.#asking
    if (turn === null || this.#isOver) return
    this.#asking = null
    if (this.#hangs !== null) return
    if (turn.treated?.ending === 'abort') this.#swallows = true
    turn.request.end()
  }

  replyBegins(to: RequestHead | null): void {
    if (this.#isOver) return
    const turn =
      this.#awaited[0]?.head === to ? this.#awaited[0] : this.#awaited.find(({ head }) => head === to)
    if (turn !== undefined) this.#replying = turn.dropsReply ? null : turn.answer
    // Nobody asked for it: it goes between the replies that were begun and those that were not.
    else this.#replying = this.#hangs === null ? this.#replies.openEarly(null) : null
    this.#replyTurn = turn ?? null
  }

  replyBytes(bytes: Buffer): void {
    if (!this.#isOver) this.#replying?.write(bytes)
  }

  replyEnds(): void {
    if (this.#isOver) return
    const message = this.#replying
    const turn = this.#replyTurn
    this.#replying = null
    this.#replyTurn = null
    if (turn !== null) {
      const place = this.#awaited.indexOf(turn)
      if (place === 0) this.#awaited.shift()
      else if (place > 0) this.#awaited.splice(place, 1)
    }
    if (turn?.treated?.reply) this.#answer(turn)
    else message?.end()
  }

  opaque(reason: string, client: Buffer | null, backend: Buffer | null): void {
    if (this.#isOver || this.#raw !== null) return
    const { proxyName, connection } = this.#host
    const told = whyOpaque(reason, client)
    this.#host.tell({ type: 'opaque', at: Date.now(), proxy: proxyName, connection, reason: told })
    // An answer of ours behind a reply that can no longer be told from others has no place any more.
    const first = this.#awaited[0]?.answer
    const isAnyLost = this.#awaited.some(({ dropsReply }) => dropsReply)
    if (isAnyLost || (first && [...this.#replies.messages()].some(({ owner }) => isDecided(owner)))) {
      this.#finish('a protocol error behind a fault')
      return
    }
    this.#asking?.request.end()
    this.#replying?.end()
    for (const turn of this.#awaited.splice(0)) turn.answer?.end()
    this.#asking = null
    this.#replying = null
    this.#dialogue = null
    this.#raw = { request: this.#requests.open(null), reply: this.#replies.open(null) }
    if (client !== null && !this.#swallows) this.#raw.request.write(client)
    if (backend !== null) this.#raw.reply.write(backend)
  }

  answering(): RequestHead | null {
    return this.#awaited[0]?.head ?? null
  }

  #requestStarted(turn: Turn | null): void {
    if (turn === null || turn.isSpared || turn.head.replies === 0) return
    if (this.#raw !== null) {
      // Its reply cannot be told from what else the backend sends.
      if (turn.dropsReply) this.#finish(turn.treated!.rule)
      else turn.answer?.end()
      return
    }
    this.#awaited.push(turn)
    if (this.#backendHasEnded) this.#endAt(turn)
  }

  #requestDone(turn: Turn | null): void {
    if (turn === null) return
    const { treated } = turn
    if (treated?.reply && turn.isSpared) this.#answer(turn)
    else if (treated?.ending && treated.ending !== 'hang') turn.answer!.begin()
    else if (treated?.reply && turn.head.replies === 0) this.#answer(turn)
  }

  #replyStarted(turn: Turn | null): void {
    if (turn === null) return
    const ending = turn.treated?.ending ?? null
    if (ending !== null && ending !== 'hang')
      this.#end(ending === 'abort' ? 'blackout' : ending, turn.treated!.rule)
  }

  #replyDone(turn: Turn | null): void {
    if (turn === null) return
    if (turn.charged > 0) this.#host.release('upstream', turn.charged)
    turn.charged = 0
    if (turn.isLast && !turn.isOurs) this.#endClient()
    else if (turn.closes) this.#finish(turn.treated!.rule)
  }

  /** The answer of a rule, in its place. */
  #answer(turn: Turn): void {
    const reply = turn.treated!.reply!
    this.#say(turn, turn.head.replies === 0 ? null : reply.bytes, reply.closes)
  }

  /** The request is longer than we would read for an answer of ours. */
  #answerEarly(turn: Turn): void {
    this.#swallows = true
    this.#asking = null
    turn.treated!.reply = { ...turn.treated!.reply!, bytes: turn.treated!.reply!.early!.bytes, closes: true }
    turn.request.end()
  }

  #say(turn: Turn, bytes: Buffer | null, closes: boolean): void {
    if (turn.answer === null) return
    turn.isOurs = true
    turn.closes = closes
    if (closes) this.#swallows = true
    if (bytes !== null) turn.answer.give(bytes)
    turn.answer.end()
    if (!closes) this.#dialogue?.answered?.(turn.head)
  }

  /** The backend has gone before it answered: up to here the client gets what there is. */
  #endAt(turn: Turn): void {
    turn.isLast = true
    turn.answer?.begin()
    turn.answer?.end()
  }

  #endClient(): void {
    this.#replies.close()
    this.#exits.endClient()
  }

  #end(how: Exclude<Ending, 'abort'>, rule: string): void {
    if (this.#isOver) return
    if (how === 'hang') {
      this.#hangs = rule
      this.#hangsAll = true
      this.#swallows = true
    } else if (how === 'reset') {
      this.#close('rst', rule)
    } else {
      this.#finish(rule)
    }
  }

  /** Orderly, after all that was passed to the client. */
  #finish(rule: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#finishes = rule
    this.#exits.flush()
    this.#endMessages()
    this.#exits.endClient()
  }

  #clientEnds(): void {
    if (this.#finishes === null) {
      this.#host.endClient()
    } else {
      this.#exits.closeBackend()
      this.#host.finish(this.#finishes)
    }
  }

  #close(how: 'fin' | 'rst', rule: string): void {
    if (this.#isOver) return
    this.#exits.flush()
    this.#stop()
    this.#host.close(how, rule)
  }

  /** When a protocol or a fault throws, as those of modules may, nobody knows any more where this connection is. */
  #safely(work: (bytes: Buffer) => void, bytes = none): void {
    try {
      work(bytes)
      this.#exits.flush()
    } catch (error) {
      if (this.#isOver) return
      this.#stop()
      this.#host.close('rst', `an error: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #stop(): void {
    this.#isOver = true
    this.#endMessages()
    this.#exits.close()
  }

  #endMessages(): void {
    this.#requests.close()
    this.#replies.close()
    this.#awaited.length = 0
    this.#asking = null
    this.#replying = null
  }

  #after(ms: number, callback: () => void): Timer {
    return this.#host.after(ms, () => this.#safely(callback))
  }
}

function isDecided(turn: Turn | null): boolean {
  return turn?.treated?.reply !== undefined && turn.treated.reply !== null
}
