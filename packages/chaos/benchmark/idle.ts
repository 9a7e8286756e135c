import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { startWay } from './started-proxy.ts'

/** Connections at a time on their way. */
const atOnce = 100
/** How long the control API may be asked. */
const asks = 100

/**
 * Memory of the proxy with 10,000 connections that carry nothing (fewer where the system allows no more files), and how fast
 * the control API answers while 1,000 clients do not read what their backend sends.
 */
export async function measureIdle(processor: number): Promise<void> {
  const { stdout } = await promisify(execFile)('bash', ['-c', 'ulimit -Hn'])
  const files = stdout.trim() === 'unlimited' ? Infinity : Number(stdout)
  // Each takes two of the proxy.
  const count = Math.min(10_000, Math.floor((files - 200) / 2))
  await withProxy('silent', processor, async (port, _control, megabytes) => {
    const before = await megabytes()
    const sockets = await connectMany(port, count)
    for (const socket of sockets) socket.write('hello')
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const after = await megabytes()
    const each = ((after - before) * 1000) / count
    console.log(`  ${count} idle connections: ${after.toFixed(0)} MB, ${each.toFixed(1)} KB each`)
    for (const socket of sockets) socket.destroy()
  })
  await withProxy('flood', processor, async (port, control, megabytes) => {
    const sockets = await connectMany(port, 1000)
    for (const socket of sockets) socket.pause()
    // Until the kernel's buffers are full.
    await new Promise((resolve) => setTimeout(resolve, 5000))
    const ask = async (): Promise<number> => {
      const began = performance.now()
      const answer = await fetch(`http://127.0.0.1:${control}/proxies`)
      await answer.text()
      return performance.now() - began
    }
    const times: number[] = []
    // The first takes what the client itself needs to begin.
    await ask()
    while (times.length < asks) times.push(await ask())
    const sorted = times.toSorted((a, b) => a - b)
    const [middle, high, worst] = [sorted[asks / 2]!, sorted[Math.floor(asks * 0.95)]!, sorted.at(-1)!]
    console.log(
      `  1,000 stalled connections: control answers in ${middle.toFixed(1)} ms (95 %: ${high.toFixed(1)}, worst: ${worst.toFixed(1)}); ` +
        `${(await megabytes()).toFixed(0)} MB`,
    )
    for (const socket of sockets) socket.destroy()
  })
}

async function withProxy(
  backend: 'silent' | 'flood',
  processor: number,
  work: (port: number, control: number, megabytes: () => Promise<number>) => Promise<void>,
): Promise<void> {
  const server = await startWay(backend, '', processor, '')
  const proxy = await startWay('ours-controlled', `127.0.0.1:${server!.port}`, processor, '')
  try {
    await work(proxy!.port, proxy!.controlPort!, () => proxy!.residentMegabytes())
  } finally {
    await proxy!.stop()
    await server!.stop()
  }
}

async function connectMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  const one = async (): Promise<void> => {
    while (sockets.length < count) {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      sockets.push(socket)
      await once(socket, 'connect')
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return sockets
}
