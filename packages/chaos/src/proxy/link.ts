import type { Direction } from '../direction.ts'
import { randomOf } from '../random.ts'
import type { Decider } from '../rules/decider.ts'
import type { RuleChange } from '../rules/rule-set.ts'
import type { Rule } from '../rules/rule.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { StageSlot, type Taker } from './stage-slot.ts'

/** What a link needs of its connection. */
export interface LinkHost {
  readonly proxyName: string
  readonly decider: Decider
  readonly connection: number
  /** Address of the client without port. */
  readonly client: string
  readonly budget: MemoryBudget
  /** The most that may be held; null: what the stages allow. */
  readonly maxHeldBytes: number | null
  rules(): readonly Rule[]
  /** Less is held, or more is allowed. */
  relieved(link: Link): void
  /** The end of a stream stops at a stage. */
  endStopped(link: Link): void
  faultCloses(how: 'fin' | 'rst', detail: string): void
  tellFault(
    rule: Rule,
    direction: Direction,
    draw: number,
    detail: Readonly<Record<string, string | number>> | undefined,
  ): void
}

/** What every link may hold, whatever the memory of the process. Bytes. */
const least = 64 * 1024
const most = 16 * 1024 * 1024

/** Most connections have none. */
const noSlots: readonly StageSlot[] = []

/** One direction of one connection: bytes go through the stages of the rules that hit it, in order of their creation. */
export class Link implements Taker {
  readonly direction: Direction
  readonly #host: LinkHost
  readonly #sink: Taker
  #slots = noSlots
  #first: Taker
  /** What was drawn for rules that count: they are not asked twice. */
  #draws: Map<string, number> | null = null
  #held = 0
  #limit = least
  #isClosed = false

  constructor(direction: Direction, host: LinkHost, sink: Taker) {
    this.direction = direction
    this.#host = host
    this.#sink = sink
    this.#first = sink
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Bytes held back now. */
  get held(): number {
    return this.#held
  }

  /** Draws for the rules that there are. */
  begin(): void {
    for (const rule of this.#host.rules()) if (this.#isMine(rule)) this.#add(rule)
  }

  /** Bytes of the sender, lent until it returns. */
  write(bytes: Buffer): void {
    if (!this.#isClosed) this.#first.write(bytes)
  }

  ended(): void {
    if (!this.#isClosed) this.#first.ended()
  }

  /** Applies changes of rules at once. */
  apply(changes: readonly RuleChange[]): void {
    for (const { what, rule, before } of changes) {
      if (this.#isClosed) return
      if (!this.#isMine(rule)) continue
      if (what === 'added') this.#add(rule)
      else if (what === 'removed') this.#remove(rule)
      else this.#update(rule, before ?? rule)
    }
  }

  hold(bytes: Buffer): Buffer {
    this.charge(bytes.length)
    return Buffer.from(bytes)
  }

  charge(length: number): void {
    if (this.#isClosed) return
    this.#held += length
    this.#host.budget.add(length)
  }

  release(length: number): void {
    if (this.#isClosed) return
    const given = Math.min(length, this.#held)
    this.#held -= given
    this.#host.budget.add(-given)
    this.#host.relieved(this)
  }

  /**
   * Whether enough is held.
   *
   * @param waiting bytes that the receiver has not taken yet
   * @param wasFull then some of it must go before it is full no longer
   */
  isFull(waiting: number, wasFull: boolean): boolean {
    const load = this.#held + waiting
    if (load === 0) return false
    const limit = this.#host.budget.isUsedUp ? Math.min(least, this.#limit) : this.#limit
    const part = wasFull ? 0.75 : 1
    return waiting > least * part || load > limit * part
  }

  allowanceChanged(): void {
    const allowed = this.#slots.reduce((sum, slot) => sum + slot.allowed, 0)
    this.#limit = Math.min(this.#host.maxHeldBytes ?? most, Math.max(least, allowed))
    this.#host.relieved(this)
  }

  endStopped(): void {
    this.#host.endStopped(this)
  }

  faultCloses(how: 'fin' | 'rst', detail: string): void {
    this.#host.faultCloses(how, detail)
  }

  tellFault(rule: Rule, draw: number, detail: Readonly<Record<string, string | number>> | undefined): void {
    this.#host.tellFault(rule, this.direction, draw, detail)
  }

  /** What is held is dropped. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const slot of this.#slots) slot.closed()
    this.#slots = noSlots
    this.#host.budget.add(-this.#held)
    this.#held = 0
  }

  #isMine(rule: Rule): boolean {
    return rule.stream === this.direction && rule.definition.stage !== undefined
  }

  #add(rule: Rule): void {
    const { decider, connection, client } = this.#host
    const unit = { connection, direction: this.direction, ordinal: 1, client, request: null }
    const hit = decider.decide(rule, unit)
    if (hit === null) return
    if (isCounted(rule)) {
      this.#draws ??= new Map()
      this.#draws.set(rule.name, hit.draw)
    }
    this.#insert(rule, hit.draw)
  }

  #update(rule: Rule, before: Rule): void {
    const slot = this.#slots.find((each) => each.rule.name === rule.name)
    if (isCounted(rule) || isCounted(before)) {
      const draw = this.#draws?.get(rule.name) ?? slot?.draw
      const isHit = draw !== undefined && draw >= rule.share.from && draw < rule.share.to
      if (slot === undefined) {
        if (isHit) this.#insert(rule, draw)
      } else if (isHit) slot.update(rule)
      else this.#drop(slot)
      return
    }
    // Of a rule that does not count, asking again gives the same draw.
    if (slot === undefined) {
      this.#add(rule)
      return
    }
    const { decider, connection, client } = this.#host
    const unit = { connection, direction: this.direction, ordinal: 1, client, request: null }
    if (decider.decide(rule, unit) === null) this.#drop(slot)
    else slot.update(rule)
  }

  #remove(rule: Rule): void {
    this.#draws?.delete(rule.name)
    const slot = this.#slots.find((each) => each.rule.name === rule.name)
    if (slot !== undefined) this.#drop(slot)
  }

  #insert(rule: Rule, draw: number): void {
    const { decider, proxyName, connection } = this.#host
    const random = randomOf(decider.seed, proxyName, connection, this.direction, rule.name, 'stage')
    const order = this.#host.rules().map(({ name }) => name)
    const place = order.indexOf(rule.name)
    let at = this.#slots.findIndex((slot) => order.indexOf(slot.rule.name) > place)
    if (at === -1) at = this.#slots.length
    const next: Taker = this.#slots[at] ?? this.#sink
    const slot = new StageSlot(this, rule, draw, random, next)
    if (this.#isClosed) {
      // It has closed the connection as it began.
      slot.closed()
      return
    }
    this.#slots = this.#slots.toSpliced(at, 0, slot)
    this.#chain()
    this.allowanceChanged()
  }

  #drop(slot: StageSlot): void {
    slot.remove()
    this.#slots = this.#slots.filter((each) => each !== slot)
    this.#chain()
    this.allowanceChanged()
  }

  #chain(): void {
    let next: Taker = this.#sink
    for (const slot of this.#slots.toReversed()) {
      slot.next = next
      next = slot
    }
    this.#first = next
  }
}

/** Whether asking for a unit twice would count it twice. */
function isCounted({ skip, every, count }: Rule): boolean {
  return skip > 0 || every > 1 || count !== null
}
