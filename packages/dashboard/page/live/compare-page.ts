import type { Comparison } from '@loads-runner/history'
import type { RunModel } from '../../src/model.ts'
import { badge, setBadge } from '../view/badge.ts'
import { DataTable } from '../view/data-table.ts'
import { element, setText } from '../view/dom.ts'
import { formatDate } from '../view/figures.ts'
import { plainLabel } from '../view/labels.ts'
import { panel } from '../view/section.ts'
import { runStanding } from '../view/standing.ts'
import { matches } from '../view/table-window.ts'
import { ApiError, messageOf } from './api-client.ts'
import { CompareCharts } from './compare-charts.ts'
import { figureColumns, seriesColumns } from './compare-columns.ts'
import { effectHelp } from './effects.ts'
import { figurePairs, seriesPairs, type FigurePair, type SeriesPair } from './comparison.ts'
import { statusOf } from './connection-status.ts'
import { LiveRun } from './live-run.ts'
import type { Page, PageFrame } from './page.ts'
import { hrefOf } from './route.ts'

/** Runs that go on are compared anew so often, in milliseconds. */
const redrawMs = 1_000
/** A run that has ended is stored soon: it is asked for anew after so many milliseconds. */
const askAgainMs = 3_000

const whenBothAreOver =
  'Whether more than chance is behind a change can be told once both runs are over and stored.'
const whenBothAreStored =
  'Whether more than chance is behind a change can be told once both runs are stored: one of them is not, yet.'

type Side = 'before' | 'after'

/** Two runs side by side, each of which may go on. */
export class ComparePage implements Page {
  readonly root: HTMLElement
  readonly #frame: PageFrame
  readonly #runs: Record<Side, LiveRun>
  readonly #cards: Record<Side, RunCard>
  readonly #wait = element('p', { class: 'wait' }, 'Waiting for both runs …')
  readonly #content: HTMLElement
  readonly #figures: DataTable<FigurePair>
  readonly #series: DataTable<SeriesPair>
  readonly #charts: CompareCharts
  readonly #search: HTMLInputElement
  readonly #tick: ReturnType<typeof setInterval>
  readonly #abort = new AbortController()
  readonly #untold = element('p', { class: 'hint untold', role: 'status' }, whenBothAreOver)
  #comparison: Comparison | null = null
  #askedAt = -Infinity
  #asks = false
  #pairs: SeriesPair[] = []
  #isStale = false

