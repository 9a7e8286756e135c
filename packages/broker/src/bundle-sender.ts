import type { RegisteredAgent } from './agent-registry.ts'
import { bundlePartBytes } from './bundle-store.ts'
import type { Clock } from './clock.ts'

/** How often a sender that had to pause looks whether it may go on. */
const pauseMs = 20
/** Parts that may wait to be written before a sender pauses. */
const maxBacklog = 8

/** Sends a bundle in parts, no faster than the link takes them. Ends early when the link breaks. */
export async function sendBundle(
  agent: RegisteredAgent,
  runId: string,
  hash: string,
  bytes: Uint8Array,
  clock: Clock,
): Promise<void> {
  const link = agent.links
  const linked = () => agent.connected && agent.links === link
  for (let at = 0; at === 0 || at < bytes.length; at += bundlePartBytes) {
    while (linked() && agent.backlog > maxBacklog) await new Promise<void>((go) => clock.after(pauseMs, go))
    if (!linked()) return
    const end = Math.min(bytes.length, at + bundlePartBytes)
    agent.send({ type: 'bundle', runId, hash, last: end === bytes.length, bytes: bytes.subarray(at, end) })
  }
}
