import { spawn, type ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort as freeTcpPort } from '../../prometheus/support/prometheus.ts'

interface Flushed {
  counters: Record<string, number>
  gauges: Record<string, number>
}

/** Prints what each flush holds, as a line of JSON. */
const backend = `
exports.init = (startup, config, events) => {
  events.on('flush', (at, { counters, gauges }) => console.log(JSON.stringify({ counters, gauges })))
  console.log('ready')
  return true
}`

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

/** The daemon of npm's `statsd`, on ports of its own. */
export class StatsdDaemon {
  readonly port: number
  readonly #directory: string
  readonly #child: ChildProcess
  readonly #flushed: Flushed[] = []

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port
    this.#directory = directory
    this.#child = child
  }

  static async start(): Promise<StatsdDaemon> {
    const directory = await mkdtemp(join(tmpdir(), 'loads-statsd-'))
    const port = await freeUdpPort()
    const home = dirname(createRequire(import.meta.url).resolve('statsd/package.json'))
    const file = (name: string) => join(directory, name)
    await writeFile(file('backend.js'), backend)
    const config = `{ address: '127.0.0.1', port: ${port}, mgmt_address: '127.0.0.1', mgmt_port: ${await freeTcpPort()},
      flushInterval: 200, backends: [${JSON.stringify(file('backend.js'))}], deleteIdleStats: false }`
    await writeFile(file('config.js'), config)
    const child = spawn(process.execPath, [join(home, 'stats.js'), file('config.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const daemon = new StatsdDaemon(port, directory, child)
    await daemon.#ready()
    return daemon
  }

  async stop(): Promise<void> {
    this.#child.removeAllListeners('exit')
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit')
      this.#child.kill()
      await gone
    }
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** All that a counter has counted; each flush begins at 0. */
  counted(name: string): number {
    return this.#flushed.reduce((all, { counters }) => all + (counters[name] ?? 0), 0)
  }

  /** The same when it has come to this, or 40 s are over. */
  async sumOf(name: string, expected: number): Promise<number> {
    const deadline = performance.now() + 40_000
    while (this.counted(name) < expected && performance.now() < deadline) await sleep(50)
    return this.counted(name)
  }

  /** Names of all counters that were ever there. */
  counters(): string[] {
    return [...new Set(this.#flushed.flatMap(({ counters }) => Object.keys(counters)))]
  }

  gauges(): Record<string, number> {
    return this.#flushed.at(-1)?.gauges ?? {}
  }

  /** A first flush: the socket is bound before that. */
  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      createInterface({ input: this.#child.stdout! }).on('line', (line) => {
        if (!line.startsWith('{')) return
        this.#flushed.push(JSON.parse(line) as Flushed)
        resolve()
      })
      this.#child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)))
    })
  }
}
