import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findCommand } from '../../../test/bench/command.ts'
import { writeFiles } from '../../../test/helpers/files.ts'
import { freePort } from '../../../test/bench/nginx.ts'

/** A proxy that is measured, on a processor of its own. */
export interface StartedProxy {
  port: number
  controlPort: number | null
  /** Seconds of the processor until now. */
  cpuSeconds(): Promise<number>
  residentMegabytes(): Promise<number>
  stop(): Promise<void>
}

const script = fileURLToPath(new URL('proxy-process.js', import.meta.url))

/** @returns null where the program is not installed */
export async function startWay(
  way: string,
  backend: string,
  processor: number,
  directory: string,
): Promise<StartedProxy | null> {
  if (way === 'haproxy') return startHaproxy(backend, processor, directory)
  if (way === 'toxiproxy') return startToxiproxy(backend, processor)
  const child = pinned(processor, [process.execPath, script, way, backend])
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  const [port, controlPort] = line.toString().split(' ').map(Number)
  return { ...(await started(child, port!)), controlPort: controlPort ?? null }
}

async function startHaproxy(
  backend: string,
  processor: number,
  directory: string,
): Promise<StartedProxy | null> {
  const program = findCommand('haproxy')
  if (program === null) return null
  const port = await freePort()
  await writeFiles(directory, {
    'haproxy.cfg': `
global
  nbthread 1
  maxconn 4096
defaults
  mode tcp
  timeout connect 5s
  timeout client 600s
  timeout server 600s
listen all
  bind 127.0.0.1:${port}
  server one ${backend}
`,
  })
  return started(pinned(processor, [program, '-f', join(directory, 'haproxy.cfg')]), port)
}

/** The server of Toxiproxy: its path in TOXIPROXY, or on the path as `toxiproxy-server`. */
async function startToxiproxy(backend: string, processor: number): Promise<StartedProxy | null> {
  const program = process.env.TOXIPROXY ?? findCommand('toxiproxy-server')
  if (program === null || program === '') return null
  const [api, port] = [await freePort(), await freePort()]
  const child = pinned(processor, [program, '-port', String(api)])
  const process_ = await started(child, api)
  const answer = await fetch(`http://127.0.0.1:${api}/proxies`, {
    method: 'POST',
    body: JSON.stringify({ name: 'all', listen: `127.0.0.1:${port}`, upstream: backend }),
  })
  if (!answer.ok) throw new Error(`Toxiproxy did not make a proxy: ${await answer.text()}`)
  return { ...process_, port }
}

function pinned(processor: number, command: readonly string[]): ChildProcess {
  return spawn('taskset', ['-c', String(processor), ...command], { stdio: ['ignore', 'pipe', 'ignore'] })
}

async function started(child: ChildProcess, port: number): Promise<StartedProxy> {
  const closed = once(child, 'close')
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill)
  child.stdout?.resume()
  for (let attempt = 0; attempt < 250 && child.exitCode === null && !(await isOpen(port)); attempt++)
    await delay(20)
  if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`)
  const { pid } = child
  return {
    port,
    controlPort: null,
    cpuSeconds: async () => {
      const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
      // Fields 14 and 15, in hundredths of a second.
      return (Number(stat[11]) + Number(stat[12])) / 100
    },
    residentMegabytes: async () => {
      const pages = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]
      return (Number(pages) * 4096) / 1e6
    },
    stop: async () => {
      process.off('exit', kill)
      child.kill('SIGTERM')
      await closed
    },
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
