import type uPlot from 'uplot'
import { markWeight, visibleBands } from './happenings.ts'
import { fitText, placeLabels, plainLabel } from './labels.ts'
import type { PaneContext } from './pane-context.ts'
import type { Happening } from './time-chart.ts'

/** Bands and marks on the canvas of a chart. */

const labelFont = '10px system-ui, sans-serif'
const mostLetters = 48
const longestLabel = 150
/** From the bands of one run to those of the next, in pixels. */
const runLane = 15

/** Behind everything: the time of each band, with its label where there is room. */
export function drawBands(plot: uPlot, { axis, theme }: PaneContext, { bands, laneOf }: Happening): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio || 1
  const visible = visibleBands(bands, axis.range, axis.endMs, bbox.width)
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  for (const { band, left, width } of visible) {
    const x = bbox.left + left
    if (band.kind === 'stage') {
      // Stages follow one another: where one begins is enough.
      if (left <= 0) continue
      ctx.fillStyle = theme.color('grid-strong')
      ctx.fillRect(Math.round(x), bbox.top, ratio, bbox.height)
      continue
    }
    if (laneOf === undefined) {
      ctx.fillStyle = theme.color(`band-${band.kind}`)
      ctx.fillRect(x, bbox.top, width, bbox.height)
    }
    ctx.fillStyle = theme.color(`edge-${band.kind}`)
    ctx.fillRect(x, bbox.top + (laneOf?.(band) ?? 0) * runLane * ratio, width, 2 * ratio)
  }
  ctx.font = scaled(ratio)
  ctx.textBaseline = 'top'
  ctx.textAlign = 'left'
  const measured = visible
    .filter(({ band }) => band.kind !== 'stage')
    .map(({ band, left, width }) => {
      const text = fitText(
        plainLabel(band.label, mostLetters),
        width - 8 * ratio,
        (each) => ctx.measureText(each).width,
      )
      return {
        band,
        text,
        x: left + 4 * ratio,
        width: text === '' ? 0 : ctx.measureText(text).width,
        weight: width,
      }
    })
    .filter(({ text }) => text !== '')
  const drawLabels = (labels: typeof measured, most: number, top: number) => {
    const lanes = placeLabels(labels, most, 6 * ratio)
    labels.forEach(({ band, text, x }, index) => {
      const lane = lanes[index]
      if (lane === null || lane === undefined) return
      ctx.fillStyle = theme.color(`edge-${band.kind}`)
      ctx.fillText(text, bbox.left + x, bbox.top + (top + lane * 12) * ratio)
    })
  }
  if (laneOf === undefined) drawLabels(measured, 2, 5)
  else
    for (const run of new Set(measured.map(({ band }) => laneOf(band))))
      drawLabels(
        measured.filter(({ band }) => laneOf(band) === run),
        1,
        run * runLane + 3,
      )
  ctx.restore()
}

/** Over everything: a line at each mark; above the chart its label, where it covers no other. */
export function drawMarks(plot: uPlot, { axis, theme }: PaneContext, { marks }: Happening): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio || 1
  const [fromMs, toMs] = axis.range
  const visible = marks.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
  if (visible.length === 0) return
  ctx.save()
  ctx.font = scaled(ratio)
  ctx.textBaseline = 'bottom'
  ctx.textAlign = 'left'
  const wishes = visible.map((mark) => {
    const at = ((mark.atMs - fromMs) / (toMs - fromMs)) * bbox.width
    const text = fitText(
      plainLabel(mark.label, mostLetters),
      longestLabel * ratio,
      (each) => ctx.measureText(each).width,
    )
    const width = ctx.measureText(text).width
    // Near the right end it stands left of its line.
    const x = at + width + 3 * ratio > bbox.width ? at - width - 3 * ratio : at + 3 * ratio
    return { mark, at, text, x, width, weight: markWeight(mark) }
  })
  const lanes = placeLabels(wishes, 1, 8 * ratio)
  wishes.forEach(({ mark, at, text, x }, index) => {
    const color = theme.color(mark.kind === 'agent' ? 'bad' : mark.kind === 'threshold' ? 'doubtful' : 'mark')
    const isLabelled = lanes[index] !== null && text !== ''
    ctx.strokeStyle = color
    ctx.globalAlpha = mark.kind === 'state' ? 0.35 : 0.75
    ctx.lineWidth = ratio
    ctx.setLineDash([3 * ratio, 3 * ratio])
    ctx.beginPath()
    const line = bbox.left + Math.round(at) + 0.5
    ctx.moveTo(line, bbox.top - (isLabelled ? 12 : 0) * ratio)
    ctx.lineTo(line, bbox.top + bbox.height)
    ctx.stroke()
    if (!isLabelled) return
    ctx.globalAlpha = 1
    ctx.fillStyle = color
    ctx.fillText(text, bbox.left + x, bbox.top - 1 * ratio)
  })
  ctx.restore()
}

function scaled(ratio: number): string {
  return labelFont.replace('10px', `${10 * ratio}px`)
}
