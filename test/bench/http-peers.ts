/**
 * Hits per second of one load thread beside other load generators, over HTTP: each has the same processor to itself.
 */
import { comparePeers } from './peers.ts'
import type { Bench } from './run.ts'

export const bench: Bench = { run: () => comparePeers('http') }
