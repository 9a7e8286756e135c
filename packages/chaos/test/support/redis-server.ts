import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { ended, untilListening } from './listening.ts'
import { needs } from './needs.ts'

/** A real Redis, empty, that keeps nothing. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess
  readonly #directory: string

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.port = port
    this.#child = child
    this.#directory = directory
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  static async start(test: Context, options: readonly string[] = []): Promise<RedisServer> {
    needs(test, 'redis-server')
    const directory = await mkdtemp(join(tmpdir(), 'redis-'))
    const port = await freePort()
    const usual = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory]
    const child = spawn('redis-server', [...usual, ...options], { stdio: 'ignore' })
    await untilListening(child, port)
    return new RedisServer(port, child, directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ended(this.#child)
    await rm(this.#directory, { recursive: true, force: true })
  }
}
