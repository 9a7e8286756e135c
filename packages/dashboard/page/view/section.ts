import type { RunModel, RunUpdate } from '../../src/model.ts'
import { element, type Child } from './dom.ts'

export type Part = keyof RunModel

/** A part of the page that draws a part of the model. */
export interface Section {
  readonly root: HTMLElement
  /** @param changed parts of the model that are others than at the call before */
  update(model: RunModel, changed: ReadonlySet<Part>): void
  destroy(): void
}

export const allParts: ReadonlySet<Part> = new Set<Part>([
  'head',
  'totals',
  'points',
  'heatmap',
  'series',
  'errors',
  'agents',
  'thresholds',
  'bands',
  'marks',
  'log',
  'observed',
  'summary',
])

const partOf: Readonly<Record<keyof RunUpdate, Part>> = {
  head: 'head',
  totals: 'totals',
  points: 'points',
  allPoints: 'points',
  columns: 'heatmap',
  bounds: 'heatmap',
  allColumns: 'heatmap',
  series: 'series',
  errors: 'errors',
  agents: 'agents',
  thresholds: 'thresholds',
  bands: 'bands',
  marks: 'marks',
  log: 'log',
  observed: 'observed',
  summary: 'summary',
}

/** Which parts of a model an update changes. */
export function partsOf(update: RunUpdate): Part[] {
  return (Object.keys(update) as (keyof RunUpdate)[]).flatMap((key) => partOf[key] ?? [])
}

/** A box with a heading, and what stands beside that. */
export function panel(title: string, beside: readonly Child[], ...content: Child[]): HTMLElement {
  return element(
    'section',
    { class: 'panel', 'aria-label': title },
    element('header', {}, element('h2', {}, title), ...beside),
    ...content,
  )
}
