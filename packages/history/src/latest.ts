/** Appends to a list that keeps its latest `most` items. */
export function pushLatest<T>(list: T[], item: T, most: number): void {
  list.push(item)
  if (list.length > most) list.shift()
}
