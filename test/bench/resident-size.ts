import { readdir, readFile } from 'node:fs/promises'

/** Resident size of a process and everything below it, in megabytes. Linux only. */
export async function residentMegabytes(root: number): Promise<number> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null) : null
    if (stat !== null) parents.set(Number(name), Number(stat.split(') ')[1]!.split(' ')[1]))
  }
  const isBelow = (pid: number): boolean => pid === root || (parents.has(pid) && isBelow(parents.get(pid)!))
  let pages = 0
  for (const pid of [...parents.keys()].filter(isBelow)) {
    pages += Number((await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0')).split(' ')[1])
  }
  return (pages * 4096) / 1e6
}
