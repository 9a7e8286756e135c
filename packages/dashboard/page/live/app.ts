import type { RunListRow } from '../../src/model.ts'
import { element, setAttribute, setShown, setText } from '../view/dom.ts'
import { ApiClient } from './api-client.ts'
import { ComparePage } from './compare-page.ts'
import type { ConnectionStatus } from './connection-status.ts'
import { showKeys } from './keys-dialog.ts'
import { isActive } from './list-row.ts'
import type { Page, PageFrame } from './page.ts'
import { hrefOf, parseRoute, type Route } from './route.ts'
import { RunPage } from './run-page.ts'
import { RunsPage } from './runs-page.ts'
import { themeButton } from './theme-choice.ts'
import { askToken } from './token-dialog.ts'
import { takeToken, TokenStore } from './token-store.ts'

/** The whole page: its head, and what the address asks for. */
export class App {
  readonly #tokens = new TokenStore()
  readonly #api = new ApiClient({ token: this.#tokens, askToken })
  readonly #main = element('main', { id: 'main', tabindex: -1 })
  readonly #trail = element('span', { class: 'trail', 'aria-current': 'page' })
  readonly #arrow = element('span', { class: 'arrow', 'aria-hidden': 'true' }, '/')
  readonly #symbol = element('i', { 'aria-hidden': 'true' })
  readonly #words = element('span')
  readonly #status = element('span', { class: 'badge status' }, this.#symbol, this.#words)
  readonly #said = element('div', { class: 'hidden', 'aria-live': 'polite' })
  readonly #theme = themeButton()
  #page: Page | null = null
  #shown = 0

  start(root: HTMLElement): void {
    root.append(
      element(
        'a',
        { class: 'skip', href: '#main', onclick: (event: Event) => this.#skip(event) },
        'To the figures',
      ),
      this.#head(),
      this.#main,
      this.#said,
    )
    addEventListener('hashchange', () => void this.#follow())
    document.addEventListener('keydown', (event) => this.#pressed(event))
    void this.#follow()
  }

  #head(): HTMLElement {
    return element(
      'header',
      { class: 'top' },
      element(
        'nav',
        { 'aria-label': 'Where you are' },
        element('a', { class: 'brand', href: hrefOf({ page: 'runs', search: '' }) }, 'Loads'),
        element('a', { href: hrefOf({ page: 'runs', search: '' }) }, 'Runs'),
        this.#arrow,
        this.#trail,
      ),
      this.#status,
      this.#theme,
      element(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': 'Keys',
          title: 'Keys (?)',
          onclick: () => void showKeys(),
        },
        '?',
      ),
    )
  }

  /** Shows what the address asks for. */
  async #follow(): Promise<void> {
    this.#takeToken()
    const shown = ++this.#shown
    const route = parseRoute(location.hash)
    if (route.page !== 'start') return this.#show(route)
    this.#leave()
    const only = await this.#onlyActive()
    // Whoever has gone on meanwhile is somewhere else already.
    if (shown !== this.#shown) return
    const next: Route = only === null ? { page: 'runs', search: '' } : { page: 'run', runId: only }
    history.replaceState(null, '', hrefOf(next))
    this.#show(next)
  }

  #show(route: Exclude<Route, { page: 'start' }>): void {
    const isFirst = this.#page === null && this.#main.childElementCount === 0
    this.#leave()
    const frame: PageFrame = {
      api: this.#api,
      go: (to) => (location.hash = hrefOf(to)),
      setTitle: (title) => this.#setTitle(title),
      setStatus: (status) => this.#setStatus(status),
      announce: (text) => setText(this.#said, text),
    }
    this.#page =
      route.page === 'run'
        ? new RunPage(frame, route.runId)
        : route.page === 'compare'
          ? new ComparePage(frame, route.before, route.after)
          : new RunsPage(frame, route.search)
    this.#main.replaceChildren(this.#page.root)
    // Who goes on by keys begins where the new page does; the first page is left to the browser.
    if (!isFirst) this.#main.focus({ preventScroll: true })
    scrollTo(0, 0)
  }

  #leave(): void {
    // What was asked about one page is no question of the next.
    document.querySelector<HTMLDialogElement>('dialog[open]')?.close()
    this.#page?.destroy()
    this.#page = null
    this.#main.replaceChildren()
    this.#setStatus(null)
  }

  /** The id of the run that goes on, where there is just one. */
  async #onlyActive(): Promise<string | null> {
    try {
      const active = (await this.#api.get<RunListRow[]>('/api/runs')).filter(isActive)
      return active.length === 1 ? active[0]!.runId : null
    } catch {
      // The list says what is wrong.
      return null
    }
  }

  #takeToken(): void {
    const { token, rest } = takeToken(location.hash)
    if (token === null && rest === location.hash) return
    if (token !== null) this.#tokens.token = token
    history.replaceState(null, '', `${location.pathname}${rest}`)
  }

  #setTitle(title: string): void {
    document.title = title === '' ? 'Runs · Loads' : `${title} · Loads`
    setText(this.#trail, title)
    setShown(this.#arrow, title !== '')
    setShown(this.#trail, title !== '')
  }

  #setStatus(status: ConnectionStatus | null): void {
    setShown(this.#status, status !== null)
    if (status === null) return
    setAttribute(this.#status, 'data-tone', status.tone)
    setAttribute(this.#status, 'data-kind', status.kind)
    setAttribute(this.#status, 'title', status.text)
    setText(this.#symbol, status.symbol)
    setText(this.#words, status.text)
  }

  #skip(event: Event): void {
    // Not through the address: that is where the reader is.
    event.preventDefault()
    this.#main.focus()
  }

  #pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return
    if (document.querySelector('dialog[open]') !== null) return
    if (this.#page?.pressed?.(event) !== true) {
      if (event.key === '?') void showKeys()
      else if (event.key === 'g') location.hash = hrefOf({ page: 'runs', search: '' })
      else if (event.key === 't') this.#theme.click()
      else return
    }
    event.preventDefault()
  }
}

function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return false
  // From the search down into the list.
  return !(target.type === 'search' && (key === 'ArrowDown' || key === 'ArrowUp'))
}
