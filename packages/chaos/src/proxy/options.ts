import type { FaultRequest } from '../rules/rule.ts'
import type { Recorded } from '../rules/decider.ts'

export interface ProxyOptions {
  /** By default `proxy`. Part of the key of each decision. */
  name?: string
  /** HOST:PORT; port 0 takes any. By default 127.0.0.1:0. `tls://` terminates TLS. */
  listen?: string
  /** HOST:PORT. `tls://` speaks TLS to it. */
  backend: string
  /** A name of `knownProtocols`; by default tcp. */
  protocol?: string
  tls?: TlsOptions
  /** Whole number from 0; by default a random one, told in events. */
  seed?: number
  /** Behaviors with percentages, one draw for all: `20:delay,5:error`. */
  behavior?: string
  /** Attributes by name of behavior, also of those that are only set later: `{ delay: { sleep: '2s' } }`. */
  behaviors?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  faults?: readonly FaultRequest[]
  /** False: not listening until it is enabled. */
  enabled?: boolean
  /** Milliseconds until a backend counts as not reached; by default 30,000. */
  dialTimeoutMs?: number
  /**
   * Milliseconds of silence after which a connection is ended of which one direction has ended; by default 300,000. It is ended
   * by the double of it at the latest, and not while a fault holds bytes of it.
   */
  halfClosedTimeoutMs?: number
  /** Refuse connections while the backend cannot be reached, in place of accepting and closing. */
  mirrorUpstream?: boolean
  /** Bytes that one direction of a connection may hold back; by default what each fault needs, 16 MiB at most. */
  maxHeldBytes?: number
  /** Decides by what was recorded in place of draws. */
  recorded?: Recorded
}

export interface TlsOptions {
  /** PEM, or the path of a file with it. Without one, a certificate of a throw-away authority. */
  cert?: string
  key?: string
  /** Who signed the backend's certificate; by default those that Node trusts. */
  ca?: string
  /** Certificate and key that the backend asks for. */
  clientCert?: string
  clientKey?: string
  /**
   * Name that is asked for and verified, `*` for the one that the client asked for. By default the host of the backend; where
   * that is an address, the client's.
   */
  serverName?: string
  /** False: any certificate of the backend will do. */
  verify?: boolean
  /** What is wrong with our own certificate: for tests of clients. */
  certificate?: 'good' | 'expired' | 'not-yet-valid' | 'wrong-name' | 'self-signed'
  /** opaque: TLS goes through as it is; then no fault can know requests. */
  mode?: 'opaque'
}

export interface ProxyCounters {
  /** Accepted since the start, and open now. */
  accepted: number
  open: number
  dialErrors: number
  /** Requests that were understood; of tcp, connections. */
  requests: number
  /** Bytes read: upstream from clients, downstream from the backend. */
  received: { upstream: number; downstream: number }
  /** Bytes handed to sockets: upstream to the backend, downstream to clients. */
  sent: { upstream: number; downstream: number }
  /** Bytes held back now. */
  held: number
  /** Injected faults by the type of fault. */
  faults: Readonly<Record<string, number>>
}
