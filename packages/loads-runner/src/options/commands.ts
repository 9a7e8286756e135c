import type { OptionTable } from '../option-table.ts'
import { flag, positiveDuration, ratio, whole, word } from '../option-values.ts'
import { parseRate } from './rate-values.ts'
import { parseReplay } from './replay-value.ts'
import type { ReplayTarget } from './replay-value.ts'

/** Commands other than a plain run, and ways to run. */
export interface CommandSettings {
  dryRun: boolean
  once: boolean
  verbose: boolean
  watch: boolean
  inspect: boolean
  replay: ReplayTarget | null
  findCapacity: string | null
  capacityStep: number
  /** Users, or starts per second. */
  capacityMax: number | null
  capacityTolerance: number
  detach: boolean
  /** '' is "the only active run", here and in `control`. */
  attach: string | null
  control: string | null
  setUsers: number | null
  setRate: number | null
  pauseLoad: boolean
  resumeLoad: boolean
  ofScenario: string | null
  stop: string | null
  listRuns: boolean
  pingBroker: boolean
  checkCluster: boolean
  purgeBroker: boolean
}

const trying = 'Trying tests out:'
const capacity = 'Capacity:'
const brokers = 'Runs of a broker (all need --broker):'

export const commandOptions: OptionTable<CommandSettings> = {
  dryRun: {
    flags: '--dry-run',
    group: trying,
    help: 'load the tests and show the plan; make no load',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  once: {
    flags: '--once',
    group: trying,
    help: 'one user runs each test once, on the main thread',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  verbose: {
    flags: '-v, --verbose',
    group: trying,
    help: 'with --once: print each request and its response',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  watch: {
    flags: '--watch',
    group: trying,
    help: 'run again whenever a test, or what it imports, changes',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  inspect: {
    flags: '--inspect',
    group: trying,
    help: 'wait for a debugger to attach; users run on the main thread, and nothing times out',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  replay: {
    flags: '--replay <RUN:EXECUTION>',
    group: trying,
    help: 'run one recorded execution again, on the main thread: latest:default/3/0; RUN is a run directory or latest',
    initial: null,
    parse: parseReplay,
    commandLineOnly: true,
  },
  findCapacity: {
    flags: '--find-capacity <EXPR>',
    group: capacity,
    help: 'search the highest rate (or with --users: number of users) that holds: "p(95)<200, errors<1%"',
    initial: null,
    parse: word,
    commandLineOnly: true,
  },
  capacityStep: {
    flags: '--capacity-step <T>',
    group: capacity,
    help: 'with --find-capacity: measure each load for this time (default: 10s)',
    initial: 10_000,
    parse: positiveDuration,
    commandLineOnly: true,
  },
  capacityMax: {
    flags: '--capacity-max <N>',
    group: capacity,
    help: 'with --find-capacity: try no higher rate, or no more users',
    initial: null,
    parse: parseRate,
    commandLineOnly: true,
  },
  capacityTolerance: {
    flags: '--capacity-tolerance <R>',
    group: capacity,
    help: 'with --find-capacity: how close to come, as a part of the answer (default: 0.05)',
    initial: 0.05,
    parse: ratio,
    commandLineOnly: true,
  },
  detach: {
    flags: '--detach',
    group: brokers,
    help: 'leave the run to the broker and return at once',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  attach: {
    flags: '--attach [RUN]',
    group: brokers,
    help: 'watch a run of the broker; without RUN its only active one',
    initial: null,
    parse: (text) => text,
    commandLineOnly: true,
  },
  control: {
    flags: '--control [RUN]',
    group: brokers,
    help: 'change the load of a --controlled run of the broker, by one of the next options',
    initial: null,
    parse: (text) => text,
    commandLineOnly: true,
  },
  setUsers: {
    flags: '--set-users <N>',
    group: brokers,
    help: 'with --control: so many users',
    initial: null,
    parse: whole(0, 10_000_000),
    commandLineOnly: true,
  },
  setRate: {
    flags: '--set-rate <R>',
    group: brokers,
    help: 'with --control: so many executions per second',
    initial: null,
    parse: parseRate,
    commandLineOnly: true,
  },
  pauseLoad: {
    flags: '--pause-load',
    group: brokers,
    help: 'with --control: start nothing until --resume-load',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  resumeLoad: {
    flags: '--resume-load',
    group: brokers,
    help: 'with --control: go on',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  ofScenario: {
    flags: '--of-scenario <NAME>',
    group: brokers,
    help: 'with --control: the scenario, where the run has more than one',
    initial: null,
    parse: word,
    commandLineOnly: true,
  },
  stop: {
    flags: '--stop <RUN>',
    group: brokers,
    help: 'stop a run of the broker: users finish what they are doing; once more cuts them off',
    initial: null,
    parse: word,
    commandLineOnly: true,
  },
  listRuns: {
    flags: '--list-runs',
    group: brokers,
    help: 'runs of the broker',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  pingBroker: {
    flags: '--ping-broker',
    group: brokers,
    help: 'is the broker there, and which agents has it',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  checkCluster: {
    flags: '--check-cluster',
    group: brokers,
    help: 'run a small test on every idle agent; with --server-url each also asks the target once',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  purgeBroker: {
    flags: '--purge-broker',
    group: brokers,
    help: 'stop every run of the broker',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
}
