import { lookup } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Listener, Peer } from '../channel.ts'
import { codec } from '../codec.ts'
import { formatEndpoint } from '../endpoint.ts'
import { ChannelError } from '../errors.ts'
import type { ChannelErrorCode } from '../errors.ts'
import { createToken, dialerFrameSchema, protocolVersion, verifyHello } from '../hello.ts'
import type { BrokerFrame, DialerFrame } from '../hello.ts'
import type { BrokerKeys } from '../keys.ts'
import { agentToBrokerSchema } from '../messages/agent-to-broker.ts'
import type { AgentToBroker } from '../messages/agent-to-broker.ts'
import type { BrokerToAgent } from '../messages/broker-to-agent.ts'
import { operatorToBrokerSchema } from '../messages/operator.ts'
import type { BrokerToOperator, OperatorToBroker } from '../messages/operator.ts'
import { HalfOpen } from './half-open.ts'
import { Link, timing } from './link.ts'
import type { LinkOptions } from './link.ts'
import { PeerDesk } from './peer-desk.ts'
import { watch } from './socket-events.ts'
import { openDoor } from './zap.ts'
import { fromParts, loadTransport, socketOptions, toParts } from './zeromq.ts'
import type { Router } from './zeromq.ts'

export interface ListenOptions {
  /** Name or address to bind; `0.0.0.0` or `::` for all. */
  host: string
  /** 0: any free one. */
  port: number
  keys: BrokerKeys
}

/** Longest frame that somebody without a role may send. */
const newcomerBytes = 64 * 1024
/** After a TCP connection ended, all peers are probed, but not more often than this. */
const probeEveryMs = 250

/**
 * Listens with one ROUTER socket: CURVE, ZAP for the door, a signed hello for the role.
 *
 * @throws {ChannelError} CHANNEL_BIND, CHANNEL_UNAVAILABLE.
 */
export async function listen(options: ListenOptions): Promise<ZeromqListener> {
  const { host, port, keys } = options
  const { zmq, context } = loadTransport()
  const wanted = formatEndpoint(host, port)
  const door = await openDoor([keys.agent.curve.publicKey, keys.operator.curve.publicKey])
  const router = new zmq.Router({
    ...socketOptions,
    context,
    mandatory: true,
    backlog: 1_024,
    handshakeInterval: 5_000,
    curveServer: true,
    curvePublicKey: keys.server.publicKey,
    curveSecretKey: keys.server.secretKey,
    zapDomain: door.domain,
  })
  const listener = new ZeromqListener(router, keys, () => door.close())
  try {
    const { address, family } = await lookup(host)
    router.ipv6 = family === 6
    await bind(router, `tcp://${formatEndpoint(address, port).replace(/:0$/, ':*')}`, port !== 0)
  } catch (error) {
    await listener.close()
    throw new ChannelError(
      'CHANNEL_BIND',
      wanted,
      `Cannot listen on ${wanted}: ${(error as Error).message}. Choose another address or port.`,
      { cause: error },
    )
  }
  listener.start()
  return listener
}

/** A listener closed a moment ago frees its port in the background, so a fixed port is tried again for a second. */
async function bind(router: Router, endpoint: string, isFixed: boolean): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await router.bind(endpoint)
    } catch (error) {
      if (!isFixed || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === 20) throw error
      await delay(50)
    }
  }
}

/** A peer's link, whatever its messages are. */
type Session = Pick<Link<never, never>, 'receive' | 'tick' | 'report' | 'broken' | 'close'>

export class ZeromqListener implements Listener {
  readonly #router: Router
  readonly #keys: BrokerKeys
  readonly #closeDoor: () => Promise<void>
  readonly #desk = new PeerDesk()
  readonly #halfOpen = new HalfOpen()
  /** By routing id, as text of one character per byte. */
  readonly #sessions = new Map<string, Session>()
  #address = ''
  #ticker: NodeJS.Timeout | null = null
  #probe: NodeJS.Timeout | null = null
  #closing: Promise<void> | null = null
  #ignored = 0

  constructor(router: Router, keys: BrokerKeys, closeDoor: () => Promise<void>) {
    this.#router = router
    this.#keys = keys
    this.#closeDoor = closeDoor
  }

  get address(): string {
    return this.#address
  }

  /** Frames that were no part of any conversation, and were dropped. */
  get ignored(): number {
    return this.#ignored
  }

  /** Peers with a role. */
  get peers(): number {
    return this.#sessions.size
  }

