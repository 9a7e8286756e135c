/**
 * Draws where the panels of a dashboard stand, as a picture for the README: no Grafana is needed for it.
 *
 *     node --import tsx grafana/source/layout.ts run.json > layout.svg
 */
import type { Panel, RowPanel } from '@grafana/schema'
import { dashboards } from './dashboards.ts'
import { annotationsOf, placedOf, targetsOf, variablesOf } from './walk.ts'

const column = 50
const line = 30
const margin = 16
const head = 96

/** Shapes stand for kinds of panels, with the names of their series and columns; the figures are invented. */
export function layoutOf(file: string): string {
  const dashboard = dashboards[file]
  if (dashboard === undefined)
    throw new Error(`there is no dashboard ${file}; known: ${Object.keys(dashboards).join(', ')}`)
  const panels = placedOf(dashboard)
  const height = head + margin + line * Math.max(...panels.map(({ gridPos }) => gridPos!.y + gridPos!.h))
  const width = 24 * column + 2 * margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, Helvetica, Arial, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#111217"/>`,
    text(margin, 30, dashboard.title!, 18, '#e6e8ee', 600),
    text(margin, 50, dashboard.description!, 12, '#9aa0ac'),
    ...chips(
      variablesOf(dashboard).map(({ label, name }) => `${label ?? name}  ▾`),
      62,
      '#22252b',
      '#ccccdc',
    ),
    ...chips(
      annotationsOf(dashboard).map(({ name, iconColor }) => ({ label: name, dot: iconColor })),
      62,
      '#111217',
      '#9aa0ac',
      true,
    ),
    ...panels.map((panel) => (panel.type === 'row' ? rowOf(panel as RowPanel) : panelOf(panel as Panel))),
    '</svg>',
    '',
  ].join('\n')
}

type Chip = string | { label: string; dot: string }

function chips(labels: readonly Chip[], y: number, fill: string, color: string, fromRight = false): string[] {
  const widthOf = (chip: Chip) =>
    typeof chip === 'string' ? chip.length * 7 + 16 : chip.label.length * 6.4 + 26
  const total = labels.reduce((sum, chip) => sum + widthOf(chip) + 6, 0)
  let x = fromRight ? 24 * column + margin - total : margin
  return labels.map((chip) => {
    const width = widthOf(chip)
    const [label, inner] =
      typeof chip === 'string'
        ? [
            chip,
            `<rect x="${x}" y="${y}" width="${width}" height="24" rx="3" fill="${fill}" stroke="#35383f"/>`,
          ]
        : [chip.label, `<circle cx="${x + 10}" cy="${y + 12}" r="4" fill="${chip.dot}"/>`]
    const shape = inner + text(x + (typeof chip === 'string' ? 8 : 20), y + 16, label, 11.5, color)
    x += width + 6
    return shape
  })
}

function rowOf({ title = '', gridPos }: RowPanel): string {
  const y = head + gridPos!.y * line
  return text(margin, y + 20, `⌄  ${title}`, 13, '#ccccdc', 600)
}

function panelOf(panel: Panel): string {
  const { x, y, w, h } = panel.gridPos!
  const box = { x: margin + x * column + 3, y: head + y * line + 3, w: w * column - 6, h: h * line - 6 }
  const unit = panel.fieldConfig?.defaults.unit ?? ''
  return [
    `<g><rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="3" fill="#181b1f" stroke="#2a2d33"/>`,
    text(box.x + 10, box.y + 19, panel.title!, 12.5, '#ccccdc', 600),
    unit === 'none' ? '' : text(box.x + box.w - 10, box.y + 19, unit, 10.5, '#6e7480', 400, 'end'),
    shapeOf(panel.type, { x: box.x + 10, y: box.y + 32, w: box.w - 20, h: box.h - 44 }, panel),
    '</g>',
  ].join('')
}

interface Box {
  x: number
  y: number
  w: number
  h: number
}

const palette = ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#f2495c', '#b877d9']

function shapeOf(type: string, box: Box, panel: Panel): string {
  if (type === 'stat') {
    const word = panel.fieldConfig?.defaults.mappings === undefined ? '0.0' : 'passed'
    return text(box.x + box.w / 2, box.y + box.h / 2 + 12, word, 30, '#73bf69', 500, 'middle')
  }
  if (type === 'table') return tableShape(box, panel)
  if (type === 'heatmap') return heatShape(box)
  if (type === 'state-timeline')
    return [0, 1, 2]
      .map((row) => rect({ ...box, y: box.y + 8 + row * 34, h: 24 }, row === 1 ? '#f2495c' : '#73bf69', 0.55))
      .join('')
  return lineShape(box, panel)
}

