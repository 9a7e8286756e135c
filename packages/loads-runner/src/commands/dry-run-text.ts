import type { RunSpec } from '@loads-runner/protocol'
import { formatBytes, formatCount, plural } from '../console/figures.ts'
import { oneLine, textTable } from '../console/text-table.ts'
import { formatDuration } from '../duration.ts'
import type { LoadOutline, ScenarioOutline } from '../load-outline.ts'
import { describePause } from '../options/pause-value.ts'
import { formatPerSecond } from '../options/rate-values.ts'
import type { ResourceEstimate } from '../resource-estimate.ts'

/** What `--dry-run` shows. */
export interface DryRun {
  spec: RunSpec
  /** Null: chosen when the run is. */
  seed: number | null
  outline: LoadOutline
  /** One per agent. */
  estimates: readonly ResourceEstimate[]
  notes: readonly string[]
  bundle: { hash: string; bytes: number; files: readonly string[] }
  /** Where relative addresses go; null when nowhere. */
  target: string | null
}

export function dryRunText(plan: DryRun): string {
  const { spec, outline, seed, notes } = plan
  const scenarios = outline.scenarios.map((each, index) => scenarioText(each, spec.profile.scenarios[index]!))
  const lines = [
    ...scenarios,
    `in all: ${plural(outline.users, 'user')} at one time at most, ${startsText(outline.starts)}, ${timeText(outline.durationMs)}`,
    ...(spec.warmUpMs > 0
      ? [`warm-up: figures of the first ${formatDuration(spec.warmUpMs)} are left out`]
      : []),
    '',
    agentsText(plan),
    `estimates: a waiting user takes up to 10 KiB, with a connection up to 30 KiB; what tests keep comes on top`,
    '',
    ...spec.thresholds.map((threshold) => `threshold ${thresholdText(threshold)}`),
    `seed: ${seed ?? 'chosen at the start'}`,
    `target: ${plan.target === null ? 'the addresses in the tests' : oneLine(plan.target)}`,
    ...plan.bundle.files.map((file) => `data file: ${oneLine(file)}`),
    `bundle: ${plan.bundle.hash.slice(0, 12)}, ${formatBytes(plan.bundle.bytes)}`,
    ...notes.map((note) => `note: ${note}`),
  ]
  return `${lines.join('\n')}\n`
}

function scenarioText(outline: ScenarioOutline, scenario: RunSpec['profile']['scenarios'][number]): string {
  const { name, startMs, models, starts, durationMs, curve } = outline
  const pause = describePause(scenario.pause)
  const tags = Object.entries(scenario.tags).map(([key, value]) => `${key}=${value}`)
  const params = Object.entries(scenario.params).map(([key, value]) => `${key}=${value}`)
  const details = [
    ...(startMs > 0 ? [`starts after ${formatDuration(startMs)}`] : []),
    ...(pause === null ? [] : [pause]),
    ...(tags.length > 0 ? [`tags ${tags.join(' ')}`] : []),
    ...(params.length > 0 ? [`params ${params.join(' ')}`] : []),
  ]
  const tests = textTable(
    scenario.tests,
    [
      { title: 'test', of: (test) => test.label },
      { title: 'weight', align: 'right', of: (test) => String(test.weight) },
    ],
    '  ',
  )
  const stages = models.map((model, index) => `  stage ${index + 1}: ${model}\n`)
  return (
    `scenario ${oneLine(name)}\n${tests}${stages.join('')}` +
    (details.length > 0 ? `  ${oneLine(details.join(', '))}\n` : '') +
    (curve === null ? '' : `  ${chart(curve)}\n`) +
    `  ${startsText(starts)}, ${timeText(durationMs)}\n`
  )
}

/** From nothing to the highest of a line. */
const levels = ' ▁▂▃▄▅▆▇█'

/** `|▁▂▃▄▅▆▇█|  the highest is 100 users`: a line over time, in one line. */
export function chart({ unit, values }: NonNullable<ScenarioOutline['curve']>): string {
  const most = Math.max(...values)
  const cells = values.map((value) => {
    const level = most === 0 ? 0 : Math.ceil((value / most) * (levels.length - 1))
    return levels[level]!
  })
  const top = unit === 'users' ? plural(most, 'user') : formatPerSecond(most)
  return `|${cells.join('')}|  the highest is ${top}`
}

function startsText(starts: number | null): string {
  return starts === null ? 'as many executions as there is time for' : plural(starts, 'execution')
}

function timeText(durationMs: number | null): string {
  return durationMs === null ? 'as long as that takes' : `${formatDuration(durationMs)} of load`
}

interface AgentRow {
  agents: string
  users: number
  starts: number | null
  estimate: ResourceEstimate
}

/** Agents with the same share stand in one row. */
function agentsText({ outline, estimates }: DryRun): string {
  const rows: (AgentRow & { first: number; last: number })[] = []
  for (const [index, { agent, users, starts }] of outline.agents.entries()) {
    const before = rows.at(-1)
    if (before !== undefined && before.users === users && before.starts === starts) before.last = agent
    else rows.push({ agents: '', first: agent, last: agent, users, starts, estimate: estimates[index]! })
  }
  const title = outline.agents.length === 1 ? '1 agent' : plural(outline.agents.length, 'agent')
  return (
    `${title}\n` +
    textTable(
      rows,
      [
        { title: 'agent', of: ({ first, last }) => (first === last ? `${first}` : `${first}-${last}`) },
        { title: 'users', align: 'right', of: ({ users }) => formatCount(users) },
        {
          title: 'executions',
          align: 'right',
          of: ({ starts }) => (starts === null ? '-' : formatCount(starts)),
        },
        { title: 'memory', align: 'right', of: ({ estimate }) => `~${formatBytes(estimate.memoryBytes)}` },
        { title: 'connections', align: 'right', of: ({ estimate }) => connectionsText(estimate) },
      ],
      '  ',
    )
  ).trimEnd()
}

function connectionsText({ connections: { least, most } }: ResourceEstimate): string {
  return most > least ? `${formatCount(least)} or more` : formatCount(least)
}

function thresholdText({ expression, abortOnFail, delayAbortMs }: RunSpec['thresholds'][number]): string {
  const after = delayAbortMs > 0 ? ` after ${formatDuration(delayAbortMs)}` : ''
  return `${oneLine(expression)}${abortOnFail ? ` (ends the run when it is crossed${after})` : ''}`
}
