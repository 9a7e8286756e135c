import { createHash } from 'node:crypto'

/** Longest part of a name; Datadog cuts values of tags at 200, and a line must fit into a packet. */
const longest = 150

/** A catalogue of names is bounded by the run; this is beyond any of them. */
const mostNames = 20_000

/**
 * Names as statsd can hold them: letters, digits, `_` and `-`. Two names that would be the same there stay apart: the
 * second one gets the beginning of its hash, and that is said. Names that are too long are cut and get one, too.
 */
export class NameBook {
  readonly #warn: (text: string) => void
  /** Per kind of name and raw name, what it is called. */
  readonly #known = new Map<string, string>()
  /** Per kind of name and what it is called, the raw name that has it. */
  readonly #owners = new Map<string, string>()

  constructor(warn: (text: string) => void) {
    this.#warn = warn
  }

  /** @param kind `test`, `name`: the same text of two kinds does not collide */
  nameOf(kind: string, raw: string): string {
    const id = `${kind} ${raw}`
    const known = this.#known.get(id)
    if (known !== undefined) return known
    let name = raw.replace(/[^A-Za-z0-9_-]/g, '_')
    if (name === '') name = '_'
    if (name.length > longest) name = `${name.slice(0, longest)}_${hashOf(raw)}`
    const owner = this.#owners.get(`${kind} ${name}`)
    if (owner !== undefined) {
      const other = `${name}_${hashOf(raw)}`
      this.#warn(`statsd cannot tell the names "${owner}" and "${raw}" apart: the second is ${other} there`)
      name = other
    }
    if (this.#known.size < mostNames) {
      this.#known.set(id, name)
      this.#owners.set(`${kind} ${name}`, raw)
    }
    return name
  }
}

function hashOf(raw: string): string {
  return createHash('sha256').update(raw).digest('hex').slice(0, 8)
}