  constructor(frame: PageFrame, before: string, after: string) {
    this.#frame = frame
    this.#cards = { before: new RunCard('before', before), after: new RunCard('after', after) }
    this.#figures = new DataTable<FigurePair>({
      label: 'Figures of all hits',
      columns: figureColumns,
      key: ({ key }) => key,
      empty: '',
    })
    this.#series = new DataTable<SeriesPair>({
      label: 'Requests of both runs',
      columns: seriesColumns,
      key: ({ key }) => key,
      sort: { key: 'effect', descending: true },
      empty: 'Neither run has a request like that.',
      maxHeight: 560,
    })
    this.#charts = new CompareCharts()
    this.#search = element('input', {
      type: 'search',
      'aria-label': 'Search requests',
      placeholder: 'Search requests',
      oninput: () => this.#drawSeries(),
    })
    this.#content = element(
      'div',
      { class: 'compare-content', hidden: true },
      panel('All hits', [], this.#figures.root, this.#untold),
      this.#charts.root,
      panel(
        'Requests',
        [element('span', { class: 'hint' }, 'The largest effect first'), this.#search],
        this.#series.root,
        element('p', { class: 'hint about-effect' }, effectHelp),
      ),
    )
    this.root = element(
      'div',
      { class: 'compare-page run' },
      element('h1', { tabindex: -1 }, 'Two runs compared'),
      element(
        'div',
        { class: 'cards' },
        this.#cards.before.root,
        element(
          'button',
          {
            type: 'button',
            class: 'quiet',
            title: 'Which one comes first',
            'aria-label': 'Exchange the two runs',
            onclick: () => frame.go({ page: 'compare', before: after, after: before }),
          },
          '⇄',
        ),
        this.#cards.after.root,
      ),
      this.#wait,
      this.#content,
    )
    frame.setTitle('Compare')
    this.#runs = { before: this.#follow('before', before), after: this.#follow('after', after) }
    this.#tick = setInterval(() => this.#draw(), redrawMs)
  }

  pressed(event: KeyboardEvent): boolean {
    if (event.key !== '/') return false
    this.#search.focus()
    return true
  }

  destroy(): void {
    clearInterval(this.#tick)
    this.#abort.abort()
    this.#runs.before.close()
    this.#runs.after.close()
    this.#figures.destroy()
    this.#series.destroy()
    this.#charts.destroy()
    this.#frame.setStatus(null)
  }

  #follow(side: Side, runId: string): LiveRun {
    return new LiveRun(this.#frame.api, runId, {
      begin: (model) => {
        this.#cards[side].show(model)
        this.#isStale = true
        // At once; what comes later waits for the next second.
        this.#draw()
      },
      change: (model) => {
        this.#cards[side].show(model)
        this.#isStale = true
      },
      state: () => {},
    })
  }

  #draw(): void {
    this.#showStatus()
    this.#askForEffects()
    if (!this.#isStale || document.hidden) return
    const before = this.#runs.before.model
    const after = this.#runs.after.model
    if (before === null || after === null) return
    this.#isStale = false
    this.#wait.hidden = true
    this.#content.hidden = false
    this.#figures.setRows(figurePairs(before, after, this.#comparison))
    this.#pairs = seriesPairs(before, after, this.#comparison)
    this.#drawSeries()
    this.#charts.show(before, after)
  }

  /** Histograms are compared by the server, once both runs are on disk. */
  #askForEffects(): void {
    const { before, after } = this.#runs
    const isDue = performance.now() - this.#askedAt >= askAgainMs
    if (this.#asks || !isDue || this.#comparison !== null || !before.ended || !after.ended) return
    this.#asks = true
    this.#askedAt = performance.now()
    const words = new URLSearchParams({ before: before.runId, after: after.runId })
    this.#frame.api
      .get<Comparison>(`/api/compare?${words}`, this.#abort.signal)
      .then(
        (comparison) => {
          this.#comparison = comparison
          this.#isStale = true
          setText(this.#untold, damageOf(comparison))
        },
        (error: unknown) => {
          if (this.#abort.signal.aborted) return
          const isAway = error instanceof ApiError && error.code === 'NOT_STORED'
          setText(this.#untold, isAway ? whenBothAreStored : `The effect cannot be told: ${messageOf(error)}`)
        },
      )
      .finally(() => {
        this.#asks = false
        if (!this.#abort.signal.aborted) this.#draw()
      })
  }

  #drawSeries(): void {
    const search = this.#search.value
    this.#series.setRows(
      this.#pairs.filter(({ name, test, status }) => matches(search, `${name} ${test} ${status}`)),
    )
  }

  /** That of the one which is worse off. */
  #showStatus(): void {
    const now = Date.now()
    const statuses = Object.values(this.#runs).map(({ connection, ended, model, newsAt }) =>
      statusOf({ connection, ended, state: model?.head.state ?? null, newsAt, now }),
    )
    const order = ['refused', 'lost', 'stale', 'connecting', 'waiting', 'live', 'ended']
    statuses.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind))
    const worst = statuses[0] ?? null
    this.#frame.setStatus(worst)
    if (worst?.kind === 'refused') setText(this.#wait, worst.text)
  }
}

/** What is missing in what was compared. */
function damageOf({ before, after }: Comparison): string {
  return [before, after]
    .flatMap(({ damage, runId }) =>
      damage === null ? [] : [`Of ${runId} a part is compared only: ${damage}.`],
    )
    .join(' ')
}

/** Which run this is. */
class RunCard {
  readonly root: HTMLElement
  readonly #badge = badge(runStanding('queued', null))
  readonly #name: HTMLElement
  readonly #facts = element('span', { class: 'about' })

  constructor(side: Side, runId: string) {
    this.#name = element('a', { href: hrefOf({ page: 'run', runId }) }, plainLabel(runId, 60))
    this.root = element(
      'section',
      { class: 'panel card', 'data-side': side, 'aria-label': side },
      element('span', { class: 'side' }, side),
      element('div', { class: 'which' }, this.#badge, this.#name),
      this.#facts,
    )
  }

  show({ head, summary }: RunModel): void {
    setBadge(this.#badge, runStanding(head.state, summary?.verdict ?? null))
    setText(this.#name, plainLabel(head.names.join(', '), 100) || plainLabel(head.runId, 100))
    const labels = Object.entries(head.labels).map(([name, value]) => `${name}=${value}`)
    const facts = [
      head.runId,
      head.project,
      head.user,
      formatDate(head.startedAt ?? head.submittedAt),
      ...labels,
    ]
    setText(
      this.#facts,
      facts
        .filter((fact) => fact !== null)
        .slice(0, 8)
        .map((fact) => plainLabel(fact, 60))
        .join(' · '),
    )
  }
}
