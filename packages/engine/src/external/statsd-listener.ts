import { createSocket } from 'node:dgram'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import type { Recorder } from '@loads-runner/metrics'
import { parseStatsdPacket } from './statsd-packet.ts'

/** Takes in what external runners send to STATSD_HOST:STATSD_PORT, on loopback. */
export class StatsdListener {
  readonly #socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  readonly #recorder: Recorder
  readonly #gauges = new Map<string, number>()
  #malformed = 0
  #packets = 0

  constructor(recorder: Recorder) {
    this.#recorder = recorder
    this.#socket.on('message', (packet) => this.#take(packet.toString('utf8')))
    this.#socket.on('error', () => {})
  }

  /** @returns the port that it listens on */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.bind(0, '127.0.0.1', () => {
        this.#socket.off('error', reject)
        resolve(this.#socket.address().port)
      })
    })
  }

  /** Lines that were not statsd. */
  get malformed(): number {
    return this.#malformed
  }

  async close(): Promise<void> {
    // Packets sent just before their sender ended are in the socket's buffer still.
    await sleep(50)
    // After a standstill timers come before packets: those that are here are taken in all the same.
    let taken
    do {
      taken = this.#packets
      await turn()
      await turn()
    } while (this.#packets !== taken)
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }

  #take(packet: string): void {
    this.#packets++
    const { metrics, malformed } = parseStatsdPacket(packet)
    this.#malformed += malformed
    for (const { name, type, value, relative, weight } of metrics) {
      if (type === 'counter') this.#recorder.count(name, value)
      else if (type === 'timing') {
        for (let each = 0; each < weight; each++) this.#recorder.timing(name, value * 1000)
      } else {
        const now = relative ? (this.#gauges.get(name) ?? 0) + value : value
        if (this.#gauges.size < 10_000 || this.#gauges.has(name)) this.#gauges.set(name, now)
        this.#recorder.gauge(name, now)
      }
    }
  }
}