  start(): void {
    this.#address = (this.#router.lastEndpoint ?? '').replace(/^tcp:\/\//, '')
    this.#ticker = setInterval(() => this.#tick(), timing.tickMs)
    watch(this.#router, (event) => {
      if (event === 'disconnect') this.#probeSoon()
    })
    void this.#receiveAll()
  }

  onPeer(handler: (peer: Peer) => void): void {
    this.#desk.onPeer(handler)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()))
    if (this.#ticker !== null) clearInterval(this.#ticker)
    if (this.#probe !== null) clearTimeout(this.#probe)
    this.#router.close()
    await this.#closeDoor()
  }

  async #receiveAll(): Promise<void> {
    while (!this.#router.closed) {
      let routingId: Buffer | undefined
      let parts: Buffer[]
      try {
        ;[routingId, ...parts] = await this.#router.receive()
      } catch {
        // Only closing ends a wait; the condition above then ends the loop.
        continue
      }
      if (routingId === undefined || parts.length === 0) continue
      this.#receive(routingId, parts)
    }
  }

  #receive(routingId: Buffer, parts: Buffer[]): void {
    const key = routingId.toString('latin1')
    const session = this.#sessions.get(key)
    if (session !== undefined) return session.receive(fromParts(parts))
    if (this.#closing !== null || !this.#greet(key, routingId, parts)) this.#ignored += 1
  }

  /** Takes in a frame of somebody without a role. False: it is ignored. */
  #greet(key: string, routingId: Buffer, parts: Buffer[]): boolean {
    let frame: DialerFrame
    try {
      if (parts.length !== 1 || parts[0]!.length > newcomerBytes) return false
      frame = codec.validate(dialerFrameSchema, codec.decode(parts[0]!))
    } catch {
      return false
    }
    const now = performance.now()
    if (frame[0] === 'connect') {
      if (frame[1] !== protocolVersion) return this.#refuseVersion(key, routingId, frame[1])
      const nonce = this.#halfOpen.challenge(key, now)
      if (nonce === null) return false
      this.#say(key, routingId, ['challenge', nonce])
      return true
    }

    const [, role, identity, signature] = frame
    const nonce = this.#halfOpen.take(key, now)
    if (nonce === null) return false
    const facts = { nonce, serverKey: this.#keys.server.publicKey, role, identity }
    if (!verifyHello(this.#keys[role].signing.publicKey, facts, signature)) {
      const text = `The broker does not accept this key for the role of an ${role}. Use its ${role}.join file.`
      this.#say(key, routingId, ['refused', 'CHANNEL_WRONG_ROLE' satisfies ChannelErrorCode, text])
      return true
    }
    const token = createToken()
    this.#say(key, routingId, ['welcome', token])
    if (role === 'agent') {
      const connection = this.#open<BrokerToAgent, AgentToBroker>(key, routingId, token, agentToBrokerSchema)
      this.#desk.admit({ role, identity, connection })
    } else {
      const connection = this.#open<BrokerToOperator, OperatorToBroker>(
        key,
        routingId,
        token,
        operatorToBrokerSchema,
      )
      this.#desk.admit({ role, identity, connection })
    }
    return true
  }

  #refuseVersion(key: string, routingId: Buffer, theirs: number): boolean {
    if (!this.#halfOpen.spend(key)) return false
    const text =
      `The broker speaks version ${protocolVersion} of the protocol, this side version ${theirs}. ` +
      'Install the same version of Loads on both.'
    this.#say(key, routingId, ['refused', 'CHANNEL_VERSION' satisfies ChannelErrorCode, text])
    return true
  }

  #open<Out, In>(
    key: string,
    routingId: Buffer,
    token: Uint8Array,
    schema: LinkOptions<In>['schema'],
  ): Link<Out, In> {
    const link = new Link<Out, In>({
      schema,
      token,
      write: (bytes) => void this.#send(key, routingId, bytes),
      ended: () => void this.#sessions.delete(key),
    })
    this.#sessions.set(key, link)
    return link
  }

  #say(key: string, routingId: Buffer, frame: BrokerFrame): void {
    void this.#send(key, routingId, codec.encode(frame))
  }

  async #send(key: string, routingId: Buffer, bytes: Uint8Array): Promise<void> {
    try {
      await this.#router.send([routingId, ...toParts(bytes)])
    } catch {
      // No route: its connection has ended. What it said before may still wait to be read.
      this.#halfOpen.forget(key)
      const session = this.#sessions.get(key)
      if (session === undefined) return
      await this.#readAll()
      session.broken('The connection broke')
    }
  }

  /** Waits until what has arrived is read; for a second at most, as others may keep talking. */
  async #readAll(): Promise<void> {
    const deadline = performance.now() + 1_000
    do {
      await delay(5)
    } while (!this.#router.closed && this.#router.readable && performance.now() < deadline)
    await delay(0)
  }

  #tick(): void {
    const now = performance.now()
    this.#halfOpen.expire(now)
    for (const session of this.#sessions.values()) session.tick(now)
  }

  /** The socket does not tell whose connection ended, so everybody gets a sign of life; it fails where nobody is. */
  #probeSoon(): void {
    if (this.#probe !== null || this.#closing !== null) return
    this.#probe = setTimeout(() => {
      this.#probe = null
      for (const session of this.#sessions.values()) session.report()
    }, probeEveryMs)
  }
}
