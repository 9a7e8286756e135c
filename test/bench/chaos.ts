/**
 * What the chaos proxy costs next to a bare pipe, haproxy and Toxiproxy.
 */
import { compareProxies } from '../../packages/chaos/benchmark/throughput.ts'
import type { Bench } from './run.ts'

export const bench: Bench = { run: compareProxies }
