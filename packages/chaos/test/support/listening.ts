import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { connect } from 'node:net'

/** Resolves when a server takes connections. @throws when it exits before */
export async function untilListening(child: ChildProcess, port: number): Promise<void> {
  while (!(await isTaken(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} exited with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Ends a server and waits for it. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function isTaken(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isTaken = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  })
  socket.destroy()
  return isTaken
}
