import { setTimeout as delay } from 'node:timers/promises'
import type { Identity, Role } from '../channel.ts'
import { codec } from '../codec.ts'
import { ChannelError } from '../errors.ts'
import type { ChannelErrorCode } from '../errors.ts'
import { brokerFrameSchema, protocolVersion, signHello } from '../hello.ts'
import type { BrokerFrame, DialerFrame } from '../hello.ts'
import type { Join } from '../join.ts'
import { timing } from './link.ts'
import type { Link } from './link.ts'
import { watch } from './socket-events.ts'
import { fromParts, loadTransport, socketOptions, toParts } from './zeromq.ts'
import type { Dealer } from './zeromq.ts'

type Wait<T> = { resolve(value: T): void; reject(error: ChannelError): void }

/**
 * One DEALER socket with one TCP connection, from the first packet to the end. It never connects again by itself: what
 * was lost with a connection is for the layer above to know.
 */
export class DealerLine {
  readonly #join: Join
  /** As the user wrote it, for messages. */
  readonly #address: string
  /** One address of it. */
  readonly #target: string
  readonly #dealer: Dealer
  /** The phase that waits for the broker; only one does at a time. */
  #waiting: Wait<BrokerFrame | null> | null = null
  /** accepted: by TCP. secured: the CURVE handshake is done. */
  #phase: 'dialing' | 'accepted' | 'secured' | 'gone' = 'dialing'
  #link: Pick<Link<never, never>, 'receive' | 'broken'> | null = null
  #ticker: NodeJS.Timeout | null = null
  /** Frames that came between the welcome and the link. */
  #early: Uint8Array[] = []

