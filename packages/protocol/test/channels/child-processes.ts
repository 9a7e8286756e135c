import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ChildProcesses {
  /** Starts a module of this folder. */
  fork(module: string): ChildProcess
  keep(child: ChildProcess): ChildProcess
}

/** Those that the tests of a describe start; what is left of them after a test is killed. */
export function childProcesses(): ChildProcesses {
  const children: ChildProcess[] = []

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  const keep = (child: ChildProcess) => {
    children.push(child)
    return child
  }
  return { fork: (module) => keep(fork(fileURLToPath(new URL(module, import.meta.url)))), keep }
}
