import type { RunSpec } from '@loads-runner/protocol'

export type ScenarioSpec = RunSpec['profile']['scenarios'][number]
export type LoadModel = ScenarioSpec['stages'][number]

/** The load of a scenario in a line: `0 to 100/s over 10s, 100/s for 1m`. */
export function loadText({ stages, startMs }: ScenarioSpec): string {
  const most = 3
  const texts = stages.slice(0, most).map(stageText)
  const rest = stages.length > most ? [more(stages.length - most, 'stage')] : []
  return `${[...texts, ...rest].join('; then ')}${startMs > 0 ? ` (after ${duration(startMs)})` : ''}`
}

/** One stage in a line. */
export function stageText(model: LoadModel): string {
  switch (model.type) {
    case 'constant-users':
      return `${users(model.users)} for ${duration(model.durationMs)}`
    case 'hits-per-user':
      return `${users(model.users)}, ${executions(model.iterations)} each`
    case 'shared-hits':
      return `${users(model.users)} share ${executions(model.hits)}`
    case 'ramping-users':
      return line(model.startUsers, model.steps, users)
    case 'constant-rate':
      return `${perSecond(model.rate)} for ${duration(model.durationMs)}`
    case 'ramping-rate':
      return line(model.startRate, model.steps, perSecond)
    case 'externally-controlled': {
      const start = model.controls === 'rate' ? perSecond(model.start) : users(model.start)
      const time = model.durationMs === null ? 'until it is stopped' : `for ${duration(model.durationMs)}`
      return `controlled from outside ${time}, from ${start} on`
    }
  }
}

function line(
  start: number,
  steps: readonly { durationMs: number; target: number }[],
  format: (height: number) => string,
): string {
  const most = 4
  let height = start
  const parts = steps.slice(0, most).map(({ durationMs, target }) => {
    const before = height
    height = target
    if (before === target) return `${format(target)} for ${duration(durationMs)}`
    if (durationMs === 0) return `jump to ${format(target)}`
    return `${number(before)} to ${format(target)} over ${duration(durationMs)}`
  })
  return [...parts, ...(steps.length > most ? [more(steps.length - most, 'step')] : [])].join(', ')
}

const more = (count: number, noun: string) => `${count} more ${noun}${count === 1 ? '' : 's'}`
const users = (count: number) => `${number(count)} user${count === 1 ? '' : 's'}`
const executions = (count: number) => `${number(count)} execution${count === 1 ? '' : 's'}`

/** Slow rates are said per minute, where that is shorter. */
export function perSecond(rate: number): string {
  const perMinute = Math.round(rate * 60)
  const isSlow = rate > 0 && rate < 1 && Math.abs(rate * 60 - perMinute) < 1e-6
  return isSlow ? `${perMinute}/m` : `${number(rate)}/s`
}

function number(value: number): string {
  return String(Number(value.toPrecision(6)))
}

/** `500ms`, `30s`, `1h30m`. */
function duration(millis: number): string {
  if (millis < 1000 || millis % 1000 !== 0) return `${Math.round(millis)}ms`
  const seconds = millis / 1000
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  return parts.flatMap(([amount, unit]) => (amount > 0 ? [`${amount}${unit}`] : [])).join('')
}
