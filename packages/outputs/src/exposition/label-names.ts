/** Longest value of a label: stores refuse what is much longer. */
const longestValue = 1_000

/**
 * Names of labels for the tags of a run: `tag_` and the tag, with `_` for what a label's name cannot have. Two tags
 * that would get the same name get two: the later one with `_2`. Bounded by the series of the run.
 */
export class LabelNames {
  readonly #names = new Map<string, string>()
  readonly #taken = new Set<string>()

  /** @param prefix `tag_`: begins with a letter */
  of(prefix: string, tag: string): string {
    const key = `${prefix} ${tag}`
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const plain = prefix + tag.replace(/[^a-zA-Z0-9_]/g, '_')
    let name = plain
    for (let number = 2; this.#taken.has(name); number++) name = `${plain}_${number}`
    this.#taken.add(name)
    this.#names.set(key, name)
    return name
  }
}

/** A text as a label's value: any that can be written as UTF-8, of bounded length. */
export function labelValue(text: string): string {
  const cut = text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text
  return cut.replace(/\p{Surrogate}/gu, '\ufffd')
}
