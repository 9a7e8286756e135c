import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** A server for UDP that keeps what it gets. */
export class UdpRecorder {
  readonly packets: string[] = []
  readonly #socket: Socket = createSocket('udp4')

  async start(): Promise<number> {
    this.#socket.on('message', (bytes) => this.packets.push(bytes.toString()))
    this.#socket.bind(0, '127.0.0.1')
    await once(this.#socket, 'listening')
    return this.#socket.address().port
  }

  /** All lines so far. What was sent before is read before: the system keeps it in order. */
  async lines(): Promise<string[]> {
    const { port } = this.#socket.address()
    const mark = createSocket('udp4')
    const end = `end of ${this.packets.length}`
    mark.send(end, port, '127.0.0.1')
    while (!this.packets.includes(end)) await once(this.#socket, 'message')
    mark.close()
    this.packets.splice(this.packets.indexOf(end), 1)
    return this.packets.flatMap((packet) => packet.split('\n'))
  }

  close(): void {
    this.#socket.close()
  }
}

/** Sums of counters by name, tags included. */
export function countersOf(lines: readonly string[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const line of lines) {
    const match = /^([^:]+):(-?[\d.]+)\|c(?:\|#(.*))?$/.exec(line)
    if (match === null) continue
    const [, name, value, tags] = match
    const id = tags === undefined ? name! : `${name} ${tags}`
    sums.set(id, (sums.get(id) ?? 0) + Number(value))
  }
  return sums
}

/** The last value of each gauge, tags included; a sign is a change. */
export function gaugesOf(lines: readonly string[]): Map<string, number> {
  const values = new Map<string, number>()
  for (const line of lines) {
    const match = /^([^:]+):([-+]?)([\d.]+)\|g(?:\|#(.*))?$/.exec(line)
    if (match === null) continue
    const [, name, sign, digits, tags] = match
    const id = tags === undefined ? name! : `${name} ${tags}`
    const value = Number(sign + digits!)
    values.set(id, sign === '' ? value : (values.get(id) ?? 0) + value)
  }
  return values
}
