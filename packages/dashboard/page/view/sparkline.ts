import { setAttribute, svg } from './dom.ts'

/** Small lines in tables. */

export const sparkWidth = 96
export const sparkHeight = 20

/** Data of a path: the values from left to right, from zero to `top` of the box; a gap where there is none. Pure. */
export function sparkPath(values: readonly (number | null)[], top: number): string {
  if (values.length === 0 || top <= 0) return ''
  const step = values.length > 1 ? sparkWidth / (values.length - 1) : 0
  let path = ''
  let isGap = true
  values.forEach((value, index) => {
    if (value === null) {
      isGap = true
      return
    }
    const x = Math.round(index * step * 10) / 10
    const y = Math.round((sparkHeight - 1 - (value / top) * (sparkHeight - 2)) * 10) / 10
    // A value alone is a dot.
    const isAlone = isGap && (values[index + 1] ?? null) === null
    path += isGap ? `M${x} ${y}` : `L${x} ${y}`
    if (isAlone) path += `h1`
    isGap = false
  })
  return path
}

export interface Spark {
  values: readonly (number | null)[]
  color: string
}

/** Draws lines of one scale into a cell, over what was drawn there before. */
export function drawSparks(cell: HTMLElement, sparks: readonly Spark[]): void {
  let box = cell.firstElementChild as SVGElement | null
  if (box === null) {
    box = svg('svg', {
      class: 'spark',
      width: sparkWidth,
      height: sparkHeight,
      viewBox: `0 0 ${sparkWidth} ${sparkHeight}`,
      'aria-hidden': 'true',
    })
    cell.append(box)
  }
  while (box.childElementCount > sparks.length) box.lastElementChild!.remove()
  while (box.childElementCount < sparks.length) box.append(svg('path', { fill: 'none' }))
  let top = 0
  for (const { values } of sparks) for (const value of values) if (value !== null && value > top) top = value
  sparks.forEach(({ values, color }, index) => {
    const path = box.children[index]!
    setAttribute(path, 'class', `spark-${color}`)
    setAttribute(path, 'd', sparkPath(values, top))
  })
}
