import { parseDuration } from '../duration.ts'
import type { OptionTable } from '../option-table.ts'
import { flag, oneOf, positiveDuration, ratio, whole, word } from '../option-values.ts'

/** Who makes the load, and what happens when some of it is lost. */
export interface ClusterSettings {
  agents: number | null
  broker: string | null
  workers: number | null
  precise: boolean
  onAgentLoss: 'respread' | 'continue' | 'fail'
  minCoverage: number
  lease: number
  maxOrphanTime: number
  maxSeries: number
}

const group = 'Cluster:'

export const clusterOptions: OptionTable<ClusterSettings> = {
  agents: {
    flags: '-a, --agents <N>',
    group,
    help: 'run on N agents: of the broker, or without --broker on N processes started here for this run',
    initial: null,
    parse: whole(1, 100_000),
  },
  broker: {
    flags: '-b, --broker <@FILE|URL>',
    group,
    help: "the operator's join string of a standing broker, or @ and the file that holds it",
    initial: null,
    parse: word,
  },
  workers: {
    flags: '--workers <N>',
    group,
    help: 'load threads per agent; 0 runs the users on the main thread, for debugging (default: by cores)',
    initial: null,
    parse: whole(0, 1024),
  },
  precise: {
    flags: '--precise',
    group,
    help: 'start the executions of a rate closer to the plan: each load thread keeps a core busy',
    initial: false,
    parse: flag,
  },
  onAgentLoss: {
    flags: '--on-agent-loss <WHAT>',
    group,
    help: 'respread: other agents take over its users; continue: go on without them; fail: end the run',
    initial: 'respread',
    parse: oneOf('respread', 'continue', 'fail'),
  },
  minCoverage: {
    flags: '--min-coverage <R>',
    group,
    help: 'share of the windows of all agents that must arrive, else the verdict is "incomplete" (default: 1)',
    initial: 1,
    parse: ratio,
  },
  lease: {
    flags: '--lease <T>',
    group,
    help: 'an agent that is silent for this long is lost (default: 6s)',
    initial: 6000,
    parse: positiveDuration,
  },
  maxOrphanTime: {
    flags: '--max-orphan-time <T>',
    group,
    help: 'an agent without its broker stops its load after this time (default: 30s)',
    initial: 30_000,
    parse: parseDuration,
  },
  maxSeries: {
    flags: '--max-series <N>',
    group,
    help: 'different names that are measured; the rest is summed up as one (default: 1000)',
    initial: 1000,
    parse: whole(1, 1_000_000),
  },
}
