import assert from 'node:assert/strict'
import type { Direction } from '../../src/direction.ts'
import type { FaultEvent, OpaqueEvent } from '../../src/events/event.ts'
import type { Timer } from '../../src/faults/stage.ts'
import type { Protocol } from '../../src/protocols/protocol.ts'
import { Conversation } from '../../src/proxy/conversation.ts'
import type { ConversationHost } from '../../src/proxy/conversation-host.ts'
import { Decider } from '../../src/rules/decider.ts'
import { RuleSet, type RuleChange } from '../../src/rules/rule-set.ts'
import type { FaultRequest, Rule } from '../../src/rules/rule.ts'

interface Waiting {
  at: number
  callback: () => void
}

/** A connection that is none: time passes when the test says so, and what would be sent is written down. */
export class FakeHost implements ConversationHost {
  readonly proxyName = 'proxy'
  readonly protocol: Protocol
  readonly decider: Decider
  readonly connection: number
  readonly client = '127.0.0.1'
  readonly ruleSet: RuleSet
  readonly conversation: Conversation
  readonly events: (FaultEvent | OpaqueEvent)[] = []
  /** How it ended, other than by both ends. */
  closing: string | null = null
  held: Record<Direction, number> = { upstream: 0, downstream: 0 }
  isBackendEnded = false
  isClientEnded = false
  #toBackend: Buffer[] = []
  #toClient: Buffer[] = []
  #now = 1000
  #waiting: Waiting[] = []
  #isClosed = false

  constructor(
    protocol: Protocol,
    faults: readonly FaultRequest[] = [],
    { seed = 1, connection = 1, decider = new Decider(seed, 'proxy') } = {},
  ) {
    this.protocol = protocol
    this.connection = connection
    this.decider = decider
    let changed: (changes: readonly RuleChange[]) => void = () => {}
    this.ruleSet = new RuleSet(protocol, (changes) => {
      for (const { what, rule } of changes) if (what === 'removed') this.decider.forget(rule.name)
      changed(changes)
    })
    this.ruleSet.add(...faults)
    this.conversation = new Conversation(this)
    changed = (changes) => this.conversation.rulesChanged(changes)
    this.conversation.begin()
  }

  /** What the backend got since it was last asked for. */
  get atBackend(): string {
    return Buffer.concat(this.#toBackend.splice(0)).toString('latin1')
  }

  /** What the client got since it was last asked for. */
  get atClient(): string {
    return Buffer.concat(this.#toClient.splice(0)).toString('latin1')
  }

  get faults(): FaultEvent[] {
    return this.events.filter((event) => event.type === 'fault')
  }

  /** The buffer is overwritten afterwards, as a socket may do it. */
  clientSends(text: string | Buffer): void {
    const lent = Buffer.from(text as string, 'latin1')
    this.conversation.fromClient(lent)
    lent.fill(0xee)
  }

  backendSends(text: string | Buffer): void {
    const lent = Buffer.from(text as string, 'latin1')
    this.conversation.fromBackend(lent)
    lent.fill(0xee)
  }

  pass(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const due = this.#waiting.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#waiting.splice(this.#waiting.indexOf(due), 1)
      this.#now = Math.max(this.#now, due.at)
      due.callback()
    }
    this.#now = until
  }

  rules(): readonly Rule[] {
    return this.ruleSet.all()
  }

  now(): number {
    return this.#now
  }

  toBackend(bytes: Buffer): void {
    assert.ok(!this.isBackendEnded, 'bytes after the end to the backend')
    if (!this.#isClosed) this.#toBackend.push(Buffer.from(bytes))
  }

  endBackend(): void {
    assert.ok(!this.isBackendEnded, 'two ends to the backend')
    this.isBackendEnded = true
  }

  toClient(bytes: Buffer): void {
    assert.ok(!this.isClientEnded, 'bytes after the end to the client')
    if (!this.#isClosed) this.#toClient.push(Buffer.from(bytes))
  }

  answer(bytes: Buffer): void {
    this.toClient(bytes)
  }

  endClient(): void {
    assert.ok(!this.isClientEnded, 'two ends to the client')
    this.isClientEnded = true
  }

  finish(detail: string): void {
    assert.equal(this.closing, null, 'closed twice')
    this.endClient()
    this.closing = `finish ${detail}`
  }

  close(how: 'fin' | 'rst', detail: string): void {
    assert.equal(this.closing, null, 'closed twice')
    this.closing = `${how} ${detail}`
    this.#isClosed = true
    this.#waiting = []
    this.conversation.closed()
  }

  hold(direction: Direction, bytes: Buffer): Buffer {
    this.held[direction] += bytes.length
    return Buffer.from(bytes)
  }

  release(direction: Direction, length: number): void {
    this.held[direction] -= length
    assert.ok(this.held[direction] >= 0, 'more was given back than was held')
  }

  charge(direction: Direction, length: number): void {
    this.held[direction] += length
  }

  after(ms: number, callback: () => void): Timer {
    const waiting = { at: this.#now + ms, callback }
    this.#waiting.push(waiting)
    return {
      cancel: () => {
        const place = this.#waiting.indexOf(waiting)
        if (place >= 0) this.#waiting.splice(place, 1)
      },
    }
  }

  get timers(): number {
    return this.#waiting.length
  }

  tell(event: FaultEvent | OpaqueEvent): void {
    this.events.push(event)
  }
}
