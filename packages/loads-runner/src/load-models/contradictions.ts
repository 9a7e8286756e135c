import { optionName } from '../option-table.ts'
import { loadKeys } from '../options/load.ts'
import type { LoadKey } from '../options/load.ts'
import type { GivenLoad } from './given-load.ts'
import type { LoadKind } from './load-kind.ts'

/** Two options that cannot both count, and what to do about them. */
type Pair = readonly [LoadKey, LoadKey, fix: string, unless?: (load: GivenLoad) => boolean]

const pairs: readonly Pair[] = [
  ['iterations', 'duration', 'give one'],
  ['iterations', 'sharedHits', 'give one'],
  ['iterations', 'rate', 'executions at a rate have a --duration'],
  ['iterations', 'stages', 'the times of --stages say how long'],
  ['iterations', 'controlled', 'a controlled load has a --duration, or none'],
  ['sharedHits', 'duration', 'give --max-duration instead of --duration'],
  ['sharedHits', 'rate', 'executions at a rate have a --duration'],
  ['sharedHits', 'stages', 'the times of --stages say how long'],
  ['sharedHits', 'controlled', 'a controlled load has a --duration, or none'],
  ['duration', 'stages', 'the times of --stages say how long'],
  ['stages', 'controlled', 'either the line or somebody outside decides'],
  [
    'users',
    'stages',
    'the targets of --stages are the users; give --start for the first',
    (load) => load.has('rate'),
  ],
  ['pause', 'delay', 'give one'],
]

/**
 * Options that exclude each other: the nearer one wins; of two from the same place neither does.
 *
 * @returns a problem for each pair from the same place
 */
export function settle(load: GivenLoad): string[] {
  const problems: string[] = []
  for (const [one, other, fix, unless] of pairs) {
    if (!load.has(one) || !load.has(other) || unless?.(load) === true) continue
    const nearer = load.rank(one) - load.rank(other)
    if (nearer === 0) problems.push(`${load.name(one)} and ${load.name(other)} exclude each other: ${fix}`)
    else load.drop(nearer < 0 ? one : other)
  }
  return problems
}

/**
 * Options that say nothing to a model: those from farther away than what chose it are dropped, the others are problems.
 */
export function settleFor(load: GivenLoad, kind: Pick<LoadKind<never>, 'options'>): string[] {
  const chosenBy = kind.options[0]!
  const nearest = Math.max(...kind.options.map((key) => load.rank(key)))
  const problems: string[] = []
  for (const key of loadKeys) {
    if (!load.has(key) || kind.options.includes(key)) continue
    // Already said, as one of a pair.
    if (pairs.some(([one, other]) => [one, other].includes(key) && [one, other].includes(chosenBy))) continue
    if (load.rank(key) < nearest) load.drop(key)
    else problems.push(`${load.name(key)} says nothing ${besides(load, chosenBy, key)}`)
  }
  return problems
}

function besides(load: GivenLoad, chosenBy: LoadKey, key: LoadKey): string {
  const needs = needsOf[key]
  if (needs !== undefined && !load.has(chosenBy)) return `without ${needs}: add that, or leave it out`
  const hint = needs === undefined ? 'leave one of them out' : `it is for ${needs}`
  return `besides ${load.has(chosenBy) ? load.name(chosenBy) : `--${optionName(chosenBy)}`}: ${hint}`
}

/** What an option belongs to, where that is not every model. */
const needsOf: Partial<Record<LoadKey, string>> = {
  start: '--stages or --controlled users',
  spacing: '--rate',
  maxLate: '--rate',
  maxDuration: '--iterations or --shared-hits',
  rampUp: '--users',
  pause: 'users that wait for answers, and a rate decides itself when executions start',
  delay: 'users that wait for answers, and a rate decides itself when executions start',
}
