/** Which agents a run gets: pure, so that it can be tested and explained. */

export interface Candidate {
  id: string
  host: string
  /** Runs at once. */
  slots: number
  /** Runs at present. */
  busy: number
}

/**
 * Chooses `count` different agents with a free slot, one host after the other (20 agents on two hosts are 10 + 10).
 * Hosts with less to do come first, and on each host the agents with less to do; names break ties, so the
 * same candidates always give the same choice, in whatever order they come.
 *
 * @returns the ids in the order of their shares; null when fewer than `count` agents have a free slot
 */
export function place(candidates: Iterable<Candidate>, count: number): string[] | null {
  const hosts = new Map<string, { name: string; busy: number; free: Candidate[] }>()
  let free = 0
  for (const candidate of candidates) {
    let host = hosts.get(candidate.host)
    if (host === undefined) hosts.set(candidate.host, (host = { name: candidate.host, busy: 0, free: [] }))
    host.busy += candidate.busy
    if (candidate.busy >= candidate.slots) continue
    host.free.push(candidate)
    free++
  }
  if (free < count) return null

  const turns = [...hosts.values()].sort((a, b) => a.busy - b.busy || compare(a.name, b.name))
  for (const host of turns) host.free.sort((a, b) => a.busy - b.busy || compare(a.id, b.id))
  const chosen: string[] = []
  for (let round = 0; chosen.length < count; round++) {
    for (const host of turns) {
      const next = host.free[round]
      if (next !== undefined && chosen.length < count) chosen.push(next.id)
    }
  }
  return chosen
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
