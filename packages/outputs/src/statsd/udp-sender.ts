import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { formatEndpoint, type Endpoint } from '@loads-runner/protocol'
import { messageOf, OutputError } from '../errors.ts'

/** Packets that are on their way to the system at once; more would only wait in its memory. */
const betweenRests = 16

/** Sends packets to one place. What was not sent is known; whether anybody listens is not, by the nature of UDP. */
export class UdpSender {
  readonly #endpoint: Endpoint
  readonly #onRefused: () => void
  #socket: Socket | null = null
  #saidRefused = false

  /** @param onRefused called once, when the other machine says that nobody listens there */
  constructor(endpoint: Endpoint, onRefused: () => void) {
    this.#endpoint = endpoint
    this.#onRefused = onRefused
  }

  /** @throws {OutputError} OUTPUT_UNAVAILABLE when the host has no address */
  async open(): Promise<void> {
    const { host, port } = this.#endpoint
    this.close()
    let found: { address: string; family: number }
    try {
      found = await lookup(host)
    } catch (error) {
      throw new OutputError('OUTPUT_UNAVAILABLE', `no address of ${host}: ${messageOf(error)}`, {
        cause: error,
      })
    }
    const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4')
    // What goes wrong is met where it is sent.
    socket.on('error', () => {})
    socket.unref()
    // Connected, so that it hears when nobody listens, and asks for the address once.
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.connect(port, found.address, () => resolve())
    })
    this.#socket = socket
  }

  /** Sends packets in order and takes those that were sent out of the array. */
  async send(packets: Buffer[], signal: AbortSignal): Promise<void> {
    for (let sent = 1; packets.length > 0; sent++) {
      signal.throwIfAborted()
      await this.#sendOne(packets[0]!)
      packets.shift()
      // The other side empties its buffer only while it runs: a rest lets it.
      if (sent % betweenRests === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  close(): void {
    this.#socket?.close()
    this.#socket = null
  }

  async #sendOne(packet: Buffer): Promise<void> {
    try {
      await this.#try(packet)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
      // It is the answer to a packet before this one, which was not sent therefore.
      if (!this.#saidRefused) this.#onRefused()
      this.#saidRefused = true
      await this.#try(packet)
    }
  }

  #try(packet: Buffer): Promise<void> {
    const socket = this.#socket
    if (socket === null)
      throw new OutputError('OUTPUT_UNAVAILABLE', `no socket to ${this.address}; it was closed`)
    return new Promise((resolve, reject) => {
      socket.send(packet, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  get address(): string {
    return formatEndpoint(this.#endpoint.host, this.#endpoint.port)
  }
}