/** What a panel shows, by the names of its fields; of series by tag there are as many as there are values. */
function seriesOf(panel: Panel): string[] {
  const targets = targetsOf(panel) as { query?: string; alias?: string; legendFormat?: string }[]
  return targets.flatMap(({ query, alias = '', legendFormat = '' }) => {
    const tag = /\$tag_(\w+)(?: \(.*)?$/.exec(alias)?.[1] ?? /\{\{(\w+)\}\}$/.exec(legendFormat)?.[1]
    if (tag !== undefined) return [1, 2, 3].map((number) => `${tag} ${number}`)
    if (query === undefined) return [legendFormat]
    const fields = /SELECT (.*?) FROM/.exec(query)?.[1] ?? ''
    return fields.split(', ').map((field) => / AS "(\w+)"/.exec(field)?.[1] ?? field.replaceAll('"', ''))
  })
}

/** Curves that are drawn the same each time. */
function lineShape({ x, y, w, h: all }: Box, panel: Panel): string {
  const names = [...new Set(seriesOf(panel))].filter((name) => name !== 'elapsed_seconds').slice(0, 6)
  const h = all - 18
  const stacked = JSON.stringify(panel.fieldConfig?.defaults.custom).includes('"normal"')
  const curves = names.map((_, index) => {
    const color = palette[index % palette.length]!
    const points = Array.from({ length: 61 }, (_each, at) => {
      const wave = Math.sin(at / (5 + index) + index * 2) * 0.05 + Math.sin(at / 2.3 + index) * 0.02
      const level = 0.2 + (0.7 * (index + 0.4)) / names.length + wave
      return `${(x + (w * at) / 60).toFixed(1)},${(y + h * (1 - level)).toFixed(1)}`
    })
    const area = [...points, `${x + w},${y + h}`, `${x},${y + h}`].join(' ')
    return [
      `<polygon points="${area}" fill="${color}" opacity="${stacked ? 0.25 : 0.05}"/>`,
      `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="1.4" opacity="0.85"/>`,
    ].join('')
  })
  let at = x
  const legend = names.map((name, index) => {
    const entry =
      rect({ x: at, y: y + h + 13, w: 12, h: 2.5 }, palette[index % palette.length]!, 1) +
      text(at + 17, y + h + 18, name, 10.5, '#9aa0ac')
    at += 30 + name.length * 5.7
    return entry
  })
  const grid = [0.25, 0.5, 0.75, 1].map((share) => rect({ x, y: y + h * share, w, h: 0.7 }, '#2f333b', 1))
  return [...grid, ...curves.toReversed(), ...legend].join('')
}

function heatShape({ x, y, w, h }: Box): string {
  const cells: string[] = []
  const [columns, rows] = [48, 12]
  for (let at = 0; at < columns; at++)
    for (let row = 0; row < rows; row++) {
      const middle = 4 + Math.sin(at / 6) * 1.4
      const weight = Math.exp(-((row - middle) ** 2) / 5)
      if (weight < 0.04) continue
      const cell = {
        x: x + (w * at) / columns,
        y: y + h - (h * (row + 1)) / rows,
        w: w / columns,
        h: h / rows,
      }
      cells.push(rect(cell, `hsl(${230 - 200 * weight} 70% 50%)`, 0.85))
    }
  return cells.join('')
}

function tableShape({ x, y, w, h }: Box, panel: Panel): string {
  const hidden = (properties: { id: string; value?: unknown }[]) =>
    properties.some(({ id, value }) => id === 'custom.hidden' && value === true)
  const overrides = panel.fieldConfig?.overrides ?? []
  const named = overrides.map(({ matcher }) => String(matcher.options))
  const columns = [...new Set([...named.filter((name) => name === 'Time'), ...seriesOf(panel), ...named])]
    .map((name) => ({ name, properties: overrides[named.indexOf(name)]?.properties ?? [] }))
    .filter(({ properties }) => !hidden(properties))
    .map(({ name, properties }) => {
      const title = properties.find(({ id }) => id === 'displayName')?.value
      return {
        title: typeof title === 'string' ? title : name,
        heat: properties.some(({ id }) => id === 'custom.cellOptions'),
      }
    })
  const width = w / Math.max(1, columns.length)
  const rows = Math.floor((h - 22) / 22)
  return columns
    .flatMap(({ title, heat }, at) => [
      text(x + at * width + 4, y + 12, title, 11, '#8e96a8', 600),
      ...Array.from({ length: rows }, (_, row) => {
        const cell = { x: x + at * width, y: y + 20 + row * 22, w: width - 3, h: 19 }
        const share = (row * 7 + at * 3) % 10
        if (heat) return rect(cell, `hsl(${120 - share * 12} 55% 38%)`, 0.9)
        return rect(
          { ...cell, x: cell.x + 4, y: cell.y + 7, w: (cell.w - 8) * (0.35 + share / 20), h: 5 },
          '#3a3f49',
          1,
        )
      }),
    ])
    .join('')
}

function rect({ x, y, w, h }: Box, fill: string, opacity: number): string {
  const [left, top, width, height] = [x, y, w, h].map((number) => number.toFixed(1))
  return `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="${fill}" opacity="${opacity}"/>`
}

function text(
  x: number,
  y: number,
  words: string,
  size: number,
  fill: string,
  weight = 400,
  anchor = 'start',
): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${fill}" font-weight="${weight}" text-anchor="${anchor}">${escaped}</text>`
}

const file = process.argv[2]
if (file !== undefined && process.argv[1]?.endsWith('layout.ts')) process.stdout.write(layoutOf(file))
