/** A line of a plot: where its figures stand, and what marks them. */
export interface PlotLine {
  mark: string
  /** Ascending in x. */
  points: readonly { x: number; y: number }[]
}

export interface PlotOptions {
  width: number
  height: number
  /** Labels of the ends of the axes. */
  formatX: (x: number) => string
  formatY: (y: number) => string
}

/** Points in plain text, with the labels of both axes: as many lines as the height and two more. Empty without points. */
export function textPlot(
  lines: readonly PlotLine[],
  { width, height, formatX, formatY }: PlotOptions,
): string {
  const points = lines.flatMap((line) => line.points)
  if (points.length === 0) return ''
  const left = Math.min(...points.map(({ x }) => x))
  const right = Math.max(...points.map(({ x }) => x))
  const top = Math.max(...points.map(({ y }) => y)) || 1
  const columnOf = (x: number) =>
    right === left ? 0 : Math.round(((x - left) / (right - left)) * (width - 1))
  const rowOf = (y: number) => Math.round((1 - y / top) * (height - 1))
  const canvas = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '))
  for (const { mark, points: own } of lines) {
    for (const { x, y } of own) canvas[rowOf(y)]![columnOf(x)] = mark
  }
  const labels = canvas.map((_, row) => {
    if (row === 0) return formatY(top)
    if (row === height - 1) return formatY(0)
    return row === Math.floor(height / 2) ? formatY(top * (1 - row / (height - 1))) : ''
  })
  const margin = Math.max(...labels.map((label) => label.length))
  const rows = canvas.map((row, index) => `${labels[index]!.padStart(margin)} |${row.join('')}`.trimEnd())
  const from = formatX(left)
  const to = right === left ? '' : formatX(right)
  const gap = Math.max(1, width - from.length - to.length)
  rows.push(`${' '.repeat(margin)} +${'-'.repeat(width)}`)
  rows.push(`${' '.repeat(margin)}  ${from}${' '.repeat(gap)}${to}`.trimEnd())
  return rows.map((row) => `${row}\n`).join('')
}
