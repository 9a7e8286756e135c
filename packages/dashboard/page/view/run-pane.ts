import './style.css'
import type { RunModel, RunUpdate } from '../../src/model.ts'
import { AgentsSection } from './agents-section.ts'
import { ChartsSection } from './charts-section.ts'
import { element } from './dom.ts'
import { ErrorsSection } from './errors-section.ts'
import { HappeningsSection } from './happenings-section.ts'
import { Headline } from './headline.ts'
import { LogSection } from './log-section.ts'
import { ObservedSection } from './observed-section.ts'
import { OwnSections } from './own-sections.ts'
import { PaneContext } from './pane-context.ts'
import { allParts, partsOf, type Part, type Section } from './section.ts'
import { SeriesSection } from './series-section.ts'
import { ThresholdsSection } from './thresholds-section.ts'
import { Tiles } from './tiles.ts'

export interface RunPaneOptions {
  /** It goes on: updates come. */
  live: boolean
  /** Beside another one: one column of charts, no log. */
  compact?: boolean
}

export interface RunPane {
  /** The model with the update applied, and the update, so that only what has changed is drawn. */
  update(model: RunModel, update: RunUpdate): void
  destroy(): void
}

/** Draws a run into an element, which it fills. */
export function renderRun(root: HTMLElement, model: RunModel, options: RunPaneOptions): RunPane {
  return new Pane(root, model, options)
}

class Pane implements RunPane {
  readonly #context = new PaneContext()
  readonly #root: HTMLElement
  readonly #charts: ChartsSection
  readonly #observed: ObservedSection
  readonly #sections: Section[]
  readonly #changed = new Set<Part>()
  readonly #beforePrint = () => this.#print(true)
  readonly #afterPrint = () => this.#print(false)
  #model: RunModel
  #frame = 0
  /** The theme to go back to after printing. */
  #theme: string | null = null

  constructor(root: HTMLElement, model: RunModel, { live, compact = false }: RunPaneOptions) {
    this.#model = model
    this.#charts = new ChartsSection(this.#context)
    this.#observed = new ObservedSection(this.#context)
    this.#sections = [
      new Headline(),
      new Tiles(),
      new ThresholdsSection(),
      new HappeningsSection(this.#context),
      this.#charts,
      this.#observed,
      new SeriesSection(),
      new ErrorsSection(this.#context),
      new AgentsSection(),
      new OwnSections(),
      ...(compact ? [] : [new LogSection(this.#context)]),
    ]
    this.#root = element(
      'article',
      { class: `run${compact ? ' compact' : ''}${live ? ' live' : ''}` },
      ...this.#sections.map((section) => section.root),
    )
    // In the page first: charts ask how much room they have.
    root.replaceChildren(this.#root)
    this.#draw(allParts)
    addEventListener('beforeprint', this.#beforePrint)
    addEventListener('afterprint', this.#afterPrint)
  }

  update(model: RunModel, update: RunUpdate): void {
    this.#model = model
    for (const part of partsOf(update)) this.#changed.add(part)
    // However many updates come, one drawing per frame; none while nobody looks.
    if (this.#frame !== 0 || this.#changed.size === 0) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      const changed = new Set(this.#changed)
      this.#changed.clear()
      this.#draw(changed)
    })
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame)
    removeEventListener('beforeprint', this.#beforePrint)
    removeEventListener('afterprint', this.#afterPrint)
    for (const section of this.#sections) section.destroy()
    this.#context.destroy()
    this.#root.remove()
  }

  #draw(changed: ReadonlySet<Part>): void {
    const { points, head } = this.#model
    this.#context.setStartedAt(head.startedAt)
    if (changed.has('points')) {
      const last = points.fromMs.length - 1
      this.#context.axis.setEnd(last < 0 ? 0 : points.fromMs[last]! + points.spanMs[last]!)
    }
    for (const section of this.#sections) section.update(this.#model, changed)
  }

  /** Paper is white: charts are drawn anew in the light theme, those out of sight, too. */
  #print(prints: boolean): void {
    const { dataset } = document.documentElement
    if (prints) {
      this.#theme = dataset['theme'] ?? ''
      dataset['theme'] = 'light'
    } else if (this.#theme !== null) {
      if (this.#theme === '') delete dataset['theme']
      else dataset['theme'] = this.#theme
      this.#theme = null
    }
    for (const details of this.#root.querySelectorAll('details')) details.open = prints
    this.#charts.flush()
    this.#observed.flush()
    this.#context.theme.refresh()
  }
}
