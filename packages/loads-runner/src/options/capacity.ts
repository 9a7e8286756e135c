import { UsageError } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { positiveDuration, whole } from '../option-values.ts'

/** How `--find-capacity` searches. */
export interface CapacitySettings {
  /** Milliseconds that each step is measured, after it has settled. */
  capacityStep: number
  /** Executions per second, or users. */
  capacityMax: number | null
  /** How close to get, as a part of the answer. */
  capacityTolerance: number
}

const group = 'Commands:'

export const capacityOptions: OptionTable<CapacitySettings> = {
  capacityStep: {
    flags: '--capacity-step <T>',
    group,
    help: 'with --find-capacity: measure each load for this time (default: 10s)',
    initial: 10_000,
    parse: positiveDuration,
    commandLineOnly: true,
  },
  capacityMax: {
    flags: '--capacity-max <N>',
    group,
    help: 'with --find-capacity: try no more than this rate (or so many users)',
    initial: null,
    parse: whole(1, 10_000_000),
    commandLineOnly: true,
  },
  capacityTolerance: {
    flags: '--capacity-tolerance <R>',
    group,
    help: 'with --find-capacity: how close to get, as a part of the answer (default: 0.05)',
    initial: 0.05,
    parse: tolerance,
    commandLineOnly: true,
  },
}

function tolerance(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value > 0 && value < 1) return value
  throw new UsageError(`"${text}" is no part of the answer: give a number above 0 and below 1, such as 0.05`)
}
