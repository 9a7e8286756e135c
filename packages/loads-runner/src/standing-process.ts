import type { Log, LogLevel } from './place.ts'
import type { World } from './world.ts'

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 }

/** Log lines with time and level on standard error, from a level up. */
export function processLog(world: Pick<World, 'stderr'>, least: LogLevel): Log {
  return (level, text) => {
    if (severity[level] < severity[least]) return
    world.stderr.write(`${new Date().toISOString()} ${level} ${text}\n`)
  }
}

/**
 * Resolves at SIGINT or SIGTERM; with `likeParent` also when standard input ends, which happens when the parent is gone,
 * however it ended. A hang-up does not stop a process that is meant to stay.
 */
export async function untilToldToStop(
  world: Pick<World, 'onSignal' | 'stdin'>,
  likeParent: boolean,
): Promise<void> {
  let unsubscribe = () => {}
  const told = new Promise<void>((resolve) => {
    unsubscribe = world.onSignal((signal) => {
      if (signal !== 'SIGHUP') resolve()
    })
  })
  await Promise.race(likeParent ? [told, world.stdin.ended()] : [told])
  unsubscribe()
}

/**
 * A console that was killed could not remove what it had in the temporary directory: the processes that it started are
 * the ones who notice. Called when one of these has nothing more to do.
 */
export async function removeLeftOvers(): Promise<void> {
  await (await import('@loads-runner/engine')).removeAbandoned(null)
}

/** Is the process that started this one gone? It tells from the time on at which it was asked for. */
export function parentWatch(): () => boolean {
  const parent = process.ppid
  return () => process.ppid !== parent || parent === 1
}
