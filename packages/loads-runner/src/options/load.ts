import type { Pause, Spacing } from '@loads-runner/testcase/load'
import { parseDuration } from '../duration.ts'
import type { OptionTable } from '../option-table.ts'
import { oneOf, positiveDuration, stages, whole } from '../option-values.ts'
import { parsePause } from './pause-value.ts'
import { parseRate, parseStart, parseSteps } from './rate-values.ts'
import type { Height, LineStep } from './rate-values.ts'

/**
 * What shapes the load of one scenario. Each is an option of the command line, a key of the configuration file and of
 * its scenarios, and a key of a class's `static load`. Times are milliseconds; null is "not given".
 */
export interface LoadSettings {
  /** One number per stage. */
  users: readonly number[] | null
  iterations: readonly number[] | null
  sharedHits: number | null
  duration: number | null
  maxDuration: number | null
  rampUp: number

  /** Executions per second. */
  rate: number | null
  stages: readonly LineStep[] | null
  start: Height | null
  spacing: Spacing
  maxLate: number

  controlled: 'users' | 'rate' | null

  pause: Pause | null
  delay: number
  gracefulStop: number
}

const load = 'Load, users that wait for answers:'
const open = 'Load, at a rate or along a line:'
const both = 'Load, all kinds:'

export const loadOptions: OptionTable<LoadSettings> = {
  users: {
    flags: '-u, --users <N>',
    group: load,
    help: 'virtual users, in total over all agents; 10:20:30 are successive stages; with --rate the most there may be (default: 1, with --agents N: N, with --rate: 10000)',
    initial: null,
    parse: stages,
  },
  iterations: {
    flags: '--iterations <N>',
    group: load,
    help: 'executions per user; N:M pairs with the stages of --users (default: 1; also called --hits)',
    initial: null,
    parse: stages,
    aliases: ['hits'],
  },
  sharedHits: {
    flags: '--shared-hits <N>',
    group: load,
    help: 'executions of all users together: whoever is free makes the next',
    initial: null,
    parse: whole(1, 1_000_000_000_000),
  },
  duration: {
    flags: '-d, --duration <T>',
    group: load,
    help: 'make load for this time (30s, 5m), in each stage of --users; instead of --iterations',
    initial: null,
    parse: positiveDuration,
  },
  maxDuration: {
    flags: '--max-duration <T>',
    group: load,
    help: 'with --iterations or --shared-hits: no execution starts later',
    initial: null,
    parse: positiveDuration,
  },
  rampUp: {
    flags: '--ramp-up <T>',
    group: load,
    help: 'spread the start of the users of a stage over this time',
    initial: 0,
    parse: parseDuration,
  },

  rate: {
    flags: '--rate <R>',
    group: open,
    help: 'start so many executions over all agents (50/s, 3000/m, 0.5/s; a bare number is per second), whatever the target does; needs --duration or --stages',
    initial: null,
    parse: parseRate,
  },
  stages: {
    flags: '--stages <T:N,...>',
    group: open,
    help: 'a line of users, or with --rate of the rate: "10s:100,1m:100,10s:0" is up to 100, stay, down to 0',
    initial: null,
    parse: (text, previous) => [...(previous ?? []), ...parseSteps(text)],
    repeatable: true,
  },
  start: {
    flags: '--start <N>',
    group: open,
    help: 'where the line of --stages starts (default: no users, or --rate); with --controlled users: users at the start',
    initial: null,
    parse: parseStart,
  },
  spacing: {
    flags: '--spacing <HOW>',
    group: open,
    help: 'starts of a rate: uniform, or poisson (at random with the same mean) (default: uniform)',
    initial: 'uniform',
    parse: oneOf('uniform', 'poisson'),
  },
  maxLate: {
    flags: '--max-late <T>',
    group: open,
    help: 'with a rate: an execution that found no free user for so long is dropped and counted (default: 30s)',
    initial: 30_000,
    parse: parseDuration,
  },
  controlled: {
    flags: '--controlled <WHAT>',
    group: open,
    help: 'users or rate: --control changes it while the run goes on; starts at --start or --rate, --users is the most',
    initial: null,
    parse: oneOf('users', 'rate'),
  },
  pause: {
    flags: '--pause <SPEC>',
    group: both,
    help: 'between two executions of a user: 1s, 1s..3s (uniform), exp:2s (exponential), pace:5s (start to start)',
    initial: null,
    parse: parsePause,
  },
  delay: {
    flags: '--delay <T>',
    group: both,
    help: 'the same as --pause T',
    initial: 0,
    parse: parseDuration,
  },
  gracefulStop: {
    flags: '--graceful-stop <T>',
    group: both,
    help: 'how long executions may go on when their stage is over or the run is stopped (default: 30s)',
    initial: 30_000,
    parse: parseDuration,
  },
}

export type LoadKey = keyof LoadSettings

export const loadKeys = Object.keys(loadOptions) as LoadKey[]
