import type { RunListRow } from '../../src/model.ts'
import { drawBadge } from '../view/badge.ts'
import type { Column } from '../view/data-table.ts'
import { element, setAttribute, setText } from '../view/dom.ts'
import {
  formatCount,
  formatDate,
  formatElapsed,
  formatMillis,
  formatShare,
  unknown,
} from '../view/figures.ts'
import { plainLabel } from '../view/labels.ts'
import { runStanding } from '../view/standing.ts'
import { lengthOf } from './list-row.ts'
import { hrefOf } from './route.ts'

export interface Choice {
  isChosen: (runId: string) => boolean
  choose: (runId: string) => void
}

const mostLabels = 4

/** The list of runs. */
export function runColumns(choice: Choice): Column<RunListRow>[] {
  const length = (row: RunListRow) => lengthOf(row, Date.now())
  return [
    {
      key: 'run',
      title: 'Run',
      draw: drawName,
      sort: nameOf,
    },
    {
      key: 'standing',
      title: 'Verdict',
      help: 'How it ended, or its state while it goes on',
      width: 172,
      draw: (cell, { state, verdict }) => drawBadge(cell, runStanding(state, verdict)),
      sort: ({ state, verdict }) => verdict ?? state,
    },
    {
      key: 'started',
      title: 'Started',
      width: 178,
      text: ({ startedAt, submittedAt }) => formatDate(startedAt ?? submittedAt),
      sort: ({ startedAt, submittedAt }) => startedAt ?? submittedAt,
    },
    {
      key: 'length',
      title: 'Duration',
      align: 'right',
      width: 82,
      text: (row) => {
        const millis = length(row)
        return millis === null ? unknown : formatElapsed(millis)
      },
      sort: length,
    },
    {
      key: 'hits',
      title: 'Hits',
      align: 'right',
      width: 104,
      text: ({ hits }) => formatCount(hits),
      sort: ({ hits }) => hits,
    },
    {
      key: 'p95',
      title: 'p95',
      help: 'Service time that 95 % of the hits do not exceed; known at the end',
      align: 'right',
      width: 86,
      text: ({ p95 }) => formatMillis(p95),
      sort: ({ p95 }) => p95,
    },
    {
      key: 'errors',
      title: 'Failed',
      help: 'Share of hits that failed; known at the end',
      align: 'right',
      width: 82,
      text: ({ errorRate }) => formatShare(errorRate),
      sort: ({ errorRate }) => errorRate,
    },
    {
      key: 'agents',
      title: 'Agents',
      align: 'right',
      width: 72,
      text: ({ agents }) => formatCount(agents),
      sort: ({ agents }) => agents,
    },
    {
      key: 'choose',
      title: 'Compare',
      help: 'Choose two runs to compare them',
      align: 'right',
      width: 84,
      draw: (cell, row) => drawChoice(cell, row, choice),
    },
  ]
}

function nameOf({ names, runId }: RunListRow): string {
  return plainLabel(names.join(', '), 120) || plainLabel(runId, 120) || unknown
}

/** Name, then project, user and labels below it. Drawn afresh only when it has changed. */
function drawName(cell: HTMLElement, row: RunListRow): void {
  const shown = JSON.stringify([row.runId, row.names, row.project, row.user, row.labels])
  if (drawnNames.get(cell) === shown) return
  drawnNames.set(cell, shown)
  const labels = Object.entries(row.labels)
  cell.replaceChildren(
    element(
      'a',
      { href: hrefOf({ page: 'run', runId: row.runId }), title: plainLabel(row.names.join(', '), 400) },
      nameOf(row),
    ),
    element(
      'span',
      { class: 'about' },
      row.project === null ? null : element('span', { title: 'project' }, plainLabel(row.project, 40)),
      row.user === null ? null : element('span', { title: 'user' }, plainLabel(row.user, 40)),
      ...labels
        .slice(0, mostLabels)
        .map(([name, value]) => element('span', { class: 'chip' }, plainLabel(`${name}=${value}`, 40))),
      labels.length > mostLabels ? element('span', {}, `+${labels.length - mostLabels}`) : null,
    ),
  )
}

const drawnNames = new WeakMap<HTMLElement, string>()

/** A button, since a click on it must not open the run. */
function drawChoice(cell: HTMLElement, row: RunListRow, { isChosen, choose }: Choice): void {
  let button = cell.querySelector('button')
  if (button === null) {
    button = element('button', {
      type: 'button',
      class: 'check',
      role: 'checkbox',
      'aria-label': `Compare ${nameOf(row)}`,
      onclick: () => choose(row.runId),
    })
    cell.append(button)
  }
  const chosen = isChosen(row.runId)
  setAttribute(button, 'aria-checked', String(chosen))
  setText(button, chosen ? '✓' : '')
}
