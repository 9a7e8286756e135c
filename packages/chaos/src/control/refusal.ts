import { ChaosError, type ChaosErrorCode } from '../errors.ts'

/** Why a call is not answered as asked. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** Of HTTP. */
  readonly status: number
  /** What went wrong with the thing itself, for our own client. */
  readonly code: ChaosErrorCode | null
  /** More than the message says; clients know some messages by heart, so it stands apart from them. */
  readonly detail: string | null
  /** The field of the body that is wrong; empty: the body as a whole. */
  readonly field: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    message: string,
    {
      code = null,
      detail = null,
      field = '',
      headers = {},
    }: {
      code?: ChaosErrorCode | null
      detail?: string | null
      field?: string
      headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.detail = detail
    this.field = field
    this.headers = headers
  }

  /** As Toxiproxy tells it, and what clients of ours read besides. */
  toJSON(): Record<string, unknown> {
    return {
      error: this.message,
      status: this.status,
      ...(this.code === null ? {} : { code: this.code }),
      ...(this.detail === null ? {} : { detail: this.detail }),
    }
  }
}

export function badBody(detail: string, field = ''): Refusal {
  return new Refusal(400, `bad request body: ${detail}`, { field })
}

/** The words and statuses that clients of Toxiproxy know. @param what the call is about */
export function refusalOf(error: unknown, what: 'proxy' | 'toxic'): Refusal {
  if (error instanceof Refusal) return error
  if (!(error instanceof ChaosError)) {
    const text = error instanceof Error ? error.message : String(error)
    return new Refusal(500, text)
  }
  const { code, message } = error
  switch (code) {
    case 'CHAOS_NOT_FOUND':
      return new Refusal(404, `${what} not found`, { code, detail: message })
    case 'CHAOS_EXISTS':
      return new Refusal(409, `${what} already exists`, { code, detail: message })
    case 'CHAOS_UNKNOWN_FAULT':
      return new Refusal(400, 'invalid toxic type', { code, detail: message })
    case 'CHAOS_ATTRIBUTE':
      return new Refusal(400, isOfStream(message) ? message : `bad request body: ${message}`, { code })
    case 'CHAOS_PROTOCOL':
    case 'CHAOS_CONFIG':
    case 'CHAOS_CERTIFICATE':
    case 'CHAOS_MODULE':
      return new Refusal(400, `bad request body: ${message}`, { code })
    case 'CHAOS_SHARED':
    case 'CHAOS_STATE':
      return new Refusal(409, message, { code })
    default:
      return new Refusal(500, message, { code })
  }
}

/** Calls something whose errors are about this. */
export async function about<T>(what: 'proxy' | 'toxic', call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw refusalOf(error, what)
  }
}

function isOfStream(message: string): boolean {
  return message.startsWith('stream was invalid')
}
