import type { AttributeTable } from '../attributes.ts'
import type { Direction } from '../direction.ts'
import type { Exchange, Treatment } from '../protocols/exchange.ts'
import type { Protocol, RequestHead } from '../protocols/protocol.ts'
import type { Random } from '../random.ts'
import type { Rule, UnitKind } from '../rules/rule.ts'
import type { TlsTreatment } from '../tls/treatment.ts'
import type { Flow, Stage } from './stage.ts'

/**
 * A kind of fault. It works in one of three places, by which of the three functions it has: on the bytes of a direction
 * (`stage`), on a request and its reply (`treat`), or before there is a connection to the backend (`connect`).
 */
export interface FaultDefinition<A = unknown> {
  readonly type: string
  /** One line, for help. */
  readonly summary: string
  readonly attributes: AttributeTable<A>
  /** Units that it can be drawn for; the first is the default. */
  readonly units: readonly UnitKind[]
  /** What else is wrong with the attributes together, or with this protocol; null: nothing. */
  check?(attributes: A, context: FaultContext): string | null
  /**
   * True: its stages tell by `flow.applied` that they have taken effect, and a connection on which they never do has no event.
   * Otherwise that is the first byte or end that reaches them. 'each': each call is an event, up to 100 of a unit.
   */
  readonly tells?: boolean | 'each'
  /**
   * Whether a request is one that the fault can be for; others are let through, and neither drawn nor counted. By default all.
   * A login fits no deadlock, and what expects no reply fits no error.
   */
  suits?(request: RequestHead, rule: Rule<A>): boolean
  /** The most units that are hit, where the rule has no `count` of its own. */
  count?(attributes: A): number
  /** A stage in the flow of bytes of a connection that was hit; the unit is a connection. */
  stage?(flow: Flow, attributes: A): Stage<A>
  /** What becomes of a request or chunk that was hit. */
  treat?(exchange: Exchange, attributes: A): Treatment
  /** What becomes of a new connection that was hit. */
  connect?(attempt: ConnectAttempt, attributes: A): ConnectTreatment
}

export interface FaultContext {
  protocol: Protocol
  stream: Direction
  unit: UnitKind
  /** Whether the proxy terminates TLS; undefined: not known yet. */
  terminatesTls?: boolean | undefined
}

export interface ConnectAttempt {
  readonly random: Random
}

export interface ConnectTreatment {
  /** Milliseconds before the backend is dialled; the client is connected already. */
  delayMs?: number
  /** The client is cut at once, the backend never dialled. */
  refuse?: 'fin' | 'rst'
  /** Neither dialled nor answered, until the rule is removed or the client goes. */
  ignore?: boolean
  /** What goes wrong in the TLS of the client, where the proxy terminates it. */
  tls?: TlsTreatment
}

/** Types a definition of a fault: its attributes are those of its table. */
export function defineFault<A>(definition: FaultDefinition<A>): FaultDefinition<A> {
  return definition
}
