import type { Socket } from 'node:net'
import { randomOf } from '../random.ts'
import type { Decider } from '../rules/decider.ts'
import type { RuleChange } from '../rules/rule-set.ts'
import type { Rule } from '../rules/rule.ts'
import type { CloseCause } from '../events/event.ts'
import type { ConnectTreatment } from '../faults/definition.ts'
import type { Timer } from '../faults/stage.ts'
import type { Handshake } from '../tls/handshake.ts'
import type { TlsTreatment } from '../tls/treatment.ts'
import { Dial, type DialOptions } from './dial.ts'
import { Side } from './side.ts'
import { Timers } from './timers.ts'
import type { Transport } from './transport.ts'

/** What happens on the way to the backend. */
export interface ApproachHost {
  readonly proxyName: string
  readonly decider: Decider
  readonly connection: number
  readonly client: string
  rules(): readonly Rule[]
  /** A rule has hit the new connection. */
  connectFault(rule: Rule, draw: number): void
  refused(how: 'fin' | 'rst', rule: Rule): void
  /** The client can be read from. */
  clientReady(side: Side): void
  /** @param ms since the dial began */
  reached(side: Side, ms: number): void
  /** @param ms of the dial; null: there was none */
  notReached(cause: CloseCause, detail: string, ms: number | null): void
}

interface Hit {
  rule: Rule
  treatment: ConnectTreatment
}

/** The way of a new connection from its client to its backend: faults of connecting, TLS, the dial. */
export class Approach {
  readonly #host: ApproachHost
  readonly #transport: Transport
  readonly #dialOptions: Omit<DialOptions, 'asked' | 'secure'>
  #hits: Hit[] = []
  #handshake: Handshake | null = null
  #asked: string | null = null
  /** When the backend could first have been dialled; null: not yet. */
  #atDoorSince: number | null = null
  #wait: Timer | null = null
  #timers: Timers | null = null
  #dial: Dial | null = null
  #isOver = false

  constructor(host: ApproachHost, transport: Transport, dialOptions: Omit<DialOptions, 'asked' | 'secure'>) {
    this.#host = host
    this.#transport = transport
    this.#dialOptions = dialOptions
  }

  /** Whether nothing is done for the client until a rule is removed. */
  get isIgnoring(): boolean {
    return !this.#isOver && this.#hits.some(({ treatment }) => treatment.ignore === true)
  }

  begin(shell: Socket): void {
    this.#decide()
    const refusal = this.#hits.find(({ treatment }) => treatment.refuse !== undefined)
    const { accept } = this.#transport
    if (accept === null || refusal !== undefined)
      this.#host.clientReady(Side.accepted(shell, this.#dialOptions.budget))
    if (this.#isOver) return
    if (refusal !== undefined) this.#host.refused(refusal.treatment.refuse!, refusal.rule)
    else if (accept === null) this.#knock()
    else this.#secure(accept, shell)
  }

  rulesChanged(changes: readonly RuleChange[]): void {
    if (this.#isOver || this.#hits.length === 0) return
    const gone = new Set(changes.filter(({ what }) => what === 'removed').map(({ rule }) => rule.name))
    const left = this.#hits.filter(({ rule }) => gone.has(rule.name))
    if (left.length === 0) return
    this.#hits = this.#hits.filter((hit) => !left.includes(hit))
    if (left.some(({ treatment }) => treatment.tls !== undefined)) this.#handshake?.goOn()
    if (this.#atDoorSince !== null && this.#dial === null) {
      this.#wait?.cancel()
      this.#knock()
    }
  }

  /** Nothing more is told. Safe at any time. */
  cancel(): void {
    if (this.#isOver) return
    this.#finish()
    this.#handshake?.cancel()
    this.#dial?.cancel()
  }

  #decide(): void {
    const { decider, proxyName, connection, client } = this.#host
    for (const rule of this.#host.rules()) {
      const { definition, stream: direction } = rule
      if (definition.connect === undefined) continue
      const hit = decider.decide(rule, { connection, direction, ordinal: 1, client, request: null })
      if (hit === null) continue
      const random = randomOf(decider.seed, proxyName, connection, direction, rule.name, 'connect')
      this.#hits.push({ rule, treatment: definition.connect({ random }, rule.attributes) })
      this.#host.connectFault(rule, hit.draw)
    }
  }

  #secure(accept: NonNullable<Transport['accept']>, shell: Socket): void {
    // Of several faults of one kind the first counts.
    const treatments = this.#hits.map((hit) => hit.treatment.tls ?? {}).reverse()
    const treatment = Object.assign({}, ...treatments) as TlsTreatment
    this.#handshake = accept(shell, treatment, (end) => {
      if (this.#isOver) return
      this.#handshake = null
      if (end.secure === null) {
        this.#finish()
        this.#host.notReached(end.cause, end.detail, null)
        return
      }
      const { secure } = end
      this.#asked = secure.serverName
      this.#host.clientReady(Side.over(secure.socket, () => secure.reset(), this.#dialOptions.budget))
      if (!this.#isOver) this.#knock()
    })
  }

  /** The backend is dialled, now or later. */
  #knock(): void {
    this.#atDoorSince ??= performance.now()
    if (this.isIgnoring) return
    const delayMs = this.#hits.reduce((sum, { treatment }) => sum + (treatment.delayMs ?? 0), 0)
    const leftMs = delayMs === 0 ? 0 : this.#atDoorSince + delayMs - performance.now()
    if (leftMs <= 0) {
      this.#go()
      return
    }
    this.#timers ??= new Timers()
    this.#wait = this.#timers.after(leftMs, () => this.#go())
  }

  #go(): void {
    const began = performance.now()
    const options = { ...this.#dialOptions, secure: this.#transport.dial, asked: this.#asked }
    this.#dial = new Dial(options, (end) => {
      if (this.#isOver) return
      this.#finish()
      const ms = performance.now() - began
      if (end.side === null) this.#host.notReached(end.cause, end.detail, ms)
      else this.#host.reached(end.side, ms)
    })
  }

  #finish(): void {
    this.#isOver = true
    this.#timers?.close()
  }
}
