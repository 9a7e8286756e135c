export type ChaosErrorCode =
  | 'CHAOS_ADDRESS'
  | 'CHAOS_ATTRIBUTE'
  | 'CHAOS_BIND'
  | 'CHAOS_CERTIFICATE'
  | 'CHAOS_CONFIG'
  | 'CHAOS_CONTROL'
  | 'CHAOS_EXISTS'
  | 'CHAOS_MODULE'
  | 'CHAOS_NOT_FOUND'
  | 'CHAOS_PROTOCOL'
  | 'CHAOS_REPLAY'
  | 'CHAOS_SHARED'
  | 'CHAOS_STATE'
  | 'CHAOS_UNKNOWN_FAULT'

/** What went wrong with a proxy or a fault, and what to do about it. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError'
  readonly code: ChaosErrorCode

  constructor(code: ChaosErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
