import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type Document,
  type Node,
} from 'yaml'
import { isTooDeep } from './yaml-depth.ts'
import type { ConfigEntry, ConfigNode } from './config-node.ts'
import type { Environment } from './environment.ts'
import { withVariables } from './environment.ts'
import type { Problems } from './problems.ts'

/** Aliases of YAML can make much out of little. */
const mostNodes = 200_000
const mostDepth = 64

/** Reads YAML, and JSON, which is YAML; null: it is none, and the problems say why. */
export function yamlNodes(
  text: string,
  file: string,
  environment: Environment,
  problems: Problems,
): ConfigNode | null {
  const lines = new LineCounter()
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  if (isTooDeep(tokens, mostDepth)) {
    problems.add(`${file}:1:1`, `is nested deeper than ${mostDepth} levels`)
    return null
  }
  const composer = new Composer({ prettyErrors: false })
  const [document, another] = composer.compose(tokens, true, text.length)
  if (another !== undefined)
    problems.add(placeAt(file, lines, another.range[0]), 'a second document begins; one is read')
  for (const { message, pos } of document!.errors) problems.add(placeAt(file, lines, pos[0]), message)
  if (document!.errors.length > 0) return null
  return new Reader(document!, file, lines, environment, problems).read()
}

function placeAt(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`
}

class Reader {
  readonly #document: Document.Parsed
  readonly #file: string
  readonly #lines: LineCounter
  readonly #environment: Environment
  readonly #problems: Problems
  #left = mostNodes

  constructor(
    document: Document.Parsed,
    file: string,
    lines: LineCounter,
    environment: Environment,
    problems: Problems,
  ) {
    this.#document = document
    this.#file = file
    this.#lines = lines
    this.#environment = environment
    this.#problems = problems
  }

  read(): ConfigNode {
    const place = `${this.#file}:1:1`
    return this.#nodeOf(this.#document.contents, place, 0)
  }

  /** @param nearby a place for what has none of its own */
  #nodeOf(node: unknown, nearby: string, depth: number): ConfigNode {
    const place = this.#placeOf(node, nearby)
    if (this.#left-- <= 0 || depth > mostDepth) {
      if (this.#left === -1 || depth > mostDepth)
        this.#problems.add(place, `is nested too deep or too large (${mostNodes} values at most)`)
      return { place, value: null, entries: null, items: null }
    }
    if (isAlias(node)) return this.#nodeOf(node.resolve(this.#document), place, depth + 1)
    if (isMap(node)) return this.#mapOf(node.items, place, depth)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#nodeOf(item, place, depth + 1))
      return { place, value: items.map(({ value }) => value), entries: null, items }
    }
    return { place, value: this.#scalarOf(node, place), entries: null, items: null }
  }

  #mapOf(pairs: readonly { key: unknown; value: unknown }[], place: string, depth: number): ConfigNode {
    const entries: ConfigEntry[] = []
    for (const { key, value } of pairs) {
      const at = this.#placeOf(key, place)
      if (!isScalar(key) || key.value === null || typeof key.value === 'object') {
        this.#problems.add(at, 'a key must be a name')
        continue
      }
      entries.push({ key: String(key.value as string), place: at, node: this.#nodeOf(value, at, depth + 1) })
    }
    const value = Object.fromEntries(entries.map(({ key, node }) => [key, node.value]))
    return { place, value, entries, items: null }
  }

  #scalarOf(node: unknown, place: string): unknown {
    const value = isScalar(node) ? node.value : null
    if (value === undefined) return null
    if (typeof value === 'bigint') return Number(value)
    return typeof value === 'string' ? withVariables(value, this.#environment, place, this.#problems) : value
  }

  #placeOf(node: unknown, nearby: string): string {
    const offset = (node as Node | null | undefined)?.range?.[0]
    return offset === undefined ? nearby : placeAt(this.#file, this.#lines, offset)
  }
}
