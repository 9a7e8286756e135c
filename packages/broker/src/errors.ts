/** An operator asked for something that cannot be done; sent back as a `refusal`. Never ends the broker. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** Stable word for programs: `UNKNOWN_RUN`, `NOT_ENOUGH_AGENTS` ... */
  readonly code: string
  /** By the contract: 2 wrong use, 4 infrastructure, 70 a defect. */
  readonly exitCode: number

  constructor(code: string, message: string, exitCode = 2) {
    super(message)
    this.code = code
    this.exitCode = exitCode
  }
}

/** A run was told to move to a state that its present one does not lead to: a defect of the broker. */
export class IllegalMoveError extends Error {
  override readonly name = 'IllegalMoveError'
  readonly code = 'BROKER_ILLEGAL_MOVE'
  readonly from: string
  readonly to: string

  constructor(runId: string, from: string, to: string) {
    super(`run ${runId} is ${from} and cannot become ${to}; please report this with the broker's log`)
    this.from = from
    this.to = to
  }
}

/** A bundle's bytes are not what its hash says, or are too many. Thrown while a bundle is stored or read. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly code: 'BUNDLE_BAD_HASH' | 'BUNDLE_MISMATCH' | 'BUNDLE_TOO_LARGE'
  readonly hash: string

  constructor(code: BundleError['code'], hash: string, message: string) {
    super(message)
    this.code = code
    this.hash = hash
  }
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
