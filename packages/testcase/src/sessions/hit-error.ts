import type { HitErrorClass } from '../meter.ts'

/** What is known about an attempt when it breaks. */
export interface Break {
  /** The connection had carried a request before. */
  reused: boolean
  /** Something of an answer had arrived. */
  answered: boolean
  /** Milliseconds that the connection had been idle before this request was sent. */
  idleMs: number
  /** Milliseconds from sending to the break. */
  elapsedMs: number
}

const classOfCode: Readonly<Record<string, HitErrorClass>> = {
  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EHOSTDOWN: 'refused',
  EACCES: 'refused',
  EPERM: 'refused',
  LOADS_PROXY_REFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'closed',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  EADDRNOTAVAIL: 'ports',
  EMFILE: 'ports',
  ENFILE: 'ports',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  INVALID_PURPOSE: 'tls',
  INVALID_CA: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  PATH_LENGTH_EXCEEDED: 'tls',
}

const tlsCode = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|ERROR_IN_C)/

/** The class of an attempt that broke with this error. */
export function classify(error: unknown, at: Break): HitErrorClass {
  const { code, message } = plain(error)
  const found =
    classOfCode[code] ??
    (code.startsWith('ERR_HTTP2_')
      ? classOfHttp2(code, message)
      : tlsCode.test(code)
        ? 'tls'
        : classOfMessage(message))
  if ((found === 'reset' || found === 'closed') && isStale(at)) return 'stale-connection'
  return found
}

/**
 * A server may close an idle connection just while the next request is on its way. It looks like this: the connection
 * was reused, nothing of an answer came, and the break came sooner after the sending than the connection had been idle.
 * A server that dies at work on a busy connection breaks that last rule, and stays a reset.
 */
function isStale(at: Break): boolean {
  return at.reused && !at.answered && at.elapsedMs < at.idleMs
}

/** HTTP/2 tells by a code in the message how a stream ended. */
function classOfHttp2(code: string, message: string): HitErrorClass {
  if (code === 'ERR_HTTP2_GOAWAY_SESSION' || code === 'ERR_HTTP2_INVALID_SESSION') return 'closed'
  if (code === 'ERR_HTTP2_STREAM_CANCEL') return 'closed'
  if (code !== 'ERR_HTTP2_STREAM_ERROR' && code !== 'ERR_HTTP2_SESSION_ERROR') return 'protocol'
  return /NGHTTP2_(CANCEL|INTERNAL_ERROR|REFUSED_STREAM|NO_ERROR|STREAM_CLOSED|ENHANCE_YOUR_CALM)/.test(
    message,
  )
    ? 'reset'
    : 'protocol'
}

/** What undici tells by its message only: a closed connection from a garbled one. */
function classOfMessage(message: string): HitErrorClass {
  if (message === 'closed' || message === 'destroyed' || message === 'other side closed') return 'closed'
  return message.includes('Invalid EOF state') ? 'closed' : 'protocol'
}

/** Code and message of whatever was thrown; of the first error where several addresses were tried. */
function plain(error: unknown): { code: string; message: string } {
  if (typeof error !== 'object' || error === null) return { code: '', message: String(error) }
  const { code, message, errors } = error as { code?: unknown; message?: unknown; errors?: unknown }
  if (typeof code === 'string') return { code, message: String(message) }
  if (Array.isArray(errors) && errors.length > 0) return plain(errors[0])
  return { code: '', message: String(message) }
}

const advice: Record<HitErrorClass, string> = {
  dns: 'the host name could not be resolved',
  refused: 'the connection was refused or the host cannot be reached; is the server up and listening there?',
  reset: 'the connection was reset by the other side',
  timeout: 'no complete answer in time',
  tls: 'the TLS handshake failed; a test certificate needs --ca FILE or --insecure',
  closed: 'the connection was closed before the answer was complete',
  protocol: 'the answer is not valid HTTP',
  ports:
    'this machine ran out of local ports or file descriptors: use fewer connections, keep them open, or add agents',
  interrupted: 'cut by the end of the run',
  'stale-connection':
    'the server had closed the idle connection when the request arrived; it was not sent again',
}

/** One line for the user: what failed, in plain words, and what the system said. */
export function describeBreak(method: string, href: string, hitClass: HitErrorClass, cause: unknown): string {
  const { code, message } = plain(cause)
  // Where a socket cannot even take its local address, it may be none of this machine.
  if (code === 'EADDRNOTAVAIL' && message.startsWith('bind EADDRNOTAVAIL')) {
    return `${method} ${withoutQuery(href)}: the source address is none of this machine, or all its ports are in use (${message})`
  }
  const said =
    message !== '' && code !== '' && !message.includes(code) ? `${code}: ${message}` : message || code
  return `${method} ${withoutQuery(href)}: ${advice[hitClass]} (${said})`
}

/** A query may hold secrets, and would make each message another. */
export function withoutQuery(href: string): string {
  const end = href.indexOf('?')
  return end === -1 ? href : href.slice(0, end)
}
