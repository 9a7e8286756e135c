import type uPlot from 'uplot'
import type { Heatmap } from '../../src/model.ts'
import { frameOf } from './chart-data.ts'
import type { TooltipLine } from './chart-tooltip.ts'
import { element, setText } from './dom.ts'
import {
  formatCompact,
  formatCompactMillis,
  formatCount,
  formatMillis,
  formatNumber,
  formatShare,
} from './figures.ts'
import {
  columnAt,
  columnsBetween,
  countIn,
  densest,
  mix,
  rowAt,
  rowRange,
  shadeOf,
  shades,
  sumOf,
  topOf,
} from './heat.ts'
import type { PaneContext } from './pane-context.ts'
import { TimeChart } from './time-chart.ts'

/** How often hits took how long, over time: the darker (or brighter, in the dark), the more. */
export class HeatChart extends TimeChart {
  #heatmap: Heatmap = { bounds: [], columns: [] }
  #most = 0
  #ramp: string[] | null = null
  readonly #top: HTMLElement

  constructor(context: PaneContext) {
    const top = element('span', {})
    super(context, {
      title: 'Service time, how often',
      help: 'Hits per second by how long they took. The scale is logarithmic, that of colors too.',
      lines: [{ label: '', color: 'grid' }],
      format: formatMillis,
      formatAxis: formatCompactMillis,
      log: 'on',
      empty: 'No hits yet.',
    })
    this.#top = top
    this.root
      .querySelector('figcaption')!
      .append(
        element(
          'span',
          { class: 'heat-legend', title: 'Hits per second in one cell' },
          'few',
          element('span', { class: 'ramp', 'aria-hidden': 'true' }),
          top,
        ),
      )
    context.theme.onChange(() => {
      this.#ramp = null
    })
  }

  setHeatmap(heatmap: Heatmap): void {
    this.#heatmap = heatmap
    this.#most = densest(heatmap.columns)
    setText(this.#top, `${formatCompact(Math.round(this.#most))}/s`)
    const frame = frameOf(
      heatmap.columns.map(({ fromMs }) => fromMs),
      (index) => heatmap.columns[index]!.spanMs,
    )
    this.setData(frame, [frame.x.map(() => null)])
  }

  protected override switches(): HTMLElement[] {
    return []
  }

  protected override isEmpty(): boolean {
    return this.#heatmap.bounds.length === 0 || this.#most === 0
  }

  protected override valueRange(): [number, number] {
    const { bounds } = this.#heatmap
    return [bounds[0] ?? 0.1, topOf(bounds)]
  }

  protected override description(): string {
    const { bounds, columns } = this.#heatmap
    const rows = new Float64Array(bounds.length)
    for (const { cells } of columns)
      for (let place = 0; place < cells.length; place += 2) rows[cells[place]!]! += cells[place + 1]!
    const often = rows.indexOf(Math.max(...rows))
    const [low, high] = rowRange(bounds, often)
    return `Hits took ${formatMillis(bounds[0] ?? null)} to ${formatMillis(topOf(bounds))}, most often ${formatMillis(low)} to ${formatMillis(high)}`
  }

  protected override tooltipLines(place: number, value: number | null): TooltipLine[] {
    const { bounds, columns } = this.#heatmap
    const at = this.plot?.data[0][place]
    const column = at === undefined ? null : columnAt(columns, at)
    if (column === null) return []
    const all = sumOf(column.cells)
    const row = value === null ? null : rowAt(bounds, value)
    const total = { label: 'hits', value: formatCount(all), color: null, dashed: false }
    if (row === null) return [total]
    const [low, high] = rowRange(bounds, row)
    const count = countIn(column.cells, row)
    const share = all === 0 ? '' : ` (${formatShare(count / all)})`
    return [
      {
        label: `${formatMillis(low)} to ${formatMillis(high)}`,
        value: `${formatNumber(count)}${share}`,
        color: null,
        dashed: false,
      },
      total,
    ]
  }

  protected override drawBelow(plot: uPlot): void {
    const { ctx, bbox } = plot
    const { bounds } = this.#heatmap
    const ramp = (this.#ramp ??= this.#makeRamp())
    const edges = [...bounds, topOf(bounds)].map((bound) => Math.round(plot.valToPos(bound, 'y', true)))
    const [fromMs, toMs] = this.context.axis.range
    const scale = bbox.width / (toMs - fromMs)
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    for (const { fromMs: from, spanMs, cells } of columnsBetween(this.#heatmap.columns, [fromMs, toMs])) {
      const left = Math.floor(bbox.left + (from - fromMs) * scale)
      const right = Math.floor(bbox.left + (from + spanMs - fromMs) * scale)
      const width = Math.max(1, right - left)
      for (let place = 0; place < cells.length; place += 2) {
        const row = cells[place]!
        const bottom = edges[row]!
        const top = edges[row + 1]!
        ctx.fillStyle = ramp[shadeOf((cells[place + 1]! * 1000) / spanMs, this.#most)]!
        ctx.fillRect(left, top, width, bottom - top)
      }
    }
    ctx.restore()
  }

  #makeRamp(): string[] {
    const stops = this.context.theme.color('heat').split(/,\s*/)
    return Array.from({ length: shades }, (_, shade) => mix(stops, shade / (shades - 1)))
  }
}
