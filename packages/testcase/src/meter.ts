/** Tags of a series: a small, bounded set of words, never ids. */
export type Tags = Readonly<Record<string, string>>

/**
 * Where a virtual user's activity is recorded. The engine implements it on shared memory; positional parameters keep
 * the path of a hit free of allocation.
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
    kind: 'http' | 'websocket',
    name: string,
    method: string,
    status: string,
    failed: boolean,
    micros: number,
    bytesIn: number,
    bytesOut: number,
    tags: Tags | null,
  ): void
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
  socket() {},
  count() {},
  gauge() {},
  timing() {},
}
