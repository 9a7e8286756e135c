import type { LogLine, RunModel } from '../../src/model.ts'
import { element, setShown, setText } from './dom.ts'
import { formatClock, formatElapsed } from './figures.ts'
import { plainLabel } from './labels.ts'
import type { PaneContext } from './pane-context.ts'
import { panel, type Part, type Section } from './section.ts'

const mostLines = 300
const mostLetters = 4_000
const ranks: Readonly<Record<string, number>> = { info: 0, warning: 1, error: 2 }
const symbols: Readonly<Record<string, string>> = { info: '·', warning: '▲', error: '✗' }

/** What was said during the run, the latest last. */
export class LogSection implements Section {
  readonly root: HTMLElement
  readonly #context: PaneContext
  readonly #list = element('ol', { class: 'log', tabindex: 0, 'aria-label': 'Log of the run' })
  readonly #empty = element('p', { class: 'empty' })
  readonly #level: HTMLSelectElement
  #lines: readonly LogLine[] = []
  #last: LogLine | null = null

  constructor(context: PaneContext) {
    this.#context = context
    this.#level = element(
      'select',
      { 'aria-label': 'Lines shown', onchange: () => this.#drawAll() },
      element('option', { value: 'info' }, 'all lines'),
      element('option', { value: 'warning' }, 'warnings and errors'),
      element('option', { value: 'error' }, 'errors only'),
    )
    this.root = panel('Log', [this.#level], this.#list, this.#empty)
  }

  update({ log }: RunModel, changed: ReadonlySet<Part>): void {
    if (!changed.has('log')) return
    // The model's own list grows and is cut in place.
    this.#lines = [...log]
    const place = this.#last === null ? -1 : this.#lines.lastIndexOf(this.#last)
    if (place < 0) this.#drawAll()
    else this.#append(this.#lines.slice(place + 1))
    this.#last = this.#lines.at(-1) ?? null
  }

  destroy(): void {
    this.root.remove()
  }

  #isShown({ level }: LogLine): boolean {
    return (ranks[level] ?? 0) >= ranks[this.#level.value]!
  }

  #drawAll(): void {
    this.#list.replaceChildren()
    this.#append(this.#lines)
  }

  #append(lines: readonly LogLine[]): void {
    const shown = lines.filter((line) => this.#isShown(line)).slice(-mostLines)
    // Who reads further up stays there.
    const isAtEnd = this.#list.scrollTop + this.#list.clientHeight >= this.#list.scrollHeight - 8
    this.#list.append(...shown.map((line) => this.#line(line)))
    while (this.#list.childElementCount > mostLines) this.#list.firstElementChild!.remove()
    if (isAtEnd) this.#list.scrollTop = this.#list.scrollHeight
    const isEmpty = this.#list.childElementCount === 0
    setShown(this.#list, !isEmpty)
    setShown(this.#empty, isEmpty)
    setText(this.#empty, this.#lines.length === 0 ? 'Nothing was logged yet.' : 'No line of that level.')
  }

  #line({ at, level, source, text }: LogLine): HTMLElement {
    const start = this.#context.startedAt()
    const when = start === null || at < start ? formatClock(at) : formatElapsed(at - start)
    return element(
      'li',
      { 'data-level': level },
      element('time', { title: formatClock(at) }, when),
      element('span', { class: 'level', title: level, 'aria-label': level }, symbols[level] ?? '·'),
      element('span', { class: 'source' }, plainLabel(source, 40)),
      element('span', { class: 'text' }, text.slice(0, mostLetters)),
    )
  }
}
