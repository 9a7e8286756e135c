import { durationOf } from '@loads-runner/testcase/load'
import type { RampingRate, RampingUsers } from '@loads-runner/testcase/load'
import { formatDuration, longestMs } from '../duration.ts'
import type { GivenLoad } from './given-load.ts'

/** What is wrong with the line of `--stages`, whatever it is a line of. */
export function lineProblems(load: GivenLoad): string[] {
  const { stages, start } = load.settings
  const total = (stages ?? []).reduce((sum, step) => sum + step.durationMs, 0)
  const problems: string[] = []
  if (total === 0) problems.push(`${load.name('stages')}: takes no time; give a step a duration`)
  if (total > longestMs) problems.push(`${load.name('stages')}: takes longer than 24 days`)
  const heights = [
    start?.value ?? load.settings.rate ?? 0,
    ...(stages ?? []).map((step) => step.target.value),
  ]
  if (heights.every((height) => height === 0))
    problems.push(`${load.name('stages')}: is at 0 all the time; give it a target to reach`)
  return problems
}

/** `0 to 100 over 10s, 100 for 1m, down to 0 over 10s`. */
export function describeLine(
  model: RampingUsers | RampingRate,
  startAt: number,
  format: (height: number) => string,
): string {
  let height = startAt
  const parts = model.steps.map(({ durationMs, target }) => {
    const before = height
    height = target
    if (before === target) return `${format(target)} for ${formatDuration(durationMs)}`
    if (durationMs === 0) return `jump to ${format(target)}`
    return `${format(before)} to ${format(target)} over ${formatDuration(durationMs)}`
  })
  const most = 6
  const shown = parts.length > most ? [...parts.slice(0, most), `${parts.length - most} more steps`] : parts
  return `${shown.join(', ')} (${formatDuration(durationOf(model) ?? 0)} in all)`
}
