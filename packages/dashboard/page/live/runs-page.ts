import type { RunListRow } from '../../src/model.ts'
import { DataTable } from '../view/data-table.ts'
import { element, setAttribute, setShown, setText } from '../view/dom.ts'
import { plural } from '../view/figures.ts'
import { EventFeed } from './event-feed.ts'
import { isActive } from './list-row.ts'
import type { Page, PageFrame } from './page.ts'
import { hrefOf } from './route.ts'
import { matches, parseSearch } from './run-filter.ts'
import { runColumns } from './run-columns.ts'
import { statusOf } from './connection-status.ts'

/** Hits of runs that go on are asked for; their states are told. Milliseconds. */
const refreshMs = 2_000
const quietMs = 60_000
const rowsAtFirst = 200
const searchHelp = 'project:shop  user:ann  label:commit=ab12  verdict:failed'

/** All runs, those that go on and those that are over. */
export class RunsPage implements Page {
  readonly root: HTMLElement
  readonly #frame: PageFrame
  readonly #feed: EventFeed
  readonly #rows = new Map<string, RunListRow>()
  readonly #table: DataTable<RunListRow>
  readonly #field: HTMLInputElement
  readonly #count = element('p', { class: 'count' })
  readonly #compare: HTMLButtonElement
  readonly #more: HTMLButtonElement
  readonly #refresh: ReturnType<typeof setInterval>
  readonly #abort = new AbortController()
  /** The one chosen first at the beginning. */
  #chosen: string[] = []
  #most = rowsAtFirst
  #known = false
  #drawing = 0

