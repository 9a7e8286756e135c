import uPlot from 'uplot'
import type { Band, Mark } from '../../src/model.ts'
import { describeLine, hasValues, lonelyPlaces, timeSteps, type Frame } from './chart-data.ts'
import { chartKeys } from './chart-keys.ts'
import { ChartLegend } from './chart-legend.ts'
import { ChartTooltip, type TooltipLine } from './chart-tooltip.ts'
import { element, setAttribute, setShown } from './dom.ts'
import { formatElapsed } from './figures.ts'
import { drawBands, drawMarks } from './happenings-layer.ts'
import type { PaneContext } from './pane-context.ts'

export interface ChartLine {
  label: string
  /** Name of a color of the theme. */
  color: string
  dash?: number[]
  width?: number
  /** Is the area below it filled? */
  filled?: boolean
}

export interface ChartOptions {
  title: string
  /** What it shows, in a sentence. */
  help: string
  lines: readonly ChartLine[]
  /** Values at the cursor. */
  format: (value: number) => string
  /** Values at the axis. */
  formatAxis: (value: number) => string
  /** Can the scale be logarithmic? It begins as given. */
  log?: 'on' | 'off'
  /** Steps of the axis are whole numbers. */
  whole?: boolean
  height?: number
  /** In words: what is missing when there is no value. */
  empty: string
}

export interface Happening {
  bands: readonly Band[]
  marks: readonly Mark[]
  /** Of several runs: bands are thin, each kept in the lane of its run. */
  laneOf?: (band: Band) => number
}

const defaultHeight = 176
const gutter = 16

/** A chart over the time of a run, one of several with the same axis and cursor. */
export class TimeChart {
  readonly root: HTMLElement
  protected readonly context: PaneContext
  protected readonly options: ChartOptions
  protected plot: uPlot | null = null
  readonly #legend: ChartLegend
  readonly #tooltip: ChartTooltip
  readonly #place: HTMLElement
  readonly #empty: HTMLElement
  readonly #ends: (() => void)[] = []
  readonly #hidden = new Set<number>()
  #isLog: boolean
  #frame: Frame = { x: [], source: [], spanMs: [] }
  #values: (number | null)[][] = []
  #happening: Happening = { bands: [], marks: [] }
  #isHovered = false
  #inSight = true
  #isStale = false

  constructor(context: PaneContext, options: ChartOptions) {
    this.context = context
    this.options = options
    this.#isLog = options.log === 'on'
    this.#legend = new ChartLegend(options.lines, (index) => this.#toggle(index))
    this.#tooltip = new ChartTooltip()
    this.#empty = element('p', { class: 'empty' }, options.empty)
    this.#place = element(
      'div',
      { class: 'plot', tabindex: 0, role: 'img', 'aria-roledescription': 'chart' },
      this.#empty,
    )
    this.#place.style.minHeight = `${options.height ?? defaultHeight}px`
    this.root = element(
      'figure',
      { class: 'chart' },
      element(
        'figcaption',
        {},
        element('h3', { title: options.help }, options.title),
        this.#legend.root,
        ...this.switches(),
      ),
      this.#place,
      this.#tooltip.root,
    )
    this.#ends.push(
      context.axis.onChange(() => this.#showRange()),
      context.theme.onChange(() => this.redraw()),
      context.watchSize(this.#place, (width) => this.#resize(width)),
      context.watchSight(this.root, (inSight) => this.#seen(inSight)),
    )
    this.#place.addEventListener('keydown', (event) =>
      chartKeys(event, context.axis, {
        cursorMs: () => this.#cursorMs(),
        step: (by) => this.#step(by),
      }),
    )
    this.#place.addEventListener('focusout', () => this.#leave())
  }

  /** @param values one column per line, one value per place of the frame */
  setData(frame: Frame, values: (number | null)[][]): void {
    this.#frame = frame
    this.#values = values
    this.#legend.setPresent(values.map(hasValues))
    this.#isStale = true
    this.#draw()
  }

  setHappening(happening: Happening): void {
    this.#happening = happening
    this.#isStale = true
    this.#draw()
  }

