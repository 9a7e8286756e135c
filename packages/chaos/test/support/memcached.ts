import { spawn, type ChildProcess } from 'node:child_process'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { ended, untilListening } from './listening.ts'
import { needs } from './needs.ts'

/** A real memcached, empty. */
export class Memcached implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(port: number, child: ChildProcess) {
    this.port = port
    this.#child = child
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  static async start(test: Context): Promise<Memcached> {
    needs(test, 'memcached')
    const port = await freePort()
    const options = ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '64', '-u', 'nobody']
    const child = spawn('memcached', options, { stdio: 'ignore' })
    await untilListening(child, port)
    return new Memcached(port, child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ended(this.#child)
  }
}
