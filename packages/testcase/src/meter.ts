/** Tags of a series: a small, bounded set of words, never ids. */
export type Tags = Readonly<Record<string, string>>

/** What kind of request a hit is. `call`: any client's, measured by `this.measure` or by instrumentation. */
export type HitKind = 'http' | 'websocket' | 'sse' | 'grpc' | 'tcp' | 'udp' | 'call'

/** Parts of a hit's time, in their order; measured only when the run asks for them. */
export type HitPhase = 'blocked' | 'dns' | 'connect' | 'tls' | 'send' | 'wait' | 'receive'

/**
 * Where a virtual user's activity is recorded. The engine implements it on shared memory; positional parameters keep
 * the path of a hit free of allocation.
 *
 * The tags that are given are the caller's own. The meter adds those of the moment, `context.tags` of its user, to
 * everything: `mergeTags(context.tags, tags)`, which gives the same object for the same words, so that series are
 * looked up by identity.
 */
export interface Meter {
  /**
   * One finished request attempt, answered or not.
   *
   * @param name template or caller's name, never a raw URL with its query
   * @param status HTTP status ("200") or an error class (see {@link HitErrorClass})
   * @param micros service time in microseconds: from sending to the last byte (or to the failure)
   */
  hit(
    kind: HitKind,
    name: string,
    method: string,
    status: string,
    failed: boolean,
    micros: number,
    bytesIn: number,
    bytesOut: number,
    tags: Tags | null,
  ): void
  /** A part of the hit that is recorded next, under the same kind, name, method and tags. Microseconds. */
  phase(kind: HitKind, name: string, method: string, phase: HitPhase, micros: number, tags: Tags | null): void
  /** One check that held or did not: counted, never thrown. */
  check(name: string, ok: boolean): void
  /** How long a step (a named group of actions, `outer / inner`) took, in milliseconds. */
  step(name: string, millis: number): void
  /** Something about connections that the summary tells: counts of TLS handshakes, resumed ones, connections opened. */
  connection(event: 'opened' | 'closed' | 'tls' | 'tls-resumed'): void
  /** WebSocket activity after the handshake; bytes of payload. */
  socket(event: 'opened' | 'closed' | 'message-sent' | 'message-received', bytes: number): void
  count(name: string, amount: number): void
  gauge(name: string, value: number): void
  /** A duration of the user's own, in milliseconds. */
  timing(name: string, millis: number): void
}

/** Why a request attempt got no complete answer. Used as the hit's status. */
export type HitErrorClass =
  | 'dns'
  | 'refused'
  | 'reset'
  | 'timeout'
  | 'tls'
  | 'closed'
  | 'protocol'
  | 'ports'
  | 'interrupted'
  | 'stale-connection'

/** Counts nothing: for code that runs outside a run. */
export const silentMeter: Meter = {
  hit() {},
  phase() {},
  check() {},
  step() {},
  connection() {},
  socket() {},
  count() {},
  gauge() {},
  timing() {},
}
