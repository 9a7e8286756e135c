import { tearDownNote } from '@loads-runner/protocol'
import { formatClock } from '../duration.ts'
import type { RunView } from '@loads-runner/history'
import { formatCount, formatMillis, formatRate, plural } from './figures.ts'

/** A figure; a list holds the same in words of different length, the longest first. */
export type Field = string | readonly string[]

/** The figures of a moment, the most important first: what does not fit is left out from the end. */
export function statusFields(view: RunView): Field[] {
  switch (view.state) {
    case 'queued':
      return [view.note === '' ? 'waiting for agents' : view.note]
    case 'preparing': {
      const ready = view.agentsIn('prepared').length
      return [`loading tests (${ready} of ${plural(view.agents.size, 'agent')} ready)`]
    }
    case 'ready':
      return [view.spec?.conducted === true ? 'setting up' : 'ready']
    default:
      return runningFields(view)
  }
}

/** `[=====-----]  50%` and as many fields as fit into `width`. */
export function fitFields(fields: readonly Field[], width: number): string {
  let line = ''
  for (const field of fields) {
    const longer = [field].flat().map((words) => (line === '' ? words : `${line}  ${words}`))
    const fitting = longer.find((each) => each.length <= width)
    if (fitting === undefined) return line === '' ? longer.at(-1)!.slice(0, Math.max(0, width)) : line
    line = fitting
  }
  return line
}

function runningFields(view: RunView): Field[] {
  const plannedMs = view.plannedMs()
  const clock = formatClock(view.elapsedMs())
  const hits = view.aggregate.hits()
  const live = view.live.rates()
  const p95 = `p95 ${formatMillis(live.p95)}`
  const lost = view.agentsIn('lost', 'fenced').length
  return [
    plannedMs === null ? clock : `${clock}/${formatClock(plannedMs)}`,
    ...(view.inWarmUp ? ['warm-up'] : [plural(hits.count, 'hit')]),
    `${formatRate(live.hitsPerSecond)}/s`,
    plural(view.failedExecutions, 'error'),
    [`p50 ${formatMillis(live.p50)} ${p95} p99 ${formatMillis(live.p99)}`, p95],
    plural(view.activeUsers, 'user'),
    ...(view.dropped > 0 ? [`${formatCount(view.dropped)} dropped`] : []),
    ...crossed(view),
    ...(hits.failed > 0 ? [`${formatCount(hits.failed)} hits failed`] : []),
    plural(view.agents.size, 'agent') + (lost > 0 ? ` (${lost} lost)` : ''),
    ...(view.state === 'draining' ? [view.note === tearDownNote ? 'tearing down' : 'draining'] : []),
  ]
}

function crossed({ thresholds }: RunView): Field[] {
  const count = thresholds.filter(({ ok }) => ok === false).length
  return count === 0 ? [] : [`${plural(count, 'threshold')} crossed`]
}

/** The schedule of open models and what users of the target felt: where there is no room for lines of their own. */
export function startFields(view: RunView): Field[] {
  const rates = view.startRates()
  if (rates === null || view.state === 'queued') return []
  const { p95 } = view.liveResponses.rates()
  return [
    `planned ${formatRate(rates.planned)}/s`,
    `late ${formatMillis(view.generator.latenessMs)}`,
    ...(p95 === null ? [] : [`response p95 ${formatMillis(p95)}`]),
  ]
}
