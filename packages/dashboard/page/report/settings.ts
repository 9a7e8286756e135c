import type { RunModel } from '../../src/model.ts'
import { element } from '../view/dom.ts'
import {
  formatCount,
  formatDate,
  formatElapsed,
  formatMillis,
  formatNumber,
  formatShare,
  unknown,
} from '../view/figures.ts'
import { panel } from '../view/section.ts'

/** What only the report tells: why the verdict is what it is, and what was run. */

/** Nothing when nothing speaks against the run. */
export function reasonsPanel({ summary }: RunModel): HTMLElement[] {
  if (summary === null)
    return [panel('No verdict', [], element('p', {}, 'The run had not ended when this report was written.'))]
  const said = [...summary.reasons, ...summary.generator.warnings]
  if (said.length === 0) return []
  const title = summary.verdict === 'passed' ? 'To be known' : `Why ${summary.verdict}`
  return [
    panel(title, [], element('ul', { class: 'reasons' }, ...said.map((reason) => element('li', {}, reason)))),
  ]
}

/** The settings of the run and the small print of its summary, as names and values. Pure. */
export function settingsOf({ head, summary, agents }: RunModel): [string, string][] {
  const facts: [string, string][] = [
    ['run', head.runId],
    ['tests', head.names.join(', ')],
    ['project', head.project ?? unknown],
    ['by', head.user ?? unknown],
    ['submitted', formatDate(head.submittedAt)],
    ['started', head.startedAt === null ? 'never' : formatDate(head.startedAt)],
    ['elapsed', formatElapsed(head.elapsedMs)],
    ['planned', head.plannedMs === null ? 'until done' : formatElapsed(head.plannedMs)],
    ['warm-up', head.warmUpMs === 0 ? 'none' : `${formatElapsed(head.warmUpMs)}, in no total`],
    ['seed', String(head.seed)],
    ['agents', formatCount(agents.length)],
    ...head.scenarios.map(({ name, load }): [string, string] => [
      name === '' ? 'load' : `load of ${name}`,
      load,
    ]),
    ...Object.entries(head.labels).map(([name, value]): [string, string] => [`label ${name}`, value]),
  ]
  if (summary === null) return facts
  const { schedule, generator, coverage, warmUp } = summary
  return [
    ...facts,
    ['exit code', String(summary.exitCode)],
    ['lateness p99', formatMillis(schedule.latenessP99)],
    [
      'generator',
      `${formatNumber(generator.cpu)} cores, loop lag p99 ${formatMillis(generator.eventLoopLagP99)}`,
    ],
    [
      'coverage',
      `${formatShare(coverage.ratio)}: ${formatCount(coverage.windowsReceived)} of ${formatCount(coverage.windowsOwed)} windows`,
    ],
    ...(warmUp === null
      ? []
      : [
          [
            'in the warm-up',
            `${formatCount(warmUp.hits)} hits, ${formatCount(warmUp.executions)} executions`,
          ] as [string, string],
        ]),
  ]
}

export function settingsPanel(model: RunModel): HTMLElement {
  return panel(
    'Settings',
    [],
    element(
      'dl',
      { class: 'settings' },
      ...settingsOf(model).map(([name, value]) =>
        element('div', {}, element('dt', {}, name.slice(0, 200)), element('dd', {}, value.slice(0, 2_000))),
      ),
    ),
  )
}
