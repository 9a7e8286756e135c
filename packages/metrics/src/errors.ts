export type MetricsErrorCode = 'METRICS_BAD_DELTA'

/**
 * Thrown by `DeltaDecoder.decode` when bytes are not a delta of its stream: cut off, damaged, or encoded by an encoder
 * whose definitions this decoder has not seen. The decoder is as it was before.
 */
export class MetricsError extends Error {
  override readonly name = 'MetricsError'
  readonly code: MetricsErrorCode
  /** Position in the bytes at which they stopped to make sense. */
  readonly offset: number

  constructor(code: MetricsErrorCode, offset: number, problem: string) {
    super(
      `not a metrics delta: ${problem} at byte ${offset}; ` +
        'check that both sides run the same version and that every delta of the stream is decoded once and in order',
    )
    this.code = code
    this.offset = offset
  }
}
