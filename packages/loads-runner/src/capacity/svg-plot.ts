import type { StepFigures } from './step-meter.ts'

export interface SvgOptions {
  title: string
  /** `executions per second` or `users`. */
  unit: string
  /** The answer: a line down the picture; null without one. */
  capacity: number | null
}

const width = 760
const height = 420
const margin = { top: 48, right: 64, bottom: 56, left: 72 }
const colors: Record<StepFigures['outcome'], string> = {
  held: '#2a7f3f',
  failed: '#c0392b',
  limited: '#b8860b',
  unclear: '#777777',
}

/** The curve of a search as a picture that stands alone: load against p95 (points by outcome) and errors. */
export function svgPlot(steps: readonly StepFigures[], { title, unit, capacity }: SvgOptions): string {
  const sorted = [...steps].sort((one, other) => one.target - other.target)
  const right = niceEnd(Math.max(1, ...sorted.map(({ target }) => target)))
  const top = niceEnd(Math.max(1, ...sorted.map(({ p95 }) => p95 ?? 0)))
  const x = (target: number) => round(margin.left + (target / right) * (width - margin.left - margin.right))
  const y = (share: number) => round(height - margin.bottom - share * (height - margin.top - margin.bottom))
  const line = (points: string[], color: string, dash: string) =>
    points.length < 2
      ? ''
      : `<polyline fill="none" stroke="${color}" stroke-width="1.5"${dash} points="${points.join(' ')}"/>`
  const timed = sorted.filter((step) => step.p95 !== null)
  const judged = sorted.filter((step) => step.badShare !== null)
  const parts = [
    `<text x="${margin.left}" y="24" font-size="15">${escaped(title)}</text>`,
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(share)}" y2="${y(share)}" stroke="#dddddd"/>`,
      `<text x="${margin.left - 8}" y="${y(share) + 4}" text-anchor="end">${round(top * share)} ms</text>`,
      `<text x="${width - margin.right + 8}" y="${y(share) + 4}" fill="#8e44ad">${share * 100} %</text>`,
      `<text x="${x(right * share)}" y="${height - margin.bottom + 20}" text-anchor="middle">${round(right * share)}</text>`,
    ]),
    `<text x="${width / 2}" y="${height - 12}" text-anchor="middle">${escaped(unit)}</text>`,
    line(
      timed.map((step) => `${x(step.target)},${y(step.p95! / top)}`),
      '#34495e',
      '',
    ),
    line(
      judged.map((step) => `${x(step.target)},${y(step.badShare!)}`),
      '#8e44ad',
      ' stroke-dasharray="4 3"',
    ),
    ...timed.map(
      (step) =>
        `<circle cx="${x(step.target)}" cy="${y(step.p95! / top)}" r="4" fill="${colors[step.outcome]}"><title>${escaped(`${step.target} ${unit}: p95 ${round(step.p95!)} ms, ${step.outcome}`)}</title></circle>`,
    ),
    capacity === null
      ? ''
      : `<line x1="${x(capacity)}" x2="${x(capacity)}" y1="${margin.top}" y2="${height - margin.bottom}" stroke="#2a7f3f" stroke-dasharray="2 3"/>`,
    `<text x="${margin.left}" y="40" fill="#555555">p95 (line), errors and failures (dashed); ` +
      Object.entries(colors)
        .map(([outcome, color]) => `<tspan fill="${color}">${outcome}</tspan>`)
        .join(' ') +
      `</text>`,
  ]
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">\n` +
    `<rect width="${width}" height="${height}" fill="white"/>\n` +
    parts.filter((part) => part !== '').join('\n') +
    '\n</svg>\n'
  )
}

/** The end of an axis: 1, 2 or 5 times a power of ten. */
function niceEnd(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most))
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= most) ?? 10)
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
