import type { RunSpec } from '@loads-runner/protocol'
import type { Clock } from './clock.ts'
import type { Journal } from './journal.ts'
import type { Log } from './run-voice.ts'
import type { OperatorPeerConnection } from './subscribers.ts'

/** What a run is made of and with. */
export interface RunOptions {
  id: string
  spec: RunSpec
  clock: Clock
  journal: Journal
  log: Log
  /** The console that runs setUpRun and tearDownRun; null when nobody needs to. */
  conductor: OperatorPeerConnection | null
  /** null when the bundle is not in store any more. */
  loadBundle: (hash: string) => Promise<Uint8Array | null>
  /** It has another state. Not called for the end: `onEnd` is. */
  onState: () => void
  /** The run has ended and its agents were told to release it. */
  onEnd: () => void
}
