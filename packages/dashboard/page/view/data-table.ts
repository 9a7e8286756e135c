import { element, setAttribute, setShown, setText } from './dom.ts'
import type { Tone } from './standing.ts'
import { flattenRows, sortRows, visibleRange, type FlatRow, type SortValue } from './table-window.ts'

export interface Column<Row> {
  key: string
  title: string
  /** A sentence that says what it is. */
  help?: string
  /** Figures stand right. */
  align?: 'left' | 'right'
  /** Pixels; the first column takes what is left. */
  width?: number
  text?: (row: Row) => string
  /** Draws what is more than a text into the cell, which holds what it drew there before. */
  draw?: (cell: HTMLElement, row: Row) => void
  /** Absent: cannot be sorted by. */
  sort?: (row: Row) => SortValue
}

export interface TableOptions<Row> {
  /** For those who do not see it. */
  label: string
  columns: readonly Column<Row>[]
  /** Stays the same while the row is the same. */
  key: (row: Row) => string
  sort?: { key: string; descending: boolean }
  /** In words: what is missing when there are no rows. */
  empty: string
  /** Rows inside a row. */
  children?: (row: Row) => readonly Row[]
  /** More about a row, shown below it on demand; such a table draws all of its rows. */
  detail?: (row: Row) => Node | null
  tone?: (row: Row) => Tone | null
  /** A click, or Enter, on a row that is not opened by it. */
  onSelect?: (row: Row) => void
  /** Space beyond which it scrolls in itself, in pixels. */
  maxHeight?: number
}

const rowHeight = 30
const spareRows = 12
const nameWidth = 220

interface DrawnRow {
  line: HTMLTableRowElement
  cells: HTMLElement[]
  toggle: HTMLButtonElement | null
  detail: HTMLTableRowElement | null
}

/** A sortable table that scrolls in itself and draws only the rows in sight. */
export class DataTable<Row> {
  readonly root: HTMLElement
  readonly #options: TableOptions<Row>
  readonly #scroller: HTMLElement
  readonly #table: HTMLTableElement
  readonly #body = element('tbody')
  readonly #above = element('tr', { class: 'pad', 'aria-hidden': 'true' })
  readonly #below = element('tr', { class: 'pad', 'aria-hidden': 'true' })
  readonly #empty: HTMLElement
  readonly #heads = new Map<string, HTMLElement>()
  readonly #open = new Set<string>()
  readonly #drawn = new Map<string, DrawnRow>()
  #rows: readonly Row[] = []
  #flat: FlatRow<Row>[] = []
  #sort: { key: string; descending: boolean } | null
  #focused: string | null = null
  #printing = false
  #frame = 0
  readonly #beforePrint = () => this.#print(true)
  readonly #afterPrint = () => this.#print(false)

