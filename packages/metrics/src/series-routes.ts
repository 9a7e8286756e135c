import type { BlockWriter } from './series-block.ts'

/**
 * How a recorder gets from the words of a hit to the memory of its series without building a string: maps by test and
 * by name, then a short chain, because one name has few methods and statuses. (Two more maps instead of the chain cost
 * half as much again per hit, see benchmark/recorder.bench.ts.)
 *
 *     test -> name -> [GET 200] -> [GET 404] -> ...
 *                        |
 *                        +-- tag -> value -> tag -> value     only for hits with tags
 *
 * A route is a cache of the recorder's decision, overflow included; forgetting all of them is always safe.
 */
export class SeriesRoutes {
  #tests = new Map<string, Map<string, Link>>()
  // Neighbouring hits nearly always come from one test: its map is kept at hand.
  #lastTest: string | null = null
  #lastNames: Map<string, Link> | null = null

  /** The memory behind a route; null when it is not known. Allocates nothing. */
  find(
    test: string,
    name: string,
    method: string,
    status: string,
    tags: Readonly<Record<string, string>> | null,
  ): BlockWriter | null {
    if (test !== this.#lastTest || this.#lastNames === null) {
      const names = this.#tests.get(test)
      if (names === undefined) return null
      this.#lastTest = test
      this.#lastNames = names
    }
    let link: Link | null = this.#lastNames.get(name) ?? null
    while (link !== null) {
      if (link.status === status && link.method === method) {
        return tags === null ? link.plain.writer : findTagged(link.plain, tags)
      }
      link = link.next
    }
    return null
  }

  /** Remembers a route. Returns how many entries that took, for the owner's bound on memory. */
  add(
    test: string,
    name: string,
    method: string,
    status: string,
    tags: Readonly<Record<string, string>> | null,
    writer: BlockWriter,
  ): number {
    let taken = 1
    let names = this.#tests.get(test)
    if (names === undefined) this.#tests.set(test, (names = new Map()))
    const first = names.get(name)
    let link = first
    while (link !== undefined && !(link.status === status && link.method === method)) {
      link = link.next ?? undefined
    }
    if (link === undefined) {
      link = { method, status, plain: { writer: null, children: null }, next: null }
      taken += 1
      if (first === undefined) {
        names.set(name, link)
      } else {
        // Second place: the first comer, most often the common status, stays in front.
        link.next = first.next
        first.next = link
      }
    }
    let node = link.plain
    for (const tag in tags) {
      const values: Map<string, TagNode> = (node.children ??= new Map()).get(tag) ?? new Map()
      node.children.set(tag, values)
      const value = tags[tag]!
      let next = values.get(value)
      if (next === undefined) {
        next = { writer: null, children: null }
        values.set(value, next)
        taken += 1
      }
      node = next
    }
    node.writer = writer
    return taken
  }

  clear(): void {
    this.#tests = new Map()
    this.#lastTest = null
    this.#lastNames = null
  }
}

interface Link {
  readonly method: string
  readonly status: string
  readonly plain: TagNode
  next: Link | null
}

/** Hits without tags end at the first node; each tag goes two maps further. */
interface TagNode {
  writer: BlockWriter | null
  children: Map<string, Map<string, TagNode>> | null
}

function findTagged(from: TagNode, tags: Readonly<Record<string, string>>): BlockWriter | null {
  let node = from
  for (const tag in tags) {
    const next = node.children?.get(tag)?.get(tags[tag]!)
    if (next === undefined) return null
    node = next
  }
  return node.writer
}
