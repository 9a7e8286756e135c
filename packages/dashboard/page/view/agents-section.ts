import type { AgentRow, RunModel } from '../../src/model.ts'
import { drawBadge, drawShare } from './badge.ts'
import { DataTable, type Column } from './data-table.ts'
import { element, setText } from './dom.ts'
import { formatCount, formatMillis, formatNumber, formatShare, plural } from './figures.ts'
import { plainLabel } from './labels.ts'
import { panel, type Part, type Section } from './section.ts'
import { agentStanding } from './standing.ts'

function coverageOf({ windows, windowsMissing }: AgentRow): number | null {
  const owed = windows + windowsMissing
  return owed === 0 ? null : windows / owed
}

const columns: Column<AgentRow>[] = [
  {
    key: 'agent',
    title: 'Agent',
    draw: (cell, { id, host, incarnation }) => {
      if (cell.childElementCount === 0) cell.append(element('b'), element('span'))
      setText(cell.children[0]!, plainLabel(id, 80))
      setText(cell.children[1]!, plainLabel(host, 80))
      cell.title = `${id} on ${host}, ${incarnation}`
    },
    sort: ({ id }) => id,
  },
  {
    key: 'state',
    title: 'State',
    width: 116,
    draw: (cell, { state }) => drawBadge(cell, agentStanding(state)),
    sort: ({ state }) => state,
  },
  {
    key: 'share',
    title: 'Share of hits',
    width: 150,
    draw: (cell, { share }) => drawShare(cell, share, formatShare(share)),
    sort: ({ share }) => share,
  },
  {
    key: 'hits',
    title: 'Hits',
    align: 'right',
    width: 100,
    text: ({ hits }) => formatCount(hits),
    sort: ({ hits }) => hits,
  },
  {
    key: 'users',
    title: 'Users',
    align: 'right',
    width: 76,
    text: ({ activeUsers }) => formatCount(activeUsers),
    sort: ({ activeUsers }) => activeUsers,
  },
  {
    key: 'lag',
    title: 'Loop lag',
    align: 'right',
    width: 92,
    text: ({ eventLoopLagMs }) => formatMillis(eventLoopLagMs),
    sort: ({ eventLoopLagMs }) => eventLoopLagMs,
  },
  {
    key: 'late',
    title: 'Lateness',
    align: 'right',
    width: 92,
    text: ({ latenessMs }) => formatMillis(latenessMs),
    sort: ({ latenessMs }) => latenessMs,
  },
  {
    key: 'cpu',
    title: 'Cores',
    align: 'right',
    width: 72,
    text: ({ cpu }) => formatNumber(cpu),
    sort: ({ cpu }) => cpu,
  },
  {
    key: 'coverage',
    title: 'Coverage',
    help: 'Windows received of windows owed.',
    align: 'right',
    width: 124,
    text: (row) =>
      row.windowsMissing === 0
        ? formatShare(coverageOf(row))
        : `${formatShare(coverageOf(row))}, −${formatCount(row.windowsMissing)}`,
    sort: coverageOf,
  },
]

export class AgentsSection implements Section {
  readonly root: HTMLElement
  readonly #count = element('span', { class: 'hint' })
  readonly #table = new DataTable<AgentRow>({
    label: 'Agents',
    columns,
    key: ({ id, incarnation }) => JSON.stringify([id, incarnation]),
    sort: { key: 'agent', descending: false },
    tone: ({ state }) =>
      state === 'lost' || state === 'fenced' ? 'bad' : state === 'suspect' ? 'doubtful' : null,
    empty: 'No agent has joined this run yet.',
    maxHeight: 420,
  })

  constructor() {
    this.root = panel('Agents', [this.#count], this.#table.root)
  }

  update({ agents }: RunModel, changed: ReadonlySet<Part>): void {
    if (!changed.has('agents')) return
    setText(this.#count, agents.length === 0 ? '' : plural(agents.length, 'agent'))
    this.#table.setRows(agents)
  }

  destroy(): void {
    this.#table.destroy()
    this.root.remove()
  }
}
