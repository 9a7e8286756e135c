import type { Direction } from '../direction.ts'
import type { UnitKind } from '../rules/rule.ts'

interface Told {
  /** Epoch milliseconds. */
  at: number
  proxy: string
}

interface OfConnection extends Told {
  /** 1, 2, 3 ... of its proxy, in order of acceptance. */
  connection: number
}

/** A proxy listens; decisions from here on depend on this seed. */
export interface ListenEvent extends Told {
  type: 'listen'
  listen: string
  backend: string
  protocol: string
  seed: number
}

/** What a proxy does was changed. */
export interface ChangeEvent extends Told {
  type: 'change'
  what: 'added' | 'updated' | 'removed' | 'enabled' | 'disabled' | 'moved' | 'deleted'
  /** The rule that was added, updated or removed. */
  rule?: { name: string; type: string; stream: Direction; toxicity: number; attributes: object }
}

export interface AcceptEvent extends OfConnection {
  type: 'accept'
  /** host:port */
  client: string
}

/** The backend was reached, or was not. */
export interface DialEvent extends OfConnection {
  type: 'dial'
  ms: number
  /** A code such as ECONNREFUSED; null: reached. */
  error: string | null
}

/** A fault that was injected: one event for each. */
export interface FaultEvent extends OfConnection {
  type: 'fault'
  rule: string
  fault: string
  direction: Direction
  unit: UnitKind
  /** 1, 2, 3 ... of the units of its kind of the connection (and direction). */
  ordinal: number
  /** What was drawn, in [0, 1). */
  draw: number
  /** Label of the request. */
  request?: string
  detail?: Readonly<Record<string, string | number>>
}

/** Bytes of a connection can no longer be understood: faults for requests do not reach it from here on. */
export interface OpaqueEvent extends OfConnection {
  type: 'opaque'
  reason: string
}

export type CloseCause =
  | 'client'
  | 'backend'
  | 'client-error'
  | 'backend-error'
  | 'dial-failed'
  | 'tls-failed'
  | 'fault'
  | 'disabled'
  /** One direction had ended, and the other was silent for too long. */
  | 'idle'

export interface CloseEvent extends OfConnection {
  type: 'close'
  cause: CloseCause
  /** Of the fault; else of an error. */
  detail: string | null
  /** Bytes read from the client and from the backend. */
  received: { upstream: number; downstream: number }
  /** Bytes handed to the backend and to the client. */
  sent: { upstream: number; downstream: number }
  ms: number
}

export type ChaosEvent =
  ListenEvent | ChangeEvent | AcceptEvent | DialEvent | FaultEvent | OpaqueEvent | CloseEvent
