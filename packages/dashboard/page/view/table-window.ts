/** What a table shows of its rows, and in which order. Pure. */

export type SortValue = number | string | null

/** What is unknown stands last, whichever the direction; equal ones keep their order. */
export function compareValues(one: SortValue, other: SortValue, descending: boolean): number {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1
  const order =
    typeof one === 'number' && typeof other === 'number'
      ? one - other
      : String(one) < String(other)
        ? -1
        : String(one) > String(other)
          ? 1
          : 0
  return descending ? -order : order
}

export function sortRows<Row>(
  rows: readonly Row[],
  value: (row: Row) => SortValue,
  descending: boolean,
): Row[] {
  const valued = rows.map((row) => ({ row, value: value(row) }))
  valued.sort((one, other) => compareValues(one.value, other.value, descending))
  return valued.map(({ row }) => row)
}

export interface FlatRow<Row> {
  row: Row
  key: string
  /** 0 for a row of its own, 1 for one inside another. */
  level: number
  /** Null: there is nothing in it. */
  expanded: boolean | null
}

/** Rows and what is in those that are open, as one list. Rows inside others are sorted alike. */
export function flattenRows<Row>(
  rows: readonly Row[],
  options: {
    key: (row: Row) => string
    children: (row: Row) => readonly Row[]
    isOpen: (key: string) => boolean
    order: (rows: readonly Row[]) => readonly Row[]
  },
): FlatRow<Row>[] {
  const flat: FlatRow<Row>[] = []
  const add = (list: readonly Row[], level: number) => {
    for (const row of options.order(list)) {
      const key = options.key(row)
      const children = options.children(row)
      const expanded = children.length === 0 ? null : options.isOpen(key)
      flat.push({ row, key, level, expanded })
      if (expanded === true) add(children, level + 1)
    }
  }
  add(rows, 0)
  return flat
}

/** Which rows of equal height are in sight, and `spare` more on each side: from the first to before the last. */
export function visibleRange(
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
  count: number,
  spare: number,
): [from: number, to: number] {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - spare
  const last = Math.ceil((Math.max(0, scrollTop) + viewHeight) / rowHeight) + spare
  // A list that got shorter may have been scrolled beyond its end.
  const to = Math.min(count, Math.max(0, last))
  return [Math.max(0, Math.min(first, to - 1)), to]
}

/** Does a text hold all words of a search, in any order and case? */
export function matches(search: string, text: string): boolean {
  const where = text.toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => where.includes(word))
}
