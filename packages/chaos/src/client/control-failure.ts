import { ChaosError, type ChaosErrorCode } from '../errors.ts'

/** A control server refused, or did not answer. */
export class ControlFailure extends ChaosError {
  /** Of HTTP; null: there was no answer. */
  readonly status: number | null
  /** What the server said. */
  readonly text: string

  constructor(
    code: ChaosErrorCode,
    message: string,
    { status = null, text = '', cause }: { status?: number | null; text?: string; cause?: unknown } = {},
  ) {
    super(code, message, { cause })
    this.status = status
    this.text = text
  }
}

/** Codes of a server of ours that mean here what they mean there; the others are trouble of the server's own. */
const passedOn: ReadonlySet<string> = new Set<ChaosErrorCode>([
  'CHAOS_ADDRESS',
  'CHAOS_ATTRIBUTE',
  'CHAOS_BIND',
  'CHAOS_EXISTS',
  'CHAOS_NOT_FOUND',
  'CHAOS_PROTOCOL',
  'CHAOS_SHARED',
  'CHAOS_STATE',
  'CHAOS_UNKNOWN_FAULT',
])

/** @param body of the answer, as text */
export function failureOf(call: string, status: number, body: string): ControlFailure {
  const { error, detail, code } = saidBy(body)
  const text = error ?? body.slice(0, 500)
  const message = `${call}: ${status} ${text}${detail === undefined ? '' : ` (${detail})`}`
  const known = code !== undefined && passedOn.has(code) ? (code as ChaosErrorCode) : codeOf(status, text)
  return new ControlFailure(known, message, { status, text })
}

/** A server of another make tells by status and text alone. */
function codeOf(status: number, text: string): ChaosErrorCode {
  if (status === 404 && text.endsWith('not found')) return 'CHAOS_NOT_FOUND'
  return status === 409 ? 'CHAOS_EXISTS' : 'CHAOS_CONTROL'
}

function saidBy(body: string): { error?: string; detail?: string; code?: string } {
  try {
    const said = JSON.parse(body) as Record<string, unknown> | null
    const texts = Object.entries(said ?? {}).filter(([, value]) => typeof value === 'string')
    return Object.fromEntries(texts)
  } catch {
    return {}
  }
}
