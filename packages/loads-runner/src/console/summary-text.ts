import type { Summary } from '@loads-runner/metrics'
import { formatCount, formatRate } from './figures.ts'
import {
  connectionsText,
  coverageText,
  generatorText,
  scheduleText,
  socketsText,
  statusText,
  thresholdsText,
  warmUpText,
} from './summary-lines.ts'
import {
  agentsText,
  checksText,
  executionsText,
  feedsText,
  ownFiguresText,
  phasesText,
  scenariosText,
  slowestText,
  stepsText,
  timesText,
} from './summary-tables.ts'
import { oneLine } from './text-table.ts'

const mostErrorGroups = 5
const sampleLines = 8

/** The summary as a person reads it: the classic eight lines first, then everything else that there is to say. */
export function summaryText(summary: Summary, where: string | null = null): string {
  const parts = [
    classicText(summary),
    timesText(summary),
    scheduleText(summary) + warmUpText(summary),
    scenariosText(summary),
    executionsText(summary),
    slowestText(summary),
    phasesText(summary),
    stepsText(summary),
    checksText(summary),
    statusText(summary) + connectionsText(summary),
    errorsText(summary),
    socketsText(summary),
    ownFiguresText(summary),
    feedsText(summary),
    agentsText(summary),
    coverageText(summary),
    generatorText(summary),
    thresholdsText(summary),
    verdictText(summary, where),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

/** What Loads has printed since its first version, in that order. */
export function classicText(summary: Summary): string {
  const { tests, hits, serviceTime, durationSeconds } = summary
  return [
    '',
    `Hits: ${hits.count}`,
    `Duration: ${durationSeconds.toFixed(2)} seconds`,
    `Approximate Average RPS: ${roundRate(hits.perSecond)}`,
    `Average request time: ${secondsText(serviceTime.mean)}`,
    '',
    `Success: ${tests.successes}`,
    `Errors: ${tests.errors}`,
    `Failures: ${tests.failures}`,
    '',
  ].join('\n')
}

function roundRate(perSecond: number): string {
  return perSecond >= 10 ? String(Math.round(perSecond)) : formatRate(perSecond)
}

/** Two digits, or as many more as a fast answer needs to be more than zero. */
function secondsText(millis: number | null): string {
  if (millis === null) return '0.00s'
  const seconds = millis / 1000
  return `${seconds.toFixed(seconds >= 0.01 || seconds === 0 ? 2 : 4)}s`
}

function errorsText({ errorGroups }: Summary): string {
  if (errorGroups.length === 0) return ''
  const groups = errorGroups.slice(0, mostErrorGroups).map((group) => {
    const title = `${oneLine(group.type)}: ${oneLine(group.message)}`
    const body = linesBeyond(title, group.sample).slice(0, sampleLines)
    return `  ${formatCount(group.count)} x ${title}\n${body.map((line) => `      ${line}\n`).join('')}`
  })
  const more = errorGroups.length - groups.length
  return `Errors by kind:\n${groups.join('')}${more > 0 ? `  and ${more} more kinds in summary.json\n` : ''}`
}

/** Lines of a sample without those at its beginning that the title has said already. */
function linesBeyond(title: string, sample: string): string[] {
  const lines = sample
    .split('\n')
    .map(oneLine)
    .filter((line) => line !== '')
  // Node puts a code behind the type: AssertionError [ERR_ASSERTION].
  const first = lines.findIndex((line) => !title.includes(line.replace(/ \[\w+\](?=: |$)/, '')))
  return first === -1 ? [] : lines.slice(first)
}

function verdictText(summary: Summary, where: string | null): string {
  const reasons = summary.reasons.map(reasonText).join('')
  const place = where === null ? '' : `Results: ${where}\nReport: ${where}/report.html\n`
  return `Verdict: ${summary.verdict} (seed ${summary.seed}, run ${summary.runId})\n${reasons}${place}`
}

/** The first line is the sentence; stack lines may follow. */
function reasonText(reason: string): string {
  const [sentence = '', ...rest] = reason.split('\n').map(oneLine)
  return `  ${sentence}\n${rest.map((line) => `      ${line}\n`).join('')}`
}
