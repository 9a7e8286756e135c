import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { needs } from './needs.ts'

/** A real web server. */
export class Nginx implements AsyncDisposable {
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

  /** @param server what stands in the block `server`, where $PORT is the port */
  static async start(test: Context, server: string): Promise<Nginx> {
    needs(test, 'nginx')
    const directory = await mkdtemp(join(tmpdir(), 'nginx-'))
    const port = await freePort()
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const temporary = paths.map((each) => `${each}_temp_path ${directory}/${each};`).join('\n')
    await writeFile(
      join(directory, 'nginx.conf'),
      `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
      events { worker_connections 512; }
      http { access_log off; ${temporary} default_type text/plain; keepalive_requests 100000;
        server { ${server.replaceAll('$PORT', String(port))} } }`,
    )
    const child = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let errors = ''
    child.stderr!.on('data', (text: Buffer) => (errors += text.toString()))
    while (!(await isThere(port))) {
      if (child.exitCode !== null) throw new Error(`nginx: ${errors}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return new Nginx(port, child, directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM')
      await once(this.#child, 'exit')
    }
    await rm(this.#directory, { recursive: true, force: true })
  }
}

async function isThere(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isThere = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  })
  socket.destroy()
  return isThere
}