  /** @param target `host:port` with a numeric host. */
  constructor(join: Join, address: string, target: string) {
    const { zmq, context } = loadTransport()
    this.#join = join
    this.#address = address
    this.#target = target
    this.#dealer = new zmq.Dealer({
      ...socketOptions,
      context,
      ipv6: target.startsWith('['),
      reconnectInterval: -1,
      // Refuses to queue when there is no connection.
      immediate: true,
      curveServerKey: join.serverKey,
      curvePublicKey: join.curve.publicKey,
      curveSecretKey: join.curve.secretKey,
    })
  }

  /**
   * @param leftMs How long it may still take, asked again and again.
   * @throws {ChannelError} CHANNEL_UNREACHABLE, CHANNEL_WRONG_KEY, CHANNEL_TIMEOUT.
   */
  async open(leftMs: () => number): Promise<void> {
    watch(this.#dealer, (event) => this.#onEvent(event))
    await this.#wait(leftMs, () => this.#dealer.connect(`tcp://${this.#target}`))
    void this.#receiveAll()
  }

  /**
   * Proves the role and returns the token of the connection.
   *
   * @throws {ChannelError} CHANNEL_WRONG_ROLE, CHANNEL_VERSION, CHANNEL_REFUSED, CHANNEL_TIMEOUT, CHANNEL_LOST.
   */
  async introduce(role: Role, identity: Identity, leftMs: () => number): Promise<Uint8Array> {
    const challenge = await this.#ask(['connect', protocolVersion], leftMs)
    if (challenge[0] !== 'challenge') throw this.#refusal(challenge)
    const signature = signHello(this.#join.signingKey, {
      nonce: challenge[1],
      serverKey: this.#join.serverKey,
      role,
      identity,
    })
    const welcome = await this.#ask(['hello', role, identity, signature], leftMs)
    if (welcome[0] !== 'welcome') throw this.#refusal(welcome)
    return welcome[1]
  }

  /** What a link needs of its transport. */
  readonly ends = {
    write: (bytes: Uint8Array): void => this.#send(bytes),
    ended: (): void => this.close(),
  }

  attach<Out, In>(link: Link<Out, In>): Link<Out, In> {
    this.#link = link
    this.#ticker = setInterval(() => link.tick(performance.now()), timing.tickMs)
    const early = this.#early
    this.#early = []
    for (const bytes of early) link.receive(bytes)
    if (this.#phase === 'gone') link.broken(this.#lostText())
    return link
  }

  close(): void {
    if (this.#ticker !== null) clearInterval(this.#ticker)
    this.#dealer.close()
  }

  async #ask(frame: DialerFrame, leftMs: () => number): Promise<BrokerFrame> {
    if (this.#phase === 'gone') throw this.#error('CHANNEL_LOST', this.#lostText())
    return (await this.#wait(leftMs, () => this.#send(codec.encode(frame))))!
  }

  #wait(leftMs: () => number, begin: () => void): Promise<BrokerFrame | null> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout
      const look = () => {
        const ms = leftMs()
        if (ms > 0) timer = setTimeout(look, ms)
        else this.#fail(this.#timeout())
      }
      timer = setTimeout(look, Math.max(0, leftMs()))
      this.#waiting = {
        resolve: (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      begin()
    })
  }

  #onEvent(event: string): void {
    if (event === 'connect') this.#phase = 'accepted'
    else if (event === 'handshake') {
      this.#phase = 'secured'
      this.#succeed(null)
    } else if (event === 'handshake:error:auth') {
      const text = `The broker at ${this.#address} does not know the key of this join string. Get a new join file from it.`
      this.#fail(this.#error('CHANNEL_WRONG_KEY', text))
    } else if (event.startsWith('handshake:error') || event === 'disconnect') {
      if (this.#phase === 'secured') return void this.#onLost()
      const text =
        `What listens at ${this.#address} is not the broker of this join string. ` +
        'Check the address; if the broker got new keys, get a new join file from it.'
      this.#fail(this.#error('CHANNEL_WRONG_KEY', text))
    } else if ((event === 'close' || event === 'connect:retry') && this.#phase === 'dialing') {
      const text = `Nothing listens at ${this.#address}. Start the broker, or check the address.`
      this.#fail(this.#error('CHANNEL_UNREACHABLE', text))
    }
  }

  /** What came before the connection broke may still wait to be read. */
  async #onLost(): Promise<void> {
    this.#phase = 'gone'
    while (!this.#dealer.closed && this.#dealer.readable) await delay(1)
    await delay(0)
    this.#link?.broken(this.#lostText())
    this.#fail(this.#error('CHANNEL_LOST', this.#lostText()))
  }

  async #receiveAll(): Promise<void> {
    while (!this.#dealer.closed) {
      let parts: Buffer[]
      try {
        parts = await this.#dealer.receive()
      } catch {
        // Only closing ends a wait; the condition above then ends the loop.
        continue
      }
      const bytes = fromParts(parts)
      if (this.#link !== null) this.#link.receive(bytes)
      else if (this.#waiting !== null) this.#receiveAnswer(bytes)
      else this.#early.push(bytes)
    }
  }

  #receiveAnswer(bytes: Uint8Array): void {
    try {
      this.#succeed(codec.validate(brokerFrameSchema, codec.decode(bytes)))
    } catch {
      const text = `The broker at ${this.#address} gave no answer of this protocol. Install the same version on both.`
      this.#fail(this.#error('CHANNEL_VERSION', text))
    }
  }

  #send(bytes: Uint8Array): void {
    if (this.#dealer.closed) return
    // A failure means that the connection is gone, which the socket's events tell too.
    this.#dealer.send(toParts(bytes)).catch(() => {})
  }

  #succeed(value: BrokerFrame | null): void {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.resolve(value)
  }

  #fail(error: ChannelError): void {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.reject(error)
  }

  #timeout(): ChannelError {
    if (this.#phase === 'dialing')
      return this.#error(
        'CHANNEL_UNREACHABLE',
        `Nothing answers at ${this.#address}. Check the address and firewalls.`,
      )
    const text = `What listens at ${this.#address} accepts the connection and then says nothing: no broker, or one that hangs.`
    return this.#error('CHANNEL_TIMEOUT', text)
  }

  #refusal(frame: BrokerFrame): ChannelError {
    const known: ChannelErrorCode[] = ['CHANNEL_WRONG_ROLE', 'CHANNEL_VERSION']
    if (frame[0] !== 'refused') return this.#error('CHANNEL_REFUSED', 'The broker answered out of turn')
    return this.#error(known.find((code) => code === frame[1]) ?? 'CHANNEL_REFUSED', frame[2])
  }

  #lostText(): string {
    return `The connection to the broker at ${this.#address} broke`
  }

  #error(code: ChannelErrorCode, message: string): ChannelError {
    return new ChannelError(code, this.#address, message)
  }
}
