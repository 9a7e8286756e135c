import type { Points, RunModel } from '../../src/model.ts'
import { formatCompact, formatCompactMillis, formatMillis, formatRate } from '../view/figures.ts'
import { element } from '../view/dom.ts'
import { PaneContext } from '../view/pane-context.ts'
import { panel } from '../view/section.ts'
import { TimeChart, type ChartOptions } from '../view/time-chart.ts'
import { happeningOfBoth } from './compare-happenings.ts'
import { alignPoints } from './comparison.ts'

type Column = (points: Points) => readonly (number | null)[]

const before = { label: 'before', color: 'planned', dash: [5, 3] }
const rates = { format: formatRate, formatAxis: formatCompact, empty: 'Neither run has figures yet.' }
const times = { format: formatMillis, formatAxis: formatCompactMillis, empty: 'Neither run has hits yet.' }

const charts: (Omit<ChartOptions, 'lines'> & { color: string; of: Column })[] = [
  {
    ...rates,
    title: 'Hits per second',
    help: 'Both runs since their starts.',
    color: 'hits',
    of: ({ hitsPerSecond }) => hitsPerSecond,
  },
  {
    ...times,
    title: 'p95',
    help: 'Service time of both runs since their starts.',
    log: 'off',
    color: 'p95',
    of: ({ p95 }) => p95,
  },
  {
    ...rates,
    title: 'Failed hits per second',
    help: 'Both runs since their starts.',
    color: 'failed',
    of: ({ failedPerSecond }) => failedPerSecond,
  },
  {
    ...times,
    title: 'p50',
    help: 'Service time of both runs since their starts.',
    log: 'off',
    color: 'p50',
    of: ({ p50 }) => p50,
  },
]

/** Two runs over each other, by the time since the start of each. */
export class CompareCharts {
  readonly root: HTMLElement
  readonly #context = new PaneContext()
  readonly #charts: { chart: TimeChart; of: Column }[]

  constructor() {
    this.#charts = charts.map(({ color, of, ...options }) => {
      const lines = [before, { label: 'after', color, width: 2 }]
      return { chart: new TimeChart(this.#context, { ...options, lines }), of }
    })
    this.root = panel(
      'Over time',
      [
        element(
          'span',
          { class: 'hint' },
          'By time since the start of each run; drag to zoom, double click to reset',
        ),
      ],
      element('div', { class: 'charts' }, ...this.#charts.map(({ chart }) => chart.root)),
    )
  }

  show(first: RunModel, second: RunModel): void {
    const aligned = alignPoints(first.points, second.points)
    this.#context.axis.setEnd(Math.max(endOf(first.points), endOf(second.points)))
    const happening = happeningOfBoth(first, second)
    for (const { chart, of } of this.#charts) {
      chart.setHappening(happening)
      chart.setData(aligned.frame, [aligned.before(of(first.points)), aligned.after(of(second.points))])
    }
  }

  destroy(): void {
    for (const { chart } of this.#charts) chart.destroy()
    this.#context.destroy()
  }
}

function endOf({ fromMs, spanMs }: Points): number {
  return (fromMs.at(-1) ?? 0) + (spanMs.at(-1) ?? 0)
}
