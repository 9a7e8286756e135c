import type { RunModel } from '../../src/model.ts'
import { columnOf, observedFrame } from './chart-data.ts'
import { element, setShown, setText } from './dom.ts'
import { formatCompact, formatNumber } from './figures.ts'
import { plainLabel } from './labels.ts'
import type { PaneContext } from './pane-context.ts'
import { panel, type Part, type Section } from './section.ts'
import { TimeChart } from './time-chart.ts'

const mostCharts = 60

/** What the target says of itself, on the same time axis. */
export class ObservedSection implements Section {
  readonly root: HTMLElement
  readonly #context: PaneContext
  readonly #grid = element('div', { class: 'charts small' })
  readonly #more = element('p', { class: 'empty', hidden: true })
  readonly #charts = new Map<string, TimeChart>()

  constructor(context: PaneContext) {
    this.#context = context
    this.root = panel("The target's own figures", [], this.#grid, this.#more)
    this.root.hidden = true
  }

  update({ observed, bands, marks }: RunModel, changed: ReadonlySet<Part>): void {
    const names = Object.keys(observed)
    setShown(this.root, names.length > 0)
    const isElsewhere = changed.has('bands') || changed.has('marks')
    // The axis moves with the run, whether or not the target has said something.
    if (!changed.has('observed') && !changed.has('points') && !isElsewhere) return
    for (const name of names.slice(0, mostCharts)) {
      const isNew = !this.#charts.has(name)
      const chart = this.#charts.get(name) ?? this.#make(name)
      if (isElsewhere || isNew) chart.setHappening({ bands, marks })
      const { fromMs, value } = observed[name]!
      const frame = observedFrame(fromMs)
      chart.setData(frame, [columnOf(frame, value)])
    }
    const more = names.length - mostCharts
    setShown(this.#more, more > 0)
    if (more > 0) setText(this.#more, `${more} more figures are in the exported data.`)
  }

  flush(): void {
    for (const chart of this.#charts.values()) chart.flush()
  }

  destroy(): void {
    for (const chart of this.#charts.values()) chart.destroy()
    this.#charts.clear()
    this.root.remove()
  }

  #make(name: string): TimeChart {
    const chart = new TimeChart(this.#context, {
      title: plainLabel(name, 60) || '(no name)',
      help: plainLabel(name, 300),
      lines: [{ label: '', color: 'observed', filled: true }],
      format: formatNumber,
      formatAxis: formatCompact,
      height: 120,
      empty: 'Nothing was observed yet.',
    })
    this.#charts.set(name, chart)
    this.#grid.append(chart.root)
    return chart
  }
}
