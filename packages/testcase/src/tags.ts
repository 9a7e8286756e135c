import { UsageError } from './errors.ts'
import type { Tags } from './meter.ts'

/**
 * Tags with the same words are the same object, so that looking a series up needs no comparing of words. Beyond this
 * many the memory starts anew, which costs time and changes nothing: tags are a small, bounded set.
 */
const mostInterned = 10_000

const interned = new Map<string, Tags>()
const merged = new WeakMap<Tags, WeakMap<Tags, Tags>>()

/** The one object for these tags, whoever names them and in whatever order; null for none. */
export function internTags(tags: Tags): Tags | null {
  const names = Object.keys(tags)
  if (names.length === 0) return null
  if (names.length > 1) names.sort()
  let key = ''
  for (const name of names) key += `${name}\0${tags[name]!}\0`
  let known = interned.get(key)
  if (known === undefined) {
    const copy: Record<string, string> = {}
    for (const name of names) copy[name] = tags[name]!
    known = Object.freeze(copy)
    if (interned.size >= mostInterned) interned.clear()
    interned.set(key, known)
  }
  return known
}

/**
 * Both tags, the inner ones over the outer ones, as the one object for these words. Fast where both are objects that
 * were merged before; two look-ups in weak maps then.
 */
export function mergeTags(outer: Tags | null, inner: Tags | null): Tags | null {
  if (inner === null) return outer
  if (outer === null) return internTags(inner)
  let known = merged.get(outer)
  if (known === undefined) merged.set(outer, (known = new WeakMap()))
  let both = known.get(inner)
  if (both === undefined) {
    both = internTags({ ...outer, ...inner }) ?? outer
    known.set(inner, both)
  }
  return both
}

/** @throws {UsageError} `this.annotate(...)`: no text, or tags that are no words */
export function checkNote(text: unknown, tags: unknown): void {
  if (typeof text !== 'string' || text.trim() === '') {
    throw new UsageError(`annotate(${JSON.stringify(text) ?? String(text)}): a note needs a text`)
  }
  checkedTags(tags, 'annotate()')
}

/**
 * @param where what the message calls them: `this.tagged()`, `TestSite.tags`
 * @throws {UsageError} not an object of short words
 */
export function checkedTags(tags: unknown, where: string): Tags {
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw new UsageError(`${where}: tags are an object of words, such as { page: 'home' }`)
  }
  for (const [name, value] of Object.entries(tags)) {
    if (typeof value !== 'string') {
      throw new UsageError(
        `${where}: the tag "${name}" is ${JSON.stringify(value) ?? String(value)}; tags are words: give a string`,
      )
    }
  }
  return tags as Tags
}