  /** Draws what has changed while it was out of sight. */
  flush(): void {
    if (!this.#isStale) return
    const before = this.#inSight
    this.#inSight = true
    this.#draw()
    this.#inSight = before
  }

  redraw(): void {
    this.plot?.redraw(false, true)
  }

  destroy(): void {
    for (const end of this.#ends) end()
    this.plot?.destroy()
    this.plot = null
    this.root.remove()
  }

  /** More of the head, after the legend. */
  protected switches(): HTMLElement[] {
    if (this.options.log === undefined) return []
    const button = element(
      'button',
      {
        type: 'button',
        class: 'switch',
        'aria-pressed': String(this.options.log === 'on'),
        title: 'Logarithmic scale',
        onclick: () => {
          this.#isLog = !this.#isLog
          button.setAttribute('aria-pressed', String(this.#isLog))
          this.#rebuild()
        },
      },
      'log',
    )
    return [button]
  }

  /** Is there nothing to draw? */
  protected isEmpty(): boolean {
    return !this.#values.some(hasValues)
  }

  /** Ends of the scale of values. */
  protected valueRange(low: number | null, high: number | null): [number, number] {
    if (low === null || high === null) return this.#isLog ? [0.1, 10] : [0, 1]
    if (this.#isLog) {
      const [from, to] = uPlot.rangeLog(low, high, 10, false)
      return [from ?? low, to ?? high]
    }
    const top = high <= 0 ? 1 : high * 1.08
    return [Math.min(0, low * 1.08), this.options.whole === true ? Math.max(top, 4) : top]
  }

  protected get isLog(): boolean {
    return this.#isLog
  }

  /** Draws below the lines. */
  protected drawBelow(_plot: uPlot): void {}

  /** What is told of a place under the cursor. */
  protected tooltipLines(place: number, _value: number | null): TooltipLine[] {
    return this.options.lines.flatMap(({ label, color, dash }, index) => {
      const value = this.#values[index]?.[place] ?? null
      if (value === null || this.#hidden.has(index)) return []
      return [{ label, value: this.options.format(value), color, dashed: dash !== undefined }]
    })
  }

  protected description(): string {
    return this.options.lines
      .map(({ label }, index) => ({ label, values: this.#values[index] ?? [] }))
      .filter(({ values }) => hasValues(values))
      .map(({ label, values }) => describeLine(label, values, this.options.format))
      .join('; ')
  }

  #draw(): void {
    if (!this.#inSight) return
    this.#isStale = false
    const isEmpty = this.isEmpty()
    setShown(this.#empty, isEmpty)
    const words = isEmpty ? this.options.empty : this.description()
    setAttribute(this.#place, 'aria-label', `${this.options.title}. ${words}`)
    if (isEmpty) {
      this.plot?.destroy()
      this.plot = null
      return
    }
    if (this.plot === null) this.#build()
    else this.plot.setData(this.#data())
    this.#showValues()
  }

  #data(): uPlot.AlignedData {
    const shown = this.#isLog
      ? this.#values.map((column) => column.map((value) => (value !== null && value > 0 ? value : null)))
      : this.#values
    return [this.#frame.x, ...shown]
  }

  #rebuild(): void {
    this.plot?.destroy()
    this.plot = null
    this.#draw()
  }

  #build(): void {
    const { axis, theme, syncKey } = this.context
    const width = Math.max(200, this.#place.clientWidth || 600)
    const font = '11px system-ui, sans-serif'
    const axisLook = {
      stroke: () => theme.color('faint'),
      font,
      grid: { stroke: () => theme.color('grid'), width: 1 },
      ticks: { show: false },
    }
    this.plot = new uPlot(
      {
        width,
        height: this.options.height ?? defaultHeight,
        padding: [gutter, 24, 0, 0],
        legend: { show: false },
        focus: { alpha: 1 },
        cursor: {
          y: false,
          points: { size: 7, width: 2, fill: () => theme.color('surface') },
          drag: { x: true, y: false, setScale: false, dist: 5 },
          sync: {
            key: syncKey,
            setSeries: false,
            scales: ['x', null],
            filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
          },
          bind: {
            dblclick: () => () => {
              axis.reset()
              return null
            },
          },
        },
        scales: {
          x: { time: false, range: () => axis.range },
          y: {
            distr: this.#isLog ? 3 : 1,
            range: (_plot, low, high) => this.valueRange(low, high),
          },
        },
        axes: [
          {
            ...axisLook,
            size: 24,
            gap: 4,
            space: 64,
            incrs: timeSteps,
            values: (_plot, splits) => splits.map((split) => formatElapsed(split)),
          },
          {
            ...axisLook,
            ...(this.#isLog ? { grid: { ...axisLook.grid, filter: tens } } : {}),
            size: 54,
            gap: 6,
            space: this.#isLog ? 22 : 34,
            values: (_plot, splits) =>
              splits.map((split) => (split === null ? '' : this.options.formatAxis(split))),
            ...(this.options.whole === true
              ? {
                  incrs: [
                    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6,
                  ],
                }
              : {}),
          },
        ],
        series: [{}, ...this.options.lines.map((line, index) => this.#line(line, index))],
        hooks: {
          drawClear: [(plot) => drawBands(plot, this.context, this.#happening)],
          drawAxes: [(plot) => this.drawBelow(plot)],
          draw: [(plot) => drawMarks(plot, this.context, this.#happening)],
          setCursor: [() => this.#showValues()],
          setSelect: [(plot) => this.#selected(plot)],
        },
      },
      this.#data(),
      (plot, start) => {
        this.#place.append(plot.root)
        start()
      },
    )
    this.plot.over.addEventListener('mouseenter', () => {
      this.#isHovered = true
    })
    this.plot.over.addEventListener('mouseleave', () => {
      this.#isHovered = false
      this.#tooltip.hide()
    })
  }

  #line(line: ChartLine, index: number): uPlot.Series {
    const { theme } = this.context
    return {
      label: line.label,
      show: !this.#hidden.has(index),
      stroke: () => theme.color(line.color),
      width: line.width ?? 1.5,
      ...(line.dash === undefined ? {} : { dash: line.dash }),
      ...(line.filled === true ? { fill: () => theme.color(`${line.color}-fill`) } : {}),
      points: {
        show: true,
        size: 4,
        fill: () => theme.color(line.color),
        filter: (plot, at) => {
          const [from, to] = plot.series[0]!.idxs ?? [0, -1]
          return lonelyPlaces(plot.data[at] as (number | null)[], from, to)
        },
      },
    }
  }

  #selected(plot: uPlot): void {
    const { left, width } = plot.select
    if (width < 5) return
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.context.axis.zoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
  }

  #showRange(): void {
    if (!this.#inSight) {
      this.#isStale = true
      return
    }
    const [min, max] = this.context.axis.range
    this.plot?.setScale('x', { min, max })
  }

  #resize(width: number): void {
    if (this.plot === null || width < 50 || Math.abs(this.plot.width - width) < 1) return
    this.plot.setSize({ width, height: this.options.height ?? defaultHeight })
  }

  #seen(inSight: boolean): void {
    this.#inSight = inSight
    if (inSight && this.#isStale) this.#draw()
  }

  #toggle(index: number): void {
    if (this.#hidden.has(index)) this.#hidden.delete(index)
    else this.#hidden.add(index)
    this.#legend.setHidden(this.#hidden)
    this.plot?.setSeries(index + 1, { show: !this.#hidden.has(index) })
  }

  #cursorMs(): number | null {
    const left = this.plot?.cursor.left
    return left === undefined || left < 0 ? null : this.plot!.posToVal(left, 'x')
  }

  /** Moves the cursor by so many places; what it leaves is moved along. */
  #step(by: number): void {
    const { plot, context } = this
    if (plot === null) return
    const [from, to] = plot.series[0]!.idxs ?? [0, this.#frame.x.length - 1]
    const at = plot.cursor.idx ?? (by > 0 ? from - 1 : to + 1)
    const next = Math.min(this.#frame.x.length - 1, Math.max(0, at + by))
    if (next < from) context.axis.pan(-0.25)
    if (next > to) context.axis.pan(0.25)
    this.#isHovered = true
    const left = plot.valToPos(this.#frame.x[next]!, 'x')
    plot.setCursor({ left, top: plot.over.clientHeight / 2 })
  }

  #leave(): void {
    this.#isHovered = false
    this.#tooltip.hide()
    this.plot?.setCursor({ left: -10, top: -10 })
  }

  /** The legend shows what is under the cursor, and what is latest without one. */
  #showValues(): void {
    const { plot } = this
    if (plot === null) return
    const place = plot.cursor.idx ?? null
    const at = place ?? this.#frame.x.length - 1
    this.#legend.setValues(
      this.options.lines.map((_, index) => {
        const value = this.#values[index]?.[at] ?? null
        return value === null ? '' : this.options.format(value)
      }),
    )
    if (!this.#isHovered || place === null || (plot.cursor.left ?? -1) < 0) {
      this.#tooltip.hide()
      return
    }
    const left = plot.cursor.left!
    const top = plot.cursor.top ?? 0
    const [from, to] = this.context.axis.range
    this.#tooltip.show({
      x: left + plot.over.offsetLeft,
      width: plot.width,
      atMs: plot.posToVal(left, 'x'),
      startedAt: this.context.startedAt(),
      fromMs: this.#frame.x[place]! - this.#frame.spanMs[place]! / 2,
      spanMs: this.#frame.spanMs[place]!,
      reachMs: ((to - from) / plot.over.clientWidth) * 6,
      lines: this.tooltipLines(place, top >= 0 ? plot.posToVal(top, 'y') : null),
      happening: this.#happening,
    })
  }
}

/** Powers of ten alone: more lines of a logarithmic scale only make it grey. */
function tens(_plot: uPlot, splits: number[]): (number | null)[] {
  return splits.map((split) => (Number.isInteger(Math.round(Math.log10(split) * 1e6) / 1e6) ? split : null))
}
