import type { DetachQuestion } from '../watch-run.ts'
import type { World } from '../world.ts'

/** Asks at the terminal whether to stop the run or to leave it to its broker; null without a terminal. */
export function stopQuestion(world: Pick<World, 'stdin' | 'stderr'>): DetachQuestion | null {
  if (!world.stdin.isTTY || !world.stderr.isTTY) return null
  return async (again) => {
    world.stderr.write(
      '\nStop the run, or detach and let it go on? [s]top, [d]etach, Enter to go on watching: ',
    )
    const line = await world.stdin.readLine(again)
    if (again.aborted) world.stderr.write('\n')
    // The terminal has gone: nobody watches, and the run need not end for that.
    if (line === null) return again.aborted ? 'stop' : 'detach'
    const letter = line.trim().toLowerCase()[0]
    if (letter === 's') return 'stop'
    return letter === 'd' ? 'detach' : 'go on'
  }
}
