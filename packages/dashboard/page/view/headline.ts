import type { RunHead, RunModel } from '../../src/model.ts'
import { badge, setBadge } from './badge.ts'
import { element, setAttribute, setShown, setText } from './dom.ts'
import { formatDate, formatElapsed, formatNumber } from './figures.ts'
import { plainLabel } from './labels.ts'
import type { Part, Section } from './section.ts'
import { runStanding } from './standing.ts'

const mostNames = 6
const mostScenarios = 12

/** What runs, how it stands, how far it is. */
export class Headline implements Section {
  readonly root: HTMLElement
  readonly #title = element('h1')
  readonly #badge = badge(runStanding('queued', null))
  readonly #note = element('p', { class: 'note', hidden: true })
  readonly #facts = element('dl', { class: 'facts' })
  readonly #scenarios = element('ul', { class: 'scenarios' })
  readonly #fill = element('i')
  readonly #bar = element(
    'div',
    {
      class: 'progress',
      role: 'progressbar',
      'aria-label': 'Progress',
      'aria-valuemin': 0,
      'aria-valuemax': 100,
    },
    this.#fill,
  )
  readonly #elapsed = element('span', { class: 'elapsed' })
  #shown = ''

  constructor() {
    this.root = element(
      'header',
      { class: 'headline' },
      element('div', { class: 'title' }, this.#badge, this.#title),
      this.#note,
      element('div', { class: 'far' }, this.#bar, this.#elapsed),
      this.#scenarios,
      this.#facts,
    )
  }

  update({ head, summary }: RunModel, changed: ReadonlySet<Part>): void {
    if (!changed.has('head') && !changed.has('summary')) return
    setBadge(this.#badge, runStanding(head.state, summary?.verdict ?? null))
    const names = head.names.slice(0, mostNames).map((name) => plainLabel(name, 80))
    const more = head.names.length - names.length
    setText(this.#title, [...names, ...(more > 0 ? [`and ${more} more`] : [])].join(', ') || head.runId)
    setText(this.#note, head.note)
    setShown(this.#note, head.note !== '')
    this.#drawProgress(head)
    this.#drawFacts(head)
  }

  destroy(): void {
    this.root.remove()
  }

  #drawProgress(head: RunHead): void {
    const { elapsedMs, plannedMs, progress, warmUpMs, state } = head
    const percent = Math.round(progress * 100)
    this.#fill.style.width = `${(progress * 100).toFixed(1)}%`
    setAttribute(this.#bar, 'aria-valuenow', percent)
    setAttribute(this.#bar, 'data-state', state)
    const planned = plannedMs === null ? '' : ` of ${formatElapsed(plannedMs)}`
    const isWarming = elapsedMs < warmUpMs && state === 'running'
    setText(
      this.#elapsed,
      `${formatElapsed(elapsedMs)}${planned} · ${percent} %${isWarming ? ' · warm-up, in no total' : ''}`,
    )
  }

  /** Seldom changes: drawn afresh when it does. */
  #drawFacts(head: RunHead): void {
    const { runId, project, user, labels, seed, submittedAt, startedAt, scenarios } = head
    const shown = JSON.stringify([runId, project, user, labels, seed, submittedAt, startedAt, scenarios])
    if (shown === this.#shown) return
    this.#shown = shown
    const facts: [string, string][] = [
      ['run', runId],
      ...(project === null ? [] : [['project', project] as [string, string]]),
      ...(user === null ? [] : [['by', user] as [string, string]]),
      [startedAt === null ? 'submitted' : 'started', formatDate(startedAt ?? submittedAt)],
      ['seed', String(seed)],
    ]
    this.#facts.replaceChildren(
      ...facts.map(([name, value]) => fact(name, value, '')),
      ...Object.entries(labels).map(([name, value]) => fact(name, value, 'chip')),
    )
    this.#scenarios.replaceChildren(
      ...scenarios
        .slice(0, mostScenarios)
        .map(({ name, load, target, paused }) =>
          element(
            'li',
            {},
            name === '' ? null : element('b', {}, plainLabel(name, 60)),
            element('span', {}, plainLabel(load, 120)),
            target === null ? null : element('span', { class: 'set' }, `set to ${formatNumber(target)}`),
            paused ? element('span', { class: 'set', 'data-tone': 'doubtful' }, 'paused') : null,
          ),
        ),
      ...(scenarios.length > mostScenarios
        ? [element('li', {}, `and ${scenarios.length - mostScenarios} more`)]
        : []),
    )
  }
}

function fact(name: string, value: string, kind: string): HTMLElement {
  return element(
    'div',
    { class: kind || null, title: `${name}: ${value}` },
    element('dt', {}, plainLabel(name, 40)),
    element('dd', {}, plainLabel(value, 80)),
  )
}
