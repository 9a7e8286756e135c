import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Command and arguments that run a piece of JavaScript in a new Node process. */
export function script(code: string): { command: string; args: string[] } {
  return { command: process.execPath, args: ['-e', code] }
}

/** For children that get ready and end in good order, however slow the machine is. */
export const patient = { startTimeoutMs: 50_000, stopGraceMs: 50_000 }

export const scripts = {
  /** Ignores SIGTERM and a closed standard input. */
  stubborn: `
    process.on('SIGTERM', () => {})
    setInterval(() => {}, 1000)
    try { require('node:fs').writeSync(4, 'up\\n') } catch {}`,

  /** Ends when its standard input closes, like our own programs. */
  wellBehaved: `
    process.stdin.resume()
    process.stdin.on('close', () => process.exit(0))`,

  /** Starts a grandchild, announces its process id once that is up, and ends when its standard input closes. */
  withGrandchild(code: string): string {
    return `
      const child = require('node:child_process').spawn(
        process.execPath,
        ['-e', ${JSON.stringify(`${code}; console.log('up')`)}],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      )
      child.stdout.once('data', () => require('node:fs').writeSync(4, child.pid + '\\n'))
      process.stdin.resume()
      process.stdin.on('close', () => process.exit(0))`
  },
}

/** True when none of the processes lives within the time (zombies do not count). */
export async function goneWithin(pids: number[], timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (pids.some(lives)) {
    if (performance.now() >= deadline) return false
    await delay(20)
  }
  return true
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
