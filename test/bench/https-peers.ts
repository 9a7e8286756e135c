/** The same over TLS: each user's connection is encrypted, certificates are not verified. */
import { comparePeers } from './peers.ts'
import type { Bench } from './run.ts'

export const bench: Bench = { run: () => comparePeers('https') }
