import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * An address on which a dial neither succeeds nor fails: a listener that accepts nothing, with its queue full. Linux drops
 * what comes then, and the dialler tries again and again.
 */
export class BlackHole implements AsyncDisposable {
  readonly address: string
  readonly #stop: () => Promise<void>
  readonly #fill: readonly Socket[]

  private constructor(port: number, fill: readonly Socket[], stop: () => Promise<void>) {
    this.address = `127.0.0.1:${port}`
    this.#fill = fill
    this.#stop = stop
  }

  static async open(): Promise<BlackHole> {
    // Node accepts what it listens to; a process that is stopped does not.
    const script =
      "require('net').createServer().listen({host:'127.0.0.1',port:0,backlog:1},function(){console.log(this.address().port)})"
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const port = Number(line.toString())
    child.kill('SIGSTOP')
    const fill: Socket[] = []
    for (;;) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      fill.push(socket)
      const isTaken = await new Promise<boolean>((resolve) => {
        // Of a process that stood still the timer is due first: what came in the meantime is told before the immediate.
        const timer = setTimeout(() => setImmediate(() => resolve(false)), 300)
        socket.once('connect', () => {
          clearTimeout(timer)
          resolve(true)
        })
      })
      if (!isTaken) break
      if (fill.length > 100) throw new Error('the queue of a listener does not fill')
    }
    return new BlackHole(port, fill, async () => {
      child.kill('SIGKILL')
      await closed
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#fill) socket.destroy()
    await this.#stop()
  }
}
