import type { RunSpec } from '@loads-runner/protocol'

/**
 * What the benchmark `idle-users` holds Loads to, so the most that a waiting user costs; what tests keep themselves
 * comes on top.
 */
const bytesPerUser = 10 * 1024
const bytesPerConnection = 20 * 1024
/** A session process with one load thread and a small test. */
const bytesPerProcess = 100e6

export interface ResourceEstimate {
  memoryBytes: number
  /** Open at one time to one address: at least, and at most. */
  connections: { least: number; most: number }
}

/** What an agent with so many users may need. Estimates. */
export function estimateFor(users: number, { connections, http2 }: RunSpec['target']): ResourceEstimate {
  const { policy, most: mostEach } = connections
  const each = http2 ? 1 : mostEach
  // Of a pool each load thread has one; how many there are the agent decides.
  const least = policy === 'user' ? users : Math.min(users, 1)
  const most = policy === 'shared' ? Math.min(users * each, Math.max(each, users)) : users * each
  return {
    memoryBytes:
      bytesPerProcess +
      users * bytesPerUser +
      Math.max(least, policy === 'fresh' ? users : least) * bytesPerConnection,
    connections: { least, most: Math.max(least, most) },
  }
}
