import type { Pause } from '@loads-runner/testcase/load'
import { formatDuration, parseDuration } from '../duration.ts'
import { UsageError } from '../errors.ts'

/**
 * `none`, `1s`, `1s..3s` (uniform), `exp:2s` (exponential), `pace:5s` (from start to start).
 *
 * @throws {UsageError} when the text is none of them
 */
export function parsePause(text: string): Pause {
  if (text === 'none') return { type: 'none' }
  const [, kind, time] = /^(exp|pace):(.*)$/s.exec(text) ?? []
  if (kind !== undefined) {
    const ms = timeOf(time!, text)
    if (ms === 0) throw new UsageError(`"${text}": the time must be longer than nothing`)
    return kind === 'exp' ? { type: 'exponential', meanMs: ms } : { type: 'pacing', ms }
  }
  const range = text.split('..')
  if (range.length > 2) throw notPause(text)
  const [fromMs, toMs] = range.map((part) => timeOf(part, text))
  if (toMs === undefined) return fromMs === 0 ? { type: 'none' } : { type: 'constant', ms: fromMs! }
  if (fromMs! > toMs) throw new UsageError(`"${text}": the shorter time comes first`)
  return { type: 'uniform', fromMs: fromMs!, toMs }
}

function timeOf(part: string, text: string): number {
  try {
    return parseDuration(part)
  } catch {
    throw notPause(text)
  }
}

function notPause(text: string): UsageError {
  return new UsageError(`"${text}" is not a pause (write 1s, 1s..3s, exp:2s or pace:5s)`)
}

/** In words, for plans: `pause 1s to 3s`. Null without a pause. */
export function describePause(pause: Pause): string | null {
  switch (pause.type) {
    case 'none':
      return null
    case 'constant':
      return `pause ${formatDuration(pause.ms)}`
    case 'uniform':
      return `pause ${formatDuration(pause.fromMs)} to ${formatDuration(pause.toMs)}`
    case 'exponential':
      return `pause ${formatDuration(pause.meanMs)} on average, exponential`
    case 'pacing':
      return `an execution every ${formatDuration(pause.ms)} per user`
  }
}
