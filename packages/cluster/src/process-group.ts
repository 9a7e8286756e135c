import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Groups that must not outlive this process. One handler for all of them: a cluster may have many. */
const guarded = new Set<number>()

function killGuarded(): void {
  for (const group of guarded) {
    try {
      process.kill(-group, 'SIGKILL')
    } catch {
      // Gone already, or not ours any more: there is nothing left to do while exiting.
    }
  }
}

/** Kills the group when this process exits, until it is {@link unguardGroup | unguarded}. */
export function guardGroup(group: number): void {
  if (guarded.size === 0) process.on('exit', killGuarded)
  guarded.add(group)
}

export function unguardGroup(group: number): void {
  guarded.delete(group)
  if (guarded.size === 0) process.off('exit', killGuarded)
}

/** Sends a signal to every process of the group that we may signal. False when there is none left at all. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return false
    // Somebody else's by now (setuid): there, but out of reach. Who waits for its end will see that.
    if (code === 'EPERM') return true
    throw error
  }
}

/** True while the group has a process that is more than a zombie. */
export function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
  // A signal also reaches zombies, and in a container nobody may ever reap an orphan.
  return process.platform === 'linux' ? hasLivingMember(group) : true
}

/** Resolves true when the group is gone, false when it is still there after `timeoutMs`. */
export async function groupGone(group: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  let pauseMs = 5
  while (isGroupAlive(group)) {
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) return false
    await delay(Math.min(pauseMs, leftMs))
    pauseMs = Math.min(pauseMs * 2, 100)
  }
  return true
}

function hasLivingMember(group: number): boolean {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    let stat: string
    try {
      stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
    } catch {
      continue
    }
    // The command is in brackets and may hold anything; after it come state, parent and group.
    const [state, , memberOf] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(memberOf) === group && state !== 'Z' && state !== 'X') return true
  }
  return false
}