  constructor(frame: PageFrame, search: string) {
    this.#frame = frame
    this.#field = element('input', {
      type: 'search',
      id: 'search',
      value: search,
      placeholder: searchHelp,
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: () => this.#searched(),
    })
    this.#compare = element('button', { type: 'button', onclick: () => this.#openComparison() })
    this.#more = element('button', {
      type: 'button',
      class: 'quiet',
      hidden: true,
      onclick: () => this.#showMore(),
    })
    this.#table = new DataTable<RunListRow>({
      label: 'Runs',
      columns: runColumns({ isChosen: (id) => this.#chosen.includes(id), choose: (id) => this.#choose(id) }),
      key: ({ runId }) => runId,
      sort: { key: 'started', descending: true },
      empty: '',
      tone: (row) => (isActive(row) ? 'busy' : null),
      onSelect: ({ runId }) => frame.go({ page: 'run', runId }),
    })
    this.root = element(
      'div',
      { class: 'runs-page' },
      element('h1', { tabindex: -1 }, 'Runs'),
      element(
        'div',
        { class: 'tools', role: 'search' },
        element('label', { for: 'search', class: 'hidden' }, 'Search runs'),
        this.#field,
        this.#count,
        this.#compare,
      ),
      this.#table.root,
      this.#more,
    )
    frame.setTitle('')
    this.#feed = new EventFeed({
      url: '/api/events',
      handlers: {
        runs: (rows: RunListRow[]) => this.#take(rows, true),
        run: (row: RunListRow) => this.#take([row], false),
      },
      onState: () => this.#showStatus(),
      probe: (signal) => frame.api.get('/api/runs', signal),
      quietMs: () => quietMs,
    })
    this.#refresh = setInterval(() => void this.#ask(), refreshMs)
    this.#draw()
    this.#showStatus()
  }

  pressed(event: KeyboardEvent): boolean {
    const row = document.activeElement?.closest('tr[data-key]') ?? null
    switch (event.key) {
      case '/':
        this.#field.focus()
        this.#field.select()
        return true
      case 'j':
      case 'k':
      case 'ArrowDown':
      case 'ArrowUp':
        this.#move(row, event.key === 'j' || event.key === 'ArrowDown')
        return true
      case 'x':
        if (row !== null) this.#choose(row.getAttribute('data-key')!)
        return row !== null
      case 'c':
        if (this.#chosen.length < 2) return false
        this.#openComparison()
        return true
      default:
        return false
    }
  }

  destroy(): void {
    this.#abort.abort()
    clearInterval(this.#refresh)
    cancelAnimationFrame(this.#drawing)
    this.#feed.close()
    this.#table.destroy()
    this.#frame.setStatus(null)
  }

  #take(rows: readonly RunListRow[], all: boolean): void {
    if (all) this.#rows.clear()
    for (const row of rows) this.#rows.set(row.runId, row)
    this.#known = true
    this.#later()
  }

  async #ask(): Promise<void> {
    this.#showStatus()
    if (document.hidden || this.#feed.state.kind !== 'open') return
    if (![...this.#rows.values()].some(isActive)) return
    try {
      this.#take(await this.#frame.api.get<RunListRow[]>('/api/runs', this.#abort.signal), true)
    } catch {
      // The stream of events tells what is wrong.
    }
  }

  #later(): void {
    if (this.#drawing !== 0) return
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0
      this.#draw()
    })
  }

  #draw(): void {
    const terms = parseSearch(this.#field.value)
    const found = [...this.#rows.values()].filter((row) => matches(row, terms))
    found.sort((one, other) => other.submittedAt - one.submittedAt)
    this.#table.setRows(found.slice(0, this.#most))
    const rest = found.length - this.#most
    setShown(this.#more, rest > 0)
    setText(this.#more, `Show ${plural(Math.min(rest, rowsAtFirst), 'more run')}`)
    this.#table.setEmptyText(
      !this.#known
        ? 'Waiting for the list of runs …'
        : this.#rows.size === 0
          ? 'No runs yet. Start one: loads-runner example.TestWebSite.test_es'
          : 'No run is like that. Search for any text, or for project:, user:, label:name=value, verdict:, state:',
    )
    const active = [...this.#rows.values()].filter(isActive).length
    const shown =
      terms.length === 0
        ? plural(found.length, 'run')
        : `${found.length} of ${plural(this.#rows.size, 'run')}`
    setText(this.#count, this.#known ? `${shown}${active > 0 ? `, ${active} active` : ''}` : '')
    this.#drawCompare()
  }

  #drawCompare(): void {
    const missing = 2 - this.#chosen.length
    setText(
      this.#compare,
      missing === 0 ? 'Compare these two' : missing === 2 ? 'Compare …' : 'Compare with …',
    )
    setAttribute(this.#compare, 'title', missing === 0 ? 'c' : 'Choose two runs in the first column')
    this.#compare.disabled = missing > 0
  }

  #choose(runId: string): void {
    this.#chosen = this.#chosen.includes(runId)
      ? this.#chosen.filter((each) => each !== runId)
      : [...this.#chosen, runId].slice(-2)
    this.#frame.announce(`${plural(this.#chosen.length, 'run')} chosen to be compared`)
    this.#draw()
  }

  /** The older one is the one before. */
  #openComparison(): void {
    const submitted = (id: string) => this.#rows.get(id)?.submittedAt ?? 0
    const [before, after] = this.#chosen.toSorted((one, other) => submitted(one) - submitted(other))
    if (before !== undefined && after !== undefined) this.#frame.go({ page: 'compare', before, after })
  }

  #searched(): void {
    this.#most = rowsAtFirst
    // Kept in the address, not in the history: a way back is not a letter.
    history.replaceState(null, '', hrefOf({ page: 'runs', search: this.#field.value.trim() }))
    this.#draw()
  }

  #showMore(): void {
    this.#most += rowsAtFirst
    this.#draw()
  }

  /** The table knows arrows; the first key of all goes to its first row. */
  #move(row: Element | null, down: boolean): void {
    if (row === null) this.#table.root.querySelector<HTMLElement>('tr[data-key]')?.focus()
    else
      row.dispatchEvent(
        new KeyboardEvent('keydown', {
          key: down ? 'ArrowDown' : 'ArrowUp',
          bubbles: true,
          cancelable: true,
        }),
      )
  }

  #showStatus(): void {
    const now = Date.now()
    const { state } = this.#feed
    const status = statusOf({ connection: state, ended: false, state: 'running', newsAt: now, now })
    this.#frame.setStatus(status)
  }
}
