import type { Socket } from 'node:net'
import { TLSSocket, type SecureContext, type TLSSocketOptions } from 'node:tls'
import { detailOf, type Handshake, type HandshakeEnd } from './handshake.ts'
import type { HandshakeTrouble, TlsTreatment } from './treatment.ts'
import { Wire } from './wire.ts'

/** How long what was written may take to get through before the socket is closed all the same. */
const lingerMs = 5000
/** A host name as it may stand in a certificate. */
const hostName = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i

export interface TerminateOptions {
  /** What is shown to clients that ask for a name, or for that of the address they came to. */
  context(name: string): Promise<SecureContext>
  alpn: readonly string[]
  treatment: TlsTreatment
  timeoutMs: number
}

/**
 * Speaks TLS with a client that was accepted and not read from. `settled` is called once, unless it is cancelled first.
 */
export function terminate(
  raw: Socket,
  options: TerminateOptions,
  settled: (end: HandshakeEnd) => void,
): Handshake {
  const terminated = new Termination(raw, options, settled)
  terminated.begin()
  return terminated
}

class Termination implements Handshake {
  readonly #raw: Socket
  readonly #options: TerminateOptions
  readonly #settled: (end: HandshakeEnd) => void
  readonly #timer: NodeJS.Timeout
  #stall: NodeJS.Timeout | undefined
  #wire: Wire | null = null
  #secure: TLSSocket | null = null
  #isOver = false
  #isStalled = false
  /** TLS is ready, and only the stall is to end. */
  #isEstablished = false
  #wentWrong: HandshakeEnd | null = null

  constructor(raw: Socket, options: TerminateOptions, settled: (end: HandshakeEnd) => void) {
    this.#raw = raw
    this.#options = options
    this.#settled = settled
    this.#timer = setTimeout(() => {
      // A stall is meant to outlast the patience of whoever waits for it.
      if (!this.#isStalled) this.#fail('tls-failed', 'handshake timed out')
    }, options.timeoutMs)
    raw.on('error', this.#onRawError)
    raw.on('close', this.#onRawClose)
    // TLS cannot do that for a socket below a wire.
    raw.setNoDelay(true)
  }

  begin(): void {
    const address = this.#raw.localAddress?.replace('::ffff:', '') ?? 'localhost'
    this.#options.context(address).then(
      (context) => {
        if (!this.#isOver) this.#speak(context)
      },
      (error: Error) => this.#fail('tls-failed', detailOf(error)),
    )
  }

  cancel(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#letGo()
    this.#discard()
  }

  goOn(): void {
    if (!this.#isStalled || this.#isOver) return
    clearTimeout(this.#stall)
    this.#isStalled = false
    this.#wire?.goOn()
    if (this.#isEstablished) this.#hand()
  }

  #speak(secureContext: SecureContext): void {
    const { treatment, alpn } = this.#options
    const options: TLSSocketOptions = {
      isServer: true,
      secureContext,
      SNICallback: (name, done) => this.#named(name, done),
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
    }
    const { handshake } = treatment
    if (handshake !== undefined || treatment.closeNotify === false) {
      const wire = new Wire(this.#raw)
      wire.on('error', () => {})
      this.#wire = wire
      if (handshake !== undefined)
        wire.limit('bytes' in handshake ? handshake.bytes : 0, () => this.#trouble(handshake))
      this.#secure =
        treatment.closeNotify === false ? new WordlessTls(wire, options) : new TLSSocket(wire, options)
    } else this.#secure = new TLSSocket(this.#raw, options)
    this.#secure.on('error', this.#onTlsError).on('end', this.#onTlsEnd)
    this.#secure.once('secure', this.#onSecure)
  }

  #named(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    if (!hostName.test(name)) {
      done(new Error('the client asked for something that is no host name'))
      return
    }
    this.#options.context(name.toLowerCase()).then((context) => done(null, context), done)
  }

  readonly #onSecure = (): void => {
    this.#isEstablished = true
    // Trouble for later bytes than there were is trouble at the end of the handshake.
    this.#wire?.exhaust()
    if (!this.#isStalled && this.#wentWrong === null) this.#hand()
  }

  readonly #onTlsError = (error: Error): void => this.#fail('tls-failed', detailOf(error))
  /** Half a handshake is none: who has ended cannot go on with it. */
  readonly #onTlsEnd = (): void => this.#fail('client', 'left in the handshake')
  readonly #onRawError = (error: Error): void => this.#fail('client-error', detailOf(error))
  readonly #onRawClose = (): void => {
    if (this.#isOver) return
    this.#isOver = true
    this.#letGo()
    this.#discard()
    this.#settled(this.#wentWrong ?? { secure: null, cause: 'client', detail: 'left in the handshake' })
  }

  #trouble(trouble: HandshakeTrouble): void {
    if (trouble.what === 'stall') {
      this.#isStalled = true
      if (trouble.ms > 0) this.#stall = setTimeout(() => this.goOn(), trouble.ms)
      return
    }
    this.#wentWrong = { secure: null, cause: 'fault', detail: `tls_${trouble.what}` }
    if (trouble.what === 'cut' && trouble.how === 'rst') {
      this.#raw.resetAndDestroy()
      return
    }
    if (trouble.what === 'alert') this.#raw.write(Buffer.from([0x15, 3, 3, 0, 2, 2, trouble.code]))
    this.#raw.end()
    // Closed at once with something unread it would be reset, and what was written might be lost.
    this.#closeLater()
  }

  #closeLater(): void {
    clearTimeout(this.#stall)
    this.#stall = setTimeout(() => this.#raw.destroy(), lingerMs)
  }

  #fail(cause: 'tls-failed' | 'client-error' | 'client', detail: string): void {
    if (this.#isOver || this.#wentWrong !== null) return
    this.#wentWrong = { secure: null, cause, detail }
    // The alert that tells the client why is on its way.
    this.#raw.destroySoon()
    this.#closeLater()
  }

  /** All is well: the socket is the caller's. */
  #hand(): void {
    const secure = this.#secure!
    const raw = this.#raw
    this.#isOver = true
    this.#letGo()
    raw.on('error', () => {})
    const serverName = typeof secure.servername === 'string' ? secure.servername : null
    const reset = (): void => {
      raw.resetAndDestroy()
      secure.destroy()
    }
    this.#settled({ secure: { socket: secure, serverName, reset } })
  }

  /** Errors that come after the end are nobody's. */
  #discard(): void {
    this.#secure?.on('error', () => {}).destroy()
    this.#raw.on('error', () => {}).destroy()
  }

  #letGo(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#stall)
    this.#raw.off('error', this.#onRawError).off('close', this.#onRawClose)
    this.#secure?.off('error', this.#onTlsError).off('end', this.#onTlsEnd).off('secure', this.#onSecure)
  }
}

/** Ends without close_notify, as a server that is cut off does. */
class WordlessTls extends TLSSocket {
  readonly #wire: Wire

  constructor(wire: Wire, options: TLSSocketOptions) {
    super(wire, options)
    this.#wire = wire
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#wire.silence()
    super._final(done)
  }
}
