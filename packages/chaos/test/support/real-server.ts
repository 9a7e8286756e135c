import type { ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { ended } from './listening.ts'

/** A server of another project, in a process of its own, with what it keeps; all gone after the test. */
export class RealServer implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess
  readonly #directory: string | null

  constructor(port: number, child: ChildProcess, directory: string | null = null) {
    this.port = port
    this.#child = child
    this.#directory = directory
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ended(this.#child)
    if (this.#directory !== null) await rm(this.#directory, { recursive: true, force: true })
  }
}
