import type { Summary } from '@loads-runner/metrics'
import { formatBytes, formatCount, formatMillis, plural } from './figures.ts'
import { quantileText } from './quantile-text.ts'
import { oneLine } from './text-table.ts'
import { mostRows } from './summary-tables.ts'
import { thresholdLines } from './live-lines.ts'

/** The lines of a summary that are no tables. */

/** `Status: 2xx 120, 4xx 3, refused 7` */
export function statusText({ series, hits }: Summary): string {
  const classes = new Map<string, number>()
  for (const { status, count } of series) {
    const name = /^[1-5]\d\d$/.test(status) ? `${status[0]}xx` : status || 'other'
    classes.set(name, (classes.get(name) ?? 0) + count)
  }
  if (classes.size === 0) return ''
  const sorted = [...classes].sort(([a], [b]) => a.localeCompare(b))
  const failed = hits.failed > 0 ? `; ${formatCount(hits.failed)} failed` : ''
  const traffic = `; ${formatBytes(hits.bytesIn)} in, ${formatBytes(hits.bytesOut)} out`
  return `Status: ${sorted.map(([name, count]) => `${name} ${formatCount(count)}`).join(', ')}${failed}${traffic}\n`
}

export function socketsText({ websockets }: Summary): string {
  if (websockets.opened === 0 && websockets.closed === 0) return ''
  const { opened, closed, messagesSent, messagesReceived, bytesSent, bytesReceived } = websockets
  return (
    `WebSockets: ${formatCount(opened)} opened, ${formatCount(closed)} closed; ` +
    `sent ${plural(messagesSent, 'message')} (${formatBytes(bytesSent)}), ` +
    `received ${plural(messagesReceived, 'message')} (${formatBytes(bytesReceived)})\n`
  )
}

export function connectionsText({ connections }: Summary): string {
  const { opened, closed, tlsHandshakes, tlsResumed } = connections
  if (opened === 0 && tlsHandshakes === 0) return ''
  const tls =
    tlsHandshakes === 0
      ? ''
      : `; ${plural(tlsHandshakes, 'TLS handshake')}, ${formatCount(tlsResumed)} of them resumed`
  return `Connections: ${formatCount(opened)} opened, ${formatCount(closed)} closed${tls}\n`
}

/** Open models: what fell due and what became of it. */
export function scheduleText({ schedule }: Summary): string {
  const { planned, started, dropped, lateness } = schedule
  if (lateness === null && dropped === 0) return ''
  // Beside closed scenarios the executions that started are not those of the schedule alone.
  const starts = planned === null && lateness !== null ? lateness.count : started
  const plan = planned === null ? '' : `${formatCount(planned)} planned, `
  const late =
    lateness === null
      ? ''
      : `; lateness p50 ${quantileText(lateness, 'p50')}, p99 ${quantileText(lateness, 'p99')}, max ${formatMillis(lateness.max)}`
  return `Schedule: ${plan}${formatCount(starts)} started, ${formatCount(dropped)} dropped${late}\n`
}

export function warmUpText({ warmUp }: Summary): string {
  if (warmUp === null) return ''
  const { seconds, hits, executions } = warmUp
  return (
    `Warm-up: the first ${Number(seconds.toFixed(1))} s are in no figure ` +
    `(${plural(hits, 'hit')}, ${plural(executions, 'execution')})\n`
  )
}

/** All of them, those that were crossed first. */
export function thresholdsText({ thresholds }: Summary): string {
  if (thresholds.length === 0) return ''
  const lines = thresholdLines(thresholds, Infinity).map(({ text }) => `  ${text}\n`)
  return `Thresholds:\n${lines.join('')}`
}

export function coverageText({ coverage }: Summary): string {
  if (coverage.missing.length === 0) return ''
  const missing = coverage.missing.slice(0, mostRows).map(({ agent, fromSecond, toSecond, hitsAtMost }) => {
    const bound = hitsAtMost === null ? '' : ` (${plural(hitsAtMost, 'hit')} at most)`
    return `${oneLine(agent)} from second ${fromSecond} to ${toSecond}${bound}`
  })
  const more = coverage.missing.length - missing.length
  const tail = more > 0 ? ` and ${more} more` : ''
  const percent = ((coverage.ratio ?? 0) * 100).toFixed(2)
  return (
    `Coverage: ${percent}% (${coverage.windowsReceived} of ${plural(coverage.windowsOwed, 'window')}); ` +
    `missing: ${missing.join(', ')}${tail}\n`
  )
}

const mostTainted = 5

const reasonNames: Readonly<Record<string, string>> = {
  'event-loop-lag': 'event loop late',
  cpu: 'no CPU left',
  gc: 'garbage collection',
  lateness: 'starts late',
  ports: 'no ports left',
}

/** Warnings, and the seconds whose figures are doubtful. */
export function generatorText({ generator }: Summary): string {
  const { tainted } = generator
  const shown = tainted.slice(0, mostTainted).map(({ agent, fromSecond, toSecond, reasons }) => {
    const why = reasons.map((reason) => reasonNames[reason] ?? oneLine(reason)).join(', ')
    return `${oneLine(agent)} from second ${fromSecond} to ${toSecond} (${why})`
  })
  const more = tainted.length - shown.length
  const doubtful =
    tainted.length === 0
      ? ''
      : `Doubtful: ${shown.join(', ')}${more > 0 ? ` and ${more} more in summary.json` : ''}\n`
  return doubtful + generator.warnings.map((warning) => `warning: ${oneLine(warning)}\n`).join('')
}
