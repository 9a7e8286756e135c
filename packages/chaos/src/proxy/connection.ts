import type { Socket } from 'node:net'
import type { Direction } from '../direction.ts'
import type { CloseCause, FaultEvent, OpaqueEvent } from '../events/event.ts'
import type { Timer } from '../faults/stage.ts'
import { HeadBytes } from '../protocols/head-bytes.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Decider } from '../rules/decider.ts'
import type { RuleChange } from '../rules/rule-set.ts'
import type { Rule } from '../rules/rule.ts'
import { ConnectionStory } from './connection-story.ts'
import { Approach, type ApproachHost } from './approach.ts'
import { BackendEar, ClientEar, ToBackend, ToClient } from './ears.ts'
import { Conversation } from './conversation.ts'
import type { ConversationHost } from './conversation-host.ts'
import { Link, type LinkHost } from './link.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Side } from './side.ts'
import { Timers } from './timers.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import { whenSilent } from './when-silent.ts'

/** How long a side that was ended may take to leave, from the last byte that it took. Milliseconds. */
const lingerMs = 1000
/** The same after an answer that was the last one. */
const finishMs = 5000

/** A client, its backend, and what happens between them. */
export class Connection implements ApproachHost, LinkHost, ConversationHost {
  readonly connection: number
  /** Address of the client without port. */
  readonly client: string
  readonly proxyName: string
  readonly protocol: Protocol
  readonly decider: Decider
  readonly budget: MemoryBudget
  readonly maxHeldBytes: number | null
  readonly #owner: ConnectionOwner
  readonly #story: ConnectionStory
  readonly #up: Link
  readonly #down: Link
  #approach: Approach | null
  #timers: Timers | null = null
  #client: Side | null = null
  #backend: Side | null = null
  #conversation: Conversation | null = null
  /** For the backend, until it is there. */
  #early: HeadBytes | null = null
  #hasClientEnded = false
  #isUpOver = false
  #isDownOver = false
  #isStopped = false
  /** Answers that were made up wait for the client. */
  #hasAnswers = false
  /** The backend was closed, and the client was not. */
  #isBackendGone = false
  #isFinishing = false
  #isShut = false
  #isOver = false
  #open = 0

  constructor(owner: ConnectionOwner, connection: number, shell: Socket) {
    this.connection = connection
    this.client = shell.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown'
    this.proxyName = owner.name
    this.protocol = owner.protocol
    this.decider = owner.decider
    this.budget = owner.budget
    this.maxHeldBytes = owner.maxHeldBytes
    this.#owner = owner
    const { events, transport, target: backend, dialTimeoutMs: timeoutMs, budget } = owner
    this.#up = new Link('upstream', this, new ToBackend(this))
    this.#down = new Link('downstream', this, new ToClient(this))
    this.#approach = new Approach(this, transport, { backend, timeoutMs, budget })
    this.#story = new ConnectionStory(events, owner.name, connection)
    this.#story.accepted(this.client, shell.remotePort ?? 0)
  }

