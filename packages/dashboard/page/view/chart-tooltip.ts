import { lineSample } from './chart-legend.ts'
import { element, setShown } from './dom.ts'
import { formatClock, formatElapsed } from './figures.ts'
import { bandsAt, marksNear } from './happenings.ts'
import { plainLabel } from './labels.ts'
import type { Happening } from './time-chart.ts'

export interface TooltipLine {
  label: string
  value: string
  color: string | null
  dashed: boolean
}

export interface TooltipContent {
  /** Pixels from the left end of the chart, and its width. */
  x: number
  width: number
  atMs: number
  startedAt: number | null
  /** The point under the cursor. */
  fromMs: number
  spanMs: number
  /** How far marks may be from the cursor. */
  reachMs: number
  lines: readonly TooltipLine[]
  happening: Happening
}

const mostHappenings = 6

/** What is under the cursor of a chart, in words. */
export class ChartTooltip {
  readonly root: HTMLElement = element('div', { class: 'tooltip', hidden: true, 'aria-hidden': 'true' })

  show(content: TooltipContent): void {
    const { x, width, atMs, startedAt, fromMs, spanMs, reachMs, lines, happening } = content
    const clock = startedAt === null ? '' : formatClock(startedAt + fromMs)
    const until = spanMs > 1_500 ? ` to ${formatElapsed(fromMs + spanMs)}` : ''
    const bands = bandsAt(happening.bands, atMs).filter(({ kind }) => kind !== 'stage')
    const marks = marksNear(happening.marks, atMs, reachMs)
    const told = [
      ...bands.map(({ kind, label, detail }) => ({ kind: `band-${kind}`, label, detail })),
      ...marks.map(({ kind, label, source }) => ({ kind: `mark-${kind}`, label, detail: source })),
    ]
    this.root.replaceChildren(
      element('div', { class: 'when' }, `${formatElapsed(fromMs)}${until}`, element('span', {}, clock)),
      ...lines.map(({ label, value, color, dashed }) =>
        element(
          'div',
          { class: 'line' },
          color === null ? null : lineSample(color, dashed),
          element('span', { class: 'label' }, label),
          element('span', { class: 'value' }, value),
        ),
      ),
      ...told
        .slice(0, mostHappenings)
        .map(({ kind, label, detail }) =>
          element(
            'div',
            { class: 'told', 'data-kind': kind },
            element('b', {}, plainLabel(label, 60)),
            detail === '' ? null : element('span', {}, plainLabel(detail, 120)),
          ),
        ),
    )
    setShown(this.root, true)
    const isRight = x > width / 2
    this.root.style.left = isRight ? 'auto' : `${x + 12}px`
    this.root.style.right = isRight ? `${width - x + 12}px` : 'auto'
  }

  hide(): void {
    setShown(this.root, false)
  }
}
