import type { RunModel, ThresholdRow } from '../../src/model.ts'
import { badge, setBadge } from './badge.ts'
import { element, setAttribute, setShown, setText, svg } from './dom.ts'
import { formatElapsed } from './figures.ts'
import { plainLabel } from './labels.ts'
import { panel, type Part, type Section } from './section.ts'
import { thresholdStanding } from './standing.ts'

const lineWidth = 300
const lineHeight = 16

export interface StatePiece {
  from: number
  to: number
  ok: boolean | null
}

/** How a threshold stood over time: pieces of one state, each until the next was said. Shares of the time. Pure. */
export function statePieces(past: ThresholdRow['past'], endMs: number): StatePiece[] {
  const pieces: StatePiece[] = []
  past.forEach(([atMs, , ok], index) => {
    const from = Math.min(1, atMs / endMs)
    const to = Math.min(1, (past[index + 1]?.[0] ?? endMs) / endMs)
    const last = pieces.at(-1)
    if (last !== undefined && last.ok === ok) last.to = to
    else pieces.push({ from, to, ok })
  })
  return pieces
}

/** Those that were crossed first. */
export function orderedThresholds(rows: readonly ThresholdRow[]): ThresholdRow[] {
  const rank = ({ ok }: ThresholdRow) => (ok === false ? 0 : ok === null ? 1 : 2)
  return rows.toSorted((one, other) => rank(one) - rank(other))
}

interface DrawnThreshold {
  root: HTMLElement
  badge: HTMLElement
  value: HTMLElement
  line: SVGSVGElement
}

export class ThresholdsSection implements Section {
  readonly root: HTMLElement
  readonly #list = element('ul', { class: 'thresholds' })
  readonly #empty = element(
    'p',
    { class: 'empty' },
    'No thresholds were given: nothing of its figures can fail this run.',
  )
  readonly #drawn = new Map<string, DrawnThreshold>()

  constructor() {
    this.root = panel('Thresholds', [], this.#list, this.#empty)
  }

  update({ thresholds, head }: RunModel, changed: ReadonlySet<Part>): void {
    if (!changed.has('thresholds') && !changed.has('head')) return
    setShown(this.#empty, thresholds.length === 0)
    setShown(this.#list, thresholds.length > 0)
    const rows = orderedThresholds(thresholds)
    const lines = rows.map((row) => this.#draw(row, head.elapsedMs))
    const isSame =
      lines.length === this.#list.childElementCount &&
      lines.every((line, index) => this.#list.children[index] === line)
    if (!isSame) this.#list.replaceChildren(...lines)
    const known = new Set(rows.map(({ expression }) => expression))
    for (const key of this.#drawn.keys()) if (!known.has(key)) this.#drawn.delete(key)
  }

  destroy(): void {
    this.root.remove()
  }

  #draw(row: ThresholdRow, endMs: number): HTMLElement {
    const key = row.expression
    let drawn = this.#drawn.get(key)
    if (drawn === undefined) {
      drawn = makeThreshold(row)
      this.#drawn.set(key, drawn)
    }
    setBadge(drawn.badge, thresholdStanding(row.ok))
    setText(drawn.value, row.text)
    const pieces = statePieces(row.past, Math.max(1, endMs))
    const { line } = drawn
    while (line.childElementCount > pieces.length) line.lastElementChild!.remove()
    while (line.childElementCount < pieces.length) line.append(svg('rect'))
    pieces.forEach(({ from, to, ok }, index) => {
      // Crossed is high, holds is low: told apart without colors.
      const height = ok === false ? lineHeight : ok === true ? 4 : 2
      const rect = line.children[index]!
      setAttribute(rect, 'class', ok === false ? 'crossed' : ok === true ? 'holds' : 'nothing')
      setAttribute(rect, 'x', (from * lineWidth).toFixed(1))
      setAttribute(rect, 'width', Math.max(0.5, (to - from) * lineWidth).toFixed(1))
      setAttribute(rect, 'y', lineHeight - height)
      setAttribute(rect, 'height', height)
    })
    setAttribute(line, 'aria-label', pastText(pieces, endMs))
    return drawn.root
  }
}

function makeThreshold(row: ThresholdRow): DrawnThreshold {
  const mark = badge(thresholdStanding(row.ok))
  const value = element('span', { class: 'value' })
  const line = svg('svg', {
    class: 'state-line',
    role: 'img',
    viewBox: `0 0 ${lineWidth} ${lineHeight}`,
    preserveAspectRatio: 'none',
  })
  const root = element(
    'li',
    {},
    mark,
    element('code', { title: row.expression }, plainLabel(row.expression, 200)),
    value,
    line,
  )
  return { root, badge: mark, value, line }
}

function pastText(pieces: readonly StatePiece[], endMs: number): string {
  const crossed = pieces.filter(({ ok }) => ok === false)
  if (crossed.length === 0) return 'Never crossed so far'
  const times = crossed
    .slice(0, 5)
    .map(({ from, to }) => `${formatElapsed(from * endMs)} to ${formatElapsed(to * endMs)}`)
  return `Crossed from ${times.join(', ')}${crossed.length > 5 ? ' and more' : ''}`
}