  constructor(options: TableOptions<Row>) {
    this.#options = options
    this.#sort = options.sort ?? null
    const isTree = options.children !== undefined
    this.#table = element(
      'table',
      { class: 'data', 'aria-label': options.label, role: isTree ? 'treegrid' : null },
      element('colgroup', {}, ...options.columns.map(({ width }) => columnElement(width))),
      element('thead', {}, element('tr', {}, ...options.columns.map((column) => this.#head(column)))),
      this.#body,
    )
    const least = options.columns.reduce((sum, { width }) => sum + (width ?? nameWidth), 0)
    this.#table.style.minWidth = `${least}px`
    this.#scroller = element('div', { class: 'scroller', tabindex: -1 }, this.#table)
    if (options.maxHeight !== undefined) this.#scroller.style.maxHeight = `${options.maxHeight}px`
    this.#empty = element('p', { class: 'empty' }, options.empty)
    this.root = element('div', { class: 'table' }, this.#scroller, this.#empty)
    this.#body.append(this.#above, this.#below)
    this.#scroller.addEventListener('scroll', () => this.#later(), { passive: true })
    this.#body.addEventListener('click', (event) => this.#clicked(event))
    this.#body.addEventListener('keydown', (event) => this.#pressed(event))
    addEventListener('beforeprint', this.#beforePrint)
    addEventListener('afterprint', this.#afterPrint)
    this.#showSort()
    this.setRows([])
  }

  get count(): number {
    return this.#rows.length
  }

  setRows(rows: readonly Row[]): void {
    this.#rows = rows
    setShown(this.#scroller, rows.length > 0)
    setShown(this.#empty, rows.length === 0)
    this.#arrange()
  }

  setEmptyText(text: string): void {
    setText(this.#empty, text)
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame)
    removeEventListener('beforeprint', this.#beforePrint)
    removeEventListener('afterprint', this.#afterPrint)
    this.#drawn.clear()
    this.root.remove()
  }

  #head(column: Column<Row>): HTMLElement {
    const { key, title, help, sort } = column
    const label =
      sort === undefined
        ? title
        : element(
            'button',
            { type: 'button', onclick: () => this.#sortBy(column) },
            title,
            element('span', { class: 'arrow', 'aria-hidden': 'true' }),
          )
    const head = element('th', { scope: 'col', title: help, class: alignment(column) }, label)
    this.#heads.set(key, head)
    return head
  }

  #sortBy(column: Column<Row>): void {
    const first = column.align === 'right'
    this.#sort =
      this.#sort?.key === column.key
        ? { key: column.key, descending: !this.#sort.descending }
        : { key: column.key, descending: first }
    this.#showSort()
    this.#arrange()
  }

  #showSort(): void {
    for (const { key, sort } of this.#options.columns) {
      if (sort === undefined) continue
      const current = this.#sort?.key === key ? (this.#sort.descending ? 'descending' : 'ascending') : 'none'
      setAttribute(this.#heads.get(key)!, 'aria-sort', current)
    }
  }

  #arrange(): void {
    const column = this.#options.columns.find(({ key }) => key === this.#sort?.key)
    const value = column?.sort
    const descending = this.#sort?.descending ?? false
    this.#flat = flattenRows(this.#rows, {
      key: this.#options.key,
      children: this.#options.children ?? (() => []),
      isOpen: (key) => this.#open.has(key),
      order: (rows) => (value === undefined ? rows : sortRows(rows, value, descending)),
    })
    setAttribute(this.#table, 'aria-rowcount', this.#flat.length + 1)
    this.#draw()
  }

  #later(): void {
    if (this.#frame !== 0) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      this.#draw()
    })
  }

  #range(): [number, number] {
    const count = this.#flat.length
    const drawsAll =
      this.#printing || this.#options.detail !== undefined || this.#options.maxHeight === undefined
    if (drawsAll) return [0, count]
    // As high as it may get: what it holds now says nothing of that.
    const height = Math.min(this.#options.maxHeight ?? 0, innerHeight)
    return visibleRange(this.#scroller.scrollTop, height, rowHeight, count, spareRows)
  }

  #draw(): void {
    const [from, to] = this.#range()
    this.#above.style.height = `${from * rowHeight}px`
    this.#below.style.height = `${(this.#flat.length - to) * rowHeight}px`
    const kept = new Set<string>()
    let place: Element = this.#above
    for (let index = from; index < to; index++) {
      const flat = this.#flat[index]!
      kept.add(flat.key)
      const drawn = this.#drawRow(flat, index)
      if (place.nextSibling !== drawn.line) place.after(drawn.line)
      place = drawn.line
      if (drawn.detail === null) continue
      if (place.nextSibling !== drawn.detail) place.after(drawn.detail)
      place = drawn.detail
    }
    for (const [key, { line, detail }] of this.#drawn) {
      if (kept.has(key)) continue
      line.remove()
      detail?.remove()
      this.#drawn.delete(key)
    }
    this.#rove(from, to)
  }

  #drawRow(flat: FlatRow<Row>, index: number): DrawnRow {
    const { columns, tone } = this.#options
    let drawn = this.#drawn.get(flat.key)
    if (drawn === undefined) {
      drawn = this.#makeRow(flat.key)
      this.#drawn.set(flat.key, drawn)
    }
    const { line, cells } = drawn
    setAttribute(line, 'aria-rowindex', index + 2)
    setAttribute(line, 'data-tone', tone?.(flat.row) ?? null)
    setAttribute(line, 'data-level', flat.level === 0 ? null : flat.level)
    if (this.#options.children !== undefined) setAttribute(line, 'aria-level', flat.level + 1)
    columns.forEach((column, at) => {
      const cell = cells[at]!
      if (column.draw !== undefined) column.draw(cell, flat.row)
      else {
        const text = column.text?.(flat.row) ?? ''
        setText(cell, text)
        if (column.align !== 'right') setAttribute(cell, 'title', text)
      }
    })
    this.#drawOpen(flat, drawn)
    return drawn
  }

  #makeRow(key: string): DrawnRow {
    const { columns, detail, children } = this.#options
    const opens = detail !== undefined || children !== undefined
    const toggle = opens
      ? element('button', { type: 'button', class: 'toggle', tabindex: -1, 'aria-label': 'More' })
      : null
    const cells = columns.map(() => element('div', { class: 'cell' }))
    const line = element(
      'tr',
      { 'data-key': key, tabindex: -1, class: this.#options.onSelect === undefined ? null : 'selectable' },
      ...columns.map((column, at) =>
        element(
          'td',
          { class: alignment(column) },
          at === 0 && toggle !== null
            ? element('div', { class: 'name' }, toggle, cells[at])
            : (cells[at] ?? null),
        ),
      ),
    )
    return { line, cells, toggle, detail: null }
  }

  #drawOpen(flat: FlatRow<Row>, drawn: DrawnRow): void {
    const { detail, columns } = this.#options
    const canOpen = flat.expanded !== null || detail !== undefined
    const isOpen = canOpen && this.#open.has(flat.key)
    if (drawn.toggle !== null) {
      setAttribute(drawn.toggle, 'data-none', !canOpen)
      setAttribute(drawn.toggle, 'aria-expanded', canOpen ? String(isOpen) : null)
      setAttribute(drawn.line, 'aria-expanded', canOpen ? String(isOpen) : null)
    }
    if (detail === undefined) return
    if (isOpen || this.#printing) {
      const content = drawn.detail === null ? detail(flat.row) : null
      if (content === null) return
      drawn.detail = element('tr', { class: 'detail' }, element('td', { colspan: columns.length }, content))
    } else {
      drawn.detail?.remove()
      drawn.detail = null
    }
  }

  /** One row only is reached by Tab; arrows go on from there. */
  #rove(from: number, to: number): void {
    const isDrawn = this.#focused !== null && this.#drawn.has(this.#focused)
    const reached = isDrawn ? this.#focused : to > from ? this.#flat[from]!.key : null
    for (const [key, { line }] of this.#drawn) setAttribute(line, 'tabindex', key === reached ? 0 : -1)
  }

  #clicked(event: Event): void {
    const target = event.target as Element
    const key = target.closest('tr[data-key]')?.getAttribute('data-key')
    if (key === null || key === undefined) return
    if (target.closest('a, pre, button:not(.toggle)') !== null) return
    this.#focused = key
    this.#activate(key, target.closest('.toggle') !== null)
  }

  #activate(key: string, opens: boolean): void {
    const flat = this.#flat.find((each) => each.key === key)
    if (flat === undefined) return
    if (this.#options.onSelect !== undefined && !opens) this.#options.onSelect(flat.row)
    else this.#setOpen(flat, !this.#open.has(key))
  }

  #setOpen(flat: FlatRow<Row>, open: boolean): void {
    if (flat.expanded === null && this.#options.detail === undefined) return
    if (open) this.#open.add(flat.key)
    else this.#open.delete(flat.key)
    this.#arrange()
  }

  #pressed(event: KeyboardEvent): void {
    const line = (event.target as Element).closest('tr[data-key]')
    if (line === null || event.target !== line || event.ctrlKey || event.metaKey || event.altKey) return
    const index = this.#flat.findIndex(({ key }) => key === line.getAttribute('data-key'))
    const flat = this.#flat[index]
    if (flat === undefined) return
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / rowHeight) - 2)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: this.#flat.length - 1,
    }
    const next = moves[event.key]
    if (next !== undefined) this.#focus(Math.min(this.#flat.length - 1, Math.max(0, next)))
    else if (event.key === 'ArrowRight') this.#setOpen(flat, true)
    else if (event.key === 'ArrowLeft') this.#setOpen(flat, false)
    else if (event.key === 'Enter' || event.key === ' ') this.#activate(flat.key, event.key === ' ')
    else return
    event.preventDefault()
  }

  #focus(index: number): void {
    const flat = this.#flat[index]
    if (flat === undefined) return
    this.#focused = flat.key
    if (!this.#drawn.has(flat.key)) {
      this.#scroller.scrollTop = index * rowHeight - this.#scroller.clientHeight / 2
      this.#draw()
    }
    const line = this.#drawn.get(flat.key)?.line
    line?.focus({ preventScroll: true })
    line?.scrollIntoView({ block: 'nearest' })
    const [from, to] = this.#range()
    this.#rove(from, to)
  }

  #print(printing: boolean): void {
    this.#printing = printing
    this.#draw()
  }
}

function columnElement(width: number | undefined): HTMLElement {
  const made = element('col')
  if (width !== undefined) made.style.width = `${width}px`
  return made
}

function alignment<Row>({ align }: Column<Row>): string | null {
  return align === 'right' ? 'right' : null
}
