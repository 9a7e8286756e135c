import type { SeriesKind } from './series.ts'

/**
 * The wire form of a delta. Series are numbered per stream, in the order of their first use; a definition travels once
 * and so do texts. N is a number, V a varint (see ByteWriter), T a text.
 *
 *     message     version:1 byte  definitions:V  definition...  entries:V  entry...
 *     definition  number:V  kind:1 byte  test:T  name:T  method:T  status:T  tags:V  (tag:T value:T)...
 *                 hasDetail:1 byte  [type:T  message:T  sample:T  firstSeen:N]
 *     entry       gap:V (to the number of the entry before, minus one)  fields:1 byte (which of the following are there)
 *                 [count:N] [failed:N] [sum:N] [min:N max:N] [bytesIn:N bytesOut:N] [value:N] [lastAt:N]
 *                 [pairs:V  (gap:V  samples:N)...]
 *
 * A field that is left out has the value of an empty delta; a count that is left out is the sum of the buckets.
 * A number may be defined again with the same key, as encodeFull does, and when the detail of an error group changes.
 */
export const formatVersion = 1

export const fields = {
  count: 1,
  failed: 2,
  sum: 4,
  range: 8,
  bytes: 16,
  value: 32,
  lastAt: 64,
  buckets: 128,
} as const

/** Kinds by their number on the wire: append only. */
export const kindsInOrder: readonly SeriesKind[] = [
  'http',
  'websocket',
  'counter',
  'gauge',
  'timing',
  'execution',
  'error',
  'internal',
  'sse',
  'grpc',
  'tcp',
  'udp',
  'call',
  'check',
  'step',
  'phase',
  'response',
  'hit-response',
  'lateness',
]