  /** Bytes read from the client and from the backend, and handed to the backend and to the client. */
  get received(): { upstream: number; downstream: number } {
    return { upstream: this.#client?.received ?? 0, downstream: this.#backend?.received ?? 0 }
  }

  get sent(): { upstream: number; downstream: number } {
    return { upstream: this.#backend?.sent ?? 0, downstream: this.#client?.sent ?? 0 }
  }

  /** Bytes held back now, by faults and by receivers that do not read. */
  get held(): number {
    return this.#up.held + this.#down.held + (this.#client?.waiting ?? 0) + (this.#backend?.waiting ?? 0)
  }

  begin(shell: Socket): void {
    this.#up.begin()
    this.#down.begin()
    if (this.#isShut) {
      shell.destroy()
      this.#over()
      return
    }
    this.#approach?.begin(shell)
  }

  /** At once, on both sides. */
  destroy(cause: CloseCause): void {
    this.#shut('now', cause, null)
  }

  /** A protocol or a fault with a mistake costs its connection, not the proxy. */
  broke(error: unknown): void {
    this.#shut('rst', 'fault', error instanceof Error ? error.message : String(error))
  }

  rulesChanged(changes: readonly RuleChange[]): void {
    if (this.#isShut) return
    if (this.#conversation === null && this.#client !== null && this.#needsConversation()) this.#converse()
    this.#up.apply(changes)
    this.#down.apply(changes)
    this.#conversation?.rulesChanged(changes)
    this.#approach?.rulesChanged(changes)
  }

  rules(): readonly Rule[] {
    return this.#owner.rules.all()
  }

  now(): number {
    return performance.now()
  }

  clientBytes(bytes: Buffer): void {
    this.#up.write(bytes)
    const backend = this.#backend
    if (backend === null || backend.waiting > 0 || this.#up.held > 0 || this.#hasAnswers) this.#gateClient()
  }

  clientEnded(): void {
    if (this.#story.cause === null) this.#story.note('client', null)
    if (this.#approach?.isIgnoring === true) this.#shut('fin', 'client', null)
    else this.#up.ended()
    this.#hasClientEnded = true
    // The backend is not there any more to be told.
    if (this.#isFinishing) this.#directionOver('upstream')
  }

  clientDrained(): void {
    this.#gateBackend()
    if (this.#hasAnswers) this.#gateClient()
  }

  clientFailed(error: NodeJS.ErrnoException): void {
    this.#shut('rst', 'client-error', error.code ?? error.message)
  }

  clientClosed(): void {
    this.#open--
    if (this.#isFinishing || this.#isBackendGone) this.#shut('now', this.#story.cause ?? 'client', null)
    this.#over()
  }

  backendBytes(bytes: Buffer): void {
    if (this.#conversation === null) this.#down.write(bytes)
    else this.#conversation.fromBackend(bytes)
    if (this.#client!.waiting > 0 || this.#down.held > 0) this.#gateBackend()
  }

  backendEnded(): void {
    if (this.#story.cause === null) this.#story.note('backend', null)
    if (this.#conversation === null) this.#down.ended()
    else this.#conversation.backendEnded()
  }

  backendDrained(): void {
    this.#gateClient()
  }

  backendFailed(error: NodeJS.ErrnoException): void {
    if (!this.#isBackendGone) this.#shut('rst', 'backend-error', error.code ?? error.message)
  }

  backendClosed(): void {
    this.#open--
    this.#over()
  }

  // Of the approach.

  connectFault(rule: Rule, draw: number): void {
    this.tellFault(rule, rule.stream, draw, undefined)
  }

  refused(how: 'fin' | 'rst', rule: Rule): void {
    this.#shut(how, 'fault', rule.name)
  }

  clientReady(side: Side): void {
    this.#client = side
    this.#open++
    side.listen(new ClientEar(this))
    if (this.protocol.open !== null || this.#needsConversation()) this.#converse()
    if (!this.#isShut) this.#gateClient()
  }

  reached(side: Side, ms: number): void {
    this.#approach = null
    this.#owner.dialled(true)
    this.#story.dialled(ms, null)
    this.#backend = side
    this.#open++
    side.listen(new BackendEar(this))
    const early = this.#early?.take() ?? null
    this.#early = null
    if (early !== null) {
      side.write(early)
      this.#up.release(early.length)
    }
    if (this.#isBackendGone) {
      side.finish(lingerMs)
      return
    }
    if (this.#isUpOver) side.end()
    side.resume()
    this.#gateClient()
  }

  notReached(cause: CloseCause, detail: string, ms: number | null): void {
    if (ms !== null) {
      this.#owner.dialled(false)
      this.#story.dialled(ms, detail)
    }
    this.#shut('fin', cause, detail)
  }

  // Of the links.

  relieved(link: Link): void {
    if (link === this.#up) this.#gateClient()
    else {
      this.#gateBackend()
      if (this.#hasAnswers) this.#gateClient()
    }
  }

  endStopped(link: Link): void {
    this.#isStopped = true
    this.#directionOver(link.direction)
  }

  faultCloses(how: 'fin' | 'rst', detail: string): void {
    this.#shut(how, 'fault', detail)
  }

  tellFault(
    rule: Rule,
    direction: Direction,
    draw: number,
    detail: Readonly<Record<string, string | number>> | undefined,
  ): void {
    this.#owner.faulted(rule.definition.type)
    this.#story.fault(rule, direction, draw, detail)
  }

  /** Bytes that have passed the stages upstream. */
  passedUp(bytes: Buffer): void {
    if (this.#conversation === null) this.toBackend(bytes)
    else this.#conversation.fromClient(bytes)
  }

  endedUp(): void {
    if (this.#conversation === null) this.endBackend()
    else this.#conversation.clientEnded()
  }

  /** Bytes that have passed the stages downstream. */
  passedDown(bytes: Buffer): void {
    this.#client?.write(bytes)
  }

  endedDown(): void {
    const client = this.#client
    if (this.#isDownOver || client === null) return
    client.end()
    if (this.#isFinishing)
      client.onFinished(() => this.after(finishMs, () => this.#shut('now', 'fault', this.#story.detail)))
    this.#directionOver('downstream')
  }

  // Of the conversation.

  toBackend(bytes: Buffer): void {
    if (this.#isShut || this.#isBackendGone) return
    if (this.#backend !== null) {
      this.#backend.write(bytes)
      return
    }
    this.#up.charge(bytes.length)
    this.#early ??= new HeadBytes()
    this.#early.add(bytes)
  }

  endBackend(): void {
    if (this.#isUpOver) return
    this.#backend?.end()
    this.#directionOver('upstream')
  }

  toClient(bytes: Buffer): void {
    this.#down.write(bytes)
  }

  answer(bytes: Buffer): void {
    this.#down.write(bytes)
    this.#hasAnswers = true
    this.#gateClient()
  }

  endClient(): void {
    this.#down.ended()
  }

  finish(detail: string): void {
    if (this.#isShut || this.#isFinishing) return
    this.#isFinishing = true
    this.#isUpOver ||= this.#hasClientEnded
    this.#story.note('fault', detail)
    this.#leaveBackend()
    this.#down.ended()
  }

  close(how: 'fin' | 'rst', detail: string): void {
    this.#shut(how, 'fault', detail)
  }

  hold(direction: Direction, bytes: Buffer): Buffer {
    return this.#linkOf(direction).hold(bytes)
  }

  release(direction: Direction, length: number): void {
    this.#linkOf(direction).release(length)
  }

  charge(direction: Direction, length: number): void {
    this.#linkOf(direction).charge(length)
  }

  requestBegan(): void {
    this.#owner.requested()
  }

  after(ms: number, callback: () => void): Timer {
    if (this.#isShut) return { cancel: () => {} }
    this.#timers ??= new Timers()
    return this.#timers.after(ms, () => {
      try {
        callback()
      } catch (error) {
        this.broke(error)
      }
    })
  }

  tell(event: FaultEvent | OpaqueEvent): void {
    if (event.type === 'fault') this.#owner.faulted(event.fault)
    this.#owner.events.tell(event)
  }

  #linkOf(direction: Direction): Link {
    return direction === 'upstream' ? this.#up : this.#down
  }

  #needsConversation(): boolean {
    return this.rules().some(({ definition }) => definition.treat !== undefined)
  }

  #converse(): void {
    this.#conversation = new Conversation(this)
    this.#conversation.begin()
  }

  /** The client is read from while what it sends finds room. */
  #gateClient(): void {
    const client = this.#client
    if (client === null || this.#isShut) return
    const wasFull = client.isPaused
    let isFull = this.#up.isFull(this.#backend?.waiting ?? 0, wasFull)
    // One buffer is enough while nobody is there to take it.
    if (this.#backend === null && this.#conversation === null && client.received > 0)
      isFull ||= this.#approach?.isIgnoring !== true
    if (this.#hasAnswers) {
      isFull ||= this.#down.isFull(client.waiting, wasFull)
      this.#hasAnswers = client.waiting + this.#down.held > 0
    }
    if (isFull) client.pause()
    else client.resume()
  }

  #gateBackend(): void {
    const backend = this.#backend
    if (backend === null || this.#isShut || this.#isBackendGone) return
    if (this.#down.isFull(this.#client?.waiting ?? 0, backend.isPaused)) backend.pause()
    else backend.resume()
  }

  #leaveBackend(): void {
    this.#isBackendGone = true
    // What was given for it is to reach it first.
    if (this.#early === null) this.#approach?.cancel()
    this.#backend?.finish(lingerMs)
  }

  #directionOver(direction: Direction): void {
    if (!this.#isUpOver && !this.#isDownOver) this.#awaitOther()
    this.#isUpOver ||= direction === 'upstream'
    this.#isDownOver ||= direction === 'downstream'
    if (this.#isStopped && this.#isUpOver && this.#isDownOver)
      this.#shut('fin', this.#story.cause ?? 'client', null)
  }

  #awaitOther(): void {
    const end = (): void => this.#shut('fin', 'idle', null)
    whenSilent(this, this.#owner.halfClosedMs, () => this.#up.held + this.#down.held > 0, end)
  }

  #shut(how: 'fin' | 'rst' | 'now', cause: CloseCause, detail: string | null): void {
    if (this.#isShut) return
    this.#isShut = true
    this.#story.note(cause, detail)
    this.#approach?.cancel()
    this.#up.close()
    this.#down.close()
    this.#timers?.close()
    this.#conversation?.closed()
    this.#early = null
    for (const side of [this.#client, this.#backend])
      if (how === 'rst') side?.reset()
      else if (how === 'fin') side?.finish(lingerMs)
      else side?.destroy()
    this.#over()
  }

  #over(): void {
    if (this.#open > 0 || this.#isOver) return
    // Both sides are closed, or there never was one.
    if (!this.#isShut && this.#backend === null && !this.#isBackendGone) return
    this.#isOver = true
    this.#shut('now', this.#story.cause ?? 'client', null)
    this.decider.forgetConnection(this.connection)
    this.#owner.closed(this)
    this.#story.closed(this.received, this.sent)
  }
}
