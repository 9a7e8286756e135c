/** How long the broker waits for what, in milliseconds. */

/** For agents to load the tests, and again to run setUpAgent. */
export const phaseLimitMs = 120_000

/** An agent that was silent for so long is shown as suspect; sooner where the lease is very short. */
const suspectMs = 2_000

/** After `kill`: for word of the run from an agent, and for its end. */
const killQuietMs = 5_000
const killLimitMs = 15_000

/** An agent that no run counts on is taken off the list after so long a silence. */
export const idleLeaseMs = 6_000

/** What an agent's silence means under a lease of `leaseMs`. */
export function judgeSilence(silentMs: number, leaseMs: number): 'fine' | 'suspect' | 'lost' {
  if (silentMs > leaseMs) return 'lost'
  return silentMs > Math.min(suspectMs, leaseMs / 2) ? 'suspect' : 'fine'
}

/** Has an agent had its time to end after `kill`? */
export function isPastKill(sinceKillMs: number, sinceWordMs: number): boolean {
  return Math.min(sinceKillMs, sinceWordMs) > killQuietMs || sinceKillMs > killLimitMs
}

export function asSeconds(ms: number): number {
  return Math.round(ms / 100) / 10
}
