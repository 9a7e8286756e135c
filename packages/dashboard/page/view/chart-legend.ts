import { element, setAttribute, setShown, setText, svg } from './dom.ts'

export interface LegendLine {
  label: string
  color: string
  dash?: number[]
}

/** The lines of a chart by name, with values; a click hides one or shows it again. */
export class ChartLegend {
  readonly root: HTMLElement
  readonly #entries: { button: HTMLButtonElement; value: HTMLElement }[]

  constructor(lines: readonly LegendLine[], onToggle: (index: number) => void) {
    this.#entries = lines.map(({ label, color, dash }, index) => {
      const value = element('span', { class: 'value' })
      const button = element(
        'button',
        { type: 'button', 'aria-pressed': 'true', onclick: () => onToggle(index) },
        lineSample(color, dash !== undefined),
        element('span', { class: 'label' }, label),
        value,
      )
      return { button, value }
    })
    this.root = element('div', { class: 'legend' }, ...this.#entries.map(({ button }) => button))
  }

  /** Lines that have no value at all are left out. */
  setPresent(present: readonly boolean[]): void {
    this.#entries.forEach(({ button }, index) => setShown(button, present[index] === true))
  }

  setHidden(hidden: ReadonlySet<number>): void {
    this.#entries.forEach(({ button }, index) =>
      setAttribute(button, 'aria-pressed', String(!hidden.has(index))),
    )
  }

  setValues(values: readonly string[]): void {
    this.#entries.forEach(({ value }, index) => setText(value, values[index] ?? ''))
  }
}

/** A short piece of a line as it is drawn. Colors are custom properties: they follow the theme by themselves. */
export function lineSample(color: string, dashed: boolean): SVGSVGElement {
  const line = svg('line', {
    x1: 0,
    y1: 4,
    x2: 14,
    y2: 4,
    'stroke-width': 2.5,
    'stroke-dasharray': dashed ? '3 2.5' : null,
  })
  line.style.stroke = `var(--${color})`
  return svg('svg', { class: 'sample', width: 14, height: 8, 'aria-hidden': 'true' }, line)
}
