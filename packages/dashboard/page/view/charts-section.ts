import type { Points, RunModel } from '../../src/model.ts'
import { columnOf, pointsFrame, type Values } from './chart-data.ts'
import { element } from './dom.ts'
import {
  formatBytes,
  formatCompact,
  formatCompactMillis,
  formatCount,
  formatMillis,
  formatNumber,
  formatRate,
} from './figures.ts'
import { HeatChart } from './heat-chart.ts'
import type { PaneContext } from './pane-context.ts'
import { panel, type Part, type Section } from './section.ts'
import { TimeChart, type ChartLine, type ChartOptions } from './time-chart.ts'

interface PointLine extends ChartLine {
  of: (points: Points) => Values
}

interface PointChart extends Omit<ChartOptions, 'lines'> {
  lines: PointLine[]
}

const noHits = 'No hits yet.'
const rates = { format: formatRate, formatAxis: formatCompact, empty: 'Nothing was measured yet.' }
const times = { format: formatMillis, formatAxis: formatCompactMillis }

const rateChart: PointChart = {
  ...rates,
  title: 'Rate',
  help: 'Hits per second; in open models also executions that fell due (planned) and that began (started).',
  lines: [
    { label: 'hits', color: 'hits', filled: true, of: (points) => points.hitsPerSecond },
    { label: 'planned', color: 'planned', dash: [6, 4], of: (points) => points.plannedPerSecond },
    { label: 'started', color: 'started', of: (points) => points.startedPerSecond },
  ],
}

const timeChart: PointChart = {
  ...times,
  title: 'Service time',
  help: 'Quantiles of all hits of each moment. Dashed: response time, from the moment at which the schedule meant to start.',
  log: 'off',
  empty: noHits,
  lines: [
    { label: 'p50', color: 'p50', of: (points) => points.p50 },
    { label: 'p95', color: 'p95', of: (points) => points.p95 },
    { label: 'p99', color: 'p99', of: (points) => points.p99 },
    { label: 'response p50', color: 'p50', dash: [4, 3], width: 1, of: (points) => points.responseP50 },
    { label: 'response p95', color: 'p95', dash: [4, 3], width: 1, of: (points) => points.responseP95 },
    { label: 'response p99', color: 'p99', dash: [4, 3], width: 1, of: (points) => points.responseP99 },
  ],
}

const errorChart: PointChart = {
  ...rates,
  title: 'Errors',
  help: 'Per second: hits that failed, executions that ended as failure or error, executions that were dropped.',
  lines: [
    { label: 'failed hits', color: 'failed', filled: true, of: (points) => points.failedPerSecond },
    { label: 'failed executions', color: 'errors', width: 2, of: (points) => points.errorsPerSecond },
    { label: 'dropped', color: 'dropped', dash: [5, 3], of: (points) => points.droppedPerSecond },
  ],
}

const userChart: PointChart = {
  title: 'Users',
  help: 'Virtual users that run a test.',
  whole: true,
  format: formatCount,
  formatAxis: formatCompact,
  empty: 'No users yet.',
  lines: [{ label: 'users', color: 'users', width: 2, filled: true, of: (points) => points.activeUsers }],
}

const generatorChart: PointChart = {
  ...times,
  title: 'Load generator',
  help: 'The worst agent: how late its event loop is, and how late executions start. Above 10 ms figures are doubtful.',
  empty: 'No figures of agents yet.',
  lines: [
    { label: 'event loop lag', color: 'lag', of: (points) => points.eventLoopLagMs },
    { label: 'lateness', color: 'lateness', of: (points) => points.latenessMs },
  ],
}

const cpuChart: PointChart = {
  title: 'Generator CPU',
  help: 'Cores in use, all agents together.',
  format: (value) => `${formatNumber(value)} cores`,
  formatAxis: formatCompact,
  empty: 'No figures of agents yet.',
  lines: [{ label: 'cores', color: 'cpu', filled: true, of: (points) => points.cpu }],
}

const trafficChart: PointChart = {
  title: 'Traffic',
  help: 'Bytes per second, as hits sent and received them.',
  format: (value) => `${formatBytes(value)}/s`,
  formatAxis: formatBytes,
  empty: 'Nothing was sent yet.',
  lines: [
    { label: 'in', color: 'hits', filled: true, of: (points) => points.bytesInPerSecond },
    { label: 'out', color: 'started', of: (points) => points.bytesOutPerSecond },
  ],
}

/** The run over time. */
export class ChartsSection implements Section {
  readonly root: HTMLElement
  readonly #context: PaneContext
  readonly #charts: { chart: TimeChart; lines: readonly PointLine[] }[]
  readonly #heat: HeatChart
  readonly #reset: HTMLButtonElement
  readonly #end: () => void

  constructor(context: PaneContext) {
    this.#context = context
    const make = (options: PointChart) => ({ chart: new TimeChart(context, options), lines: options.lines })
    const upper = [rateChart, timeChart, errorChart].map(make)
    const lower = [userChart, generatorChart, trafficChart, cpuChart].map(make)
    this.#charts = [...upper, ...lower]
    this.#heat = new HeatChart(context)
    this.#reset = element(
      'button',
      { type: 'button', class: 'switch', disabled: true, onclick: () => context.axis.reset() },
      'Whole run',
    )
    this.root = panel(
      'Over time',
      [
        element('span', { class: 'hint' }, 'Drag to zoom, double click to reset; with the focus: ← → + − 0'),
        this.#reset,
      ],
      element(
        'div',
        { class: 'charts' },
        ...upper.map(({ chart }) => chart.root),
        this.#heat.root,
        ...lower.map(({ chart }) => chart.root),
      ),
    )
    this.#end = context.axis.onChange(() => {
      this.#reset.disabled = !context.axis.isZoomed
    })
  }

  update(model: RunModel, changed: ReadonlySet<Part>): void {
    const { points, heatmap, bands, marks, head } = model
    const isLonger = changed.has('head') && bands.some(({ toMs }) => toMs === null)
    if (changed.has('bands') || changed.has('marks') || (isLonger && !changed.has('points'))) {
      for (const { chart } of this.#charts) chart.setHappening({ bands, marks })
      this.#heat.setHappening({ bands, marks })
    }
    if (changed.has('points')) {
      const frame = pointsFrame(points)
      for (const { chart, lines } of this.#charts)
        chart.setData(
          frame,
          lines.map(({ of }) => columnOf(frame, of(points))),
        )
    }
    if (changed.has('heatmap') || changed.has('points')) this.#heat.setHeatmap(heatmap)
    this.#context.setStartedAt(head.startedAt)
  }

  flush(): void {
    for (const { chart } of this.#charts) chart.flush()
    this.#heat.flush()
  }

  destroy(): void {
    this.#end()
    for (const { chart } of this.#charts) chart.destroy()
    this.#heat.destroy()
    this.root.remove()
  }
}
