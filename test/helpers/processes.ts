import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Finds processes through /proc. Those of one test carry a mark in their environment, which every descendant inherits:
 * so they are found also when their parents are gone. (Not LOADS_...: those names are options.)
 */
export const markVariable = 'TEST_PROCESS_MARK'

export interface ProcessView {
  pid: number
  parent: number
  /** Program and arguments, for messages. */
  command: string
}

/** All living processes (zombies are not) that were started with this mark. Only on Linux; elsewhere none. */
export function processesMarked(mark: string): ProcessView[] {
  const entry = `${markVariable}=${mark}`
  return allProcesses().filter(({ pid }) => readProc(pid, 'environ').split('\0').includes(entry))
}

/** All living descendants of a living process. */
export function descendantsOf(pid: number): ProcessView[] {
  const all = allProcesses()
  const found: ProcessView[] = []
  const parents = new Set([pid])
  for (let grown = true; grown;) {
    grown = false
    for (const view of all) {
      if (!parents.has(view.parent) || parents.has(view.pid)) continue
      parents.add(view.pid)
      found.push(view)
      grown = true
    }
  }
  return found
}

/** Throws with the list when marked processes are still there after `withinMs`. */
export async function assertNoneLeft(mark: string, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const left = processesMarked(mark)
    if (left.length === 0) return
    if (performance.now() >= deadline) {
      const list = left
        .map(({ pid, parent, command }) => `  ${pid} (parent ${parent}): ${command}`)
        .join('\n')
      throw new Error(`still running after ${withinMs} ms:\n${list}`)
    }
    await delay(25)
  }
}

/** Ends whatever carries the mark. */
export async function killMarked(mark: string): Promise<void> {
  // A process may start another while we look: look again.
  for (let round = 0; round < 10 && killMarkedNow(mark) > 0; round++) await delay(20)
}

/** One look, at once: for the end of this process. Returns how many were found. */
export function killMarkedNow(mark: string): number {
  const left = processesMarked(mark)
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  return left.length
}

function allProcesses(): ProcessView[] {
  if (process.platform !== 'linux') return []
  const views: ProcessView[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const pid = Number(name)
    const stat = readProc(pid, 'stat')
    // The command is in brackets and may hold anything; after it come state and parent.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (stat === '' || state === 'Z' || state === 'X') continue
    views.push({
      pid,
      parent: Number(parent),
      command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim(),
    })
  }
  return views
}

/** Empty when the process is gone or somebody else's. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
