import type { RunView } from '@loads-runner/history'
import { formatCount, formatMillis, formatRate, plural } from './figures.ts'
import { oneLine } from './text-table.ts'
import { thresholdMark, thresholdValue } from './threshold-text.ts'
import type { ThresholdView } from './threshold-text.ts'

/** How a line is to look where there are colors. */
export type LineStyle = 'plain' | 'good' | 'bad' | 'doubtful' | 'dim'

export interface LiveLine {
  text: string
  style: LineStyle
}

const mostScenarios = 6
const mostThresholds = 5
/** Above it a load thread is late for everything that it does. Milliseconds. */
const lagLimitMs = 10
/** Lateness that a schedule of starts is not to have. Milliseconds. */
const latenessLimitMs = 10

/** What stands above the bar of a run, the most important first. Nothing for a plain run of one scenario. */
export function liveLines(view: RunView): LiveLine[] {
  if (view.state !== 'running' && view.state !== 'draining') return []
  return [
    ...warmUpLine(view),
    ...startLine(view),
    ...responseLine(view),
    ...controlLines(view),
    ...scenarioLines(view),
    ...thresholdLines(view.thresholds),
    ...generatorLine(view),
  ]
}

function line(text: string, style: LineStyle = 'plain'): LiveLine {
  return { text: oneLine(text), style }
}

function warmUpLine(view: RunView): LiveLine[] {
  if (!view.inWarmUp) return []
  const seconds = Math.ceil(view.warmUpLeftMs() / 1000)
  return [
    line(`warm-up      figures count in ${seconds}s (${plural(view.warmUpHits, 'hit')} so far)`, 'doubtful'),
  ]
}

function startLine(view: RunView): LiveLine[] {
  const rates = view.startRates()
  if (rates === null) return []
  const { latenessMs } = view.generator
  // A narrow terminal cuts the end off.
  const figures = [
    ...(view.dropped > 0 ? [`DROPPED ${formatCount(view.dropped)} (${formatRate(rates.dropped)}/s)`] : []),
    `planned ${formatRate(rates.planned)}/s`,
    `started ${formatRate(rates.started)}/s`,
    `late ${formatMillis(latenessMs)}`,
    ...(view.dropped > 0 ? [] : ['dropped 0']),
  ]
  const late = latenessMs > latenessLimitMs || rates.started < 0.95 * rates.planned
  const style = view.dropped > 0 ? 'bad' : late ? 'doubtful' : 'plain'
  return [line(`starts       ${figures.join('  ')}`, style)]
}

function responseLine(view: RunView): LiveLine[] {
  const { p50, p95, p99 } = view.liveResponses.rates()
  if (p50 === null) return []
  const service = view.live.rates()
  const quantiles = `p50 ${formatMillis(p50)}  p95 ${formatMillis(p95)}  p99 ${formatMillis(p99)}`
  return [line(`response     ${quantiles}  (service p95 ${formatMillis(service.p95)})`)]
}

function controlLines(view: RunView): LiveLine[] {
  const several = view.controls.size > 1 || view.scenarios.size > 0
  return [...view.controls].slice(0, mostScenarios).map(([name, { target, paused }]) => {
    const what = `${several ? `${name} ` : ''}set to ${formatRate(target)}`
    return line(`control      ${what}${paused ? ', paused' : ''}`, paused ? 'doubtful' : 'plain')
  })
}

function scenarioLines(view: RunView): LiveLine[] {
  const shown = [...view.scenarios.values()].slice(0, mostScenarios)
  if (shown.length === 0) return []
  const width = Math.min(24, Math.max(12, ...shown.map(({ name }) => oneLine(name).length)))
  const lines = shown.map((scenario) => {
    const { executionsPerSecond, p95 } = scenario.rates()
    const name = oneLine(scenario.name)
    const title = name.length > width ? `${name.slice(0, width - 1)}…` : name.padEnd(width)
    const figures = [
      plural(scenario.executions, 'execution'),
      `${formatRate(executionsPerSecond)}/s`,
      `p95 ${formatMillis(p95)}`,
      plural(scenario.failed, 'error'),
    ]
    return line(`${title} ${figures.join('  ')}`, scenario.failed > 0 ? 'doubtful' : 'plain')
  })
  const more = view.scenarios.size - shown.length
  return more > 0 ? [...lines, line(`and ${more} more scenarios`, 'dim')] : lines
}

/** Crossed ones first: those are what somebody wants to know. */
export function thresholdLines(thresholds: readonly ThresholdView[], most = mostThresholds): LiveLine[] {
  const rank = ({ ok }: ThresholdView) => (ok === false ? 0 : ok === null ? 1 : 2)
  const sorted = thresholds.toSorted((one, other) => rank(one) - rank(other))
  const shown = sorted.slice(0, most)
  const lines = shown.map((each) => {
    const style = each.ok === null ? 'dim' : each.ok ? 'good' : 'bad'
    return line(`${thresholdMark(each)} ${oneLine(each.expression)}  ${thresholdValue(each)}`, style)
  })
  const rest = sorted.slice(shown.length)
  if (rest.length === 0) return lines
  const crossed = rest.filter(({ ok }) => ok === false).length
  const what = crossed > 0 ? `, ${crossed} of them crossed` : ''
  return [...lines, line(`and ${plural(rest.length, 'more threshold')}${what}`, crossed > 0 ? 'bad' : 'dim')]
}

function generatorLine({ generator }: RunView): LiveLine[] {
  const { eventLoopLagMs } = generator
  if (eventLoopLagMs <= lagLimitMs) return []
  return [
    line(
      `generator    late by ${formatMillis(eventLoopLagMs)}: figures of this moment are doubtful`,
      'doubtful',
    ),
  ]
}
