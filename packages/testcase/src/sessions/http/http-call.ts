import type { Readable } from 'node:stream'
import type { Tags } from '../../meter.ts'
import type { HeadMemo } from './head-memo.ts'

export type CallBody = string | Buffer | Uint8Array | Readable | AsyncIterable<unknown> | null

/**
 * One request as it goes out: the fields undici reads, and what is needed to record it. Never changed once made, so
 * that a call without options is made once and sent many times.
 */
export interface HttpCall {
  readonly method: string
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: CallBody
  /** All of it as bytes, for a connection of our own; null where only undici can send it. */
  readonly wire: Buffer | null
  /** The body where it is too long to stand in `wire`. */
  readonly wireBody: Uint8Array | null
  /** Where the heads of its answers are remembered. */
  readonly memo: HeadMemo | null

  readonly name: string
  readonly href: string
  readonly tags: Tags | null
  /** Bytes of the head, and of the body where it is known before sending. */
  readonly bytesOut: number
  /** The body's bytes are counted while they are sent. */
  readonly streamed: boolean
  readonly timeoutMs: number
  readonly expected: ExpectedStatus | null
  /** The test's own signal for this request. */
  readonly signal: AbortSignal | null
}

/** Statuses that are no failure of the hit. */
export type ExpectedStatus = number | readonly number[] | ((status: number) => boolean)

export function isExpected(status: number, expected: ExpectedStatus): boolean {
  if (typeof expected === 'number') return status === expected
  if (typeof expected === 'function') return expected(status)
  return expected.includes(status)
}

export function describeExpected(expected: ExpectedStatus): string {
  if (typeof expected === 'number') return String(expected)
  return typeof expected === 'function' ? 'what its function accepts' : expected.join(' or ')
}
