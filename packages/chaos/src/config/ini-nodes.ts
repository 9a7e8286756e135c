import { parse } from 'ini'
import type { ConfigEntry, ConfigNode } from './config-node.ts'
import { withVariables, type Environment } from './environment.ts'
import type { Problems } from './problems.ts'

/** Reads an INI file as a map of sections; keys before the first section are those of the section without a name. */
export function iniNodes(
  text: string,
  file: string,
  environment: Environment,
  problems: Problems,
): ConfigNode {
  const sections: Section[] = []
  let section: Section | null = null
  let open: Line | null = null
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const place = `${file}:${index + 1}:${line.length - line.trimStart().length + 1}`
    if (/^\s*([;#]|$)/.test(line)) continue
    if (/^\s/.test(line) && open !== null) {
      // A value goes on in lines that are indented: the next of a list.
      const more = valueOf(line.trim())
      open.value = open.value === '' ? more : `${open.value.replace(/,\s*$/, '')},${more}`
      continue
    }
    const [, name] = /^\s*\[([^[\]]*)\]\s*([;#].*)?$/.exec(line) ?? []
    if (name !== undefined) {
      section = sectionOf(sections, name.trim(), place)
      open = null
      continue
    }
    const read = lineOf(line, place)
    if (read === null) {
      problems.add(place, 'is neither [section] nor KEY = VALUE')
      continue
    }
    section ??= sectionOf(sections, '', place)
    if (section.lines.some(({ key }) => key === read.key))
      problems.add(place, `${read.key} stands there twice`)
    section.lines.push(read)
    open = read
  }
  return mapNode(
    `${file}:1:1`,
    sections.map(({ name, place, lines }) => {
      const entries = lines.map((line) => {
        const value = withVariables(line.value, environment, line.place, problems)
        return { key: line.key, place: line.place, node: valueNode(line.place, value) }
      })
      return { key: name, place, node: mapNode(place, entries) }
    }),
  )
}

/** A map that nobody has written as such. */
export function mapNode(place: string, entries: readonly ConfigEntry[]): ConfigNode {
  const value = Object.fromEntries(entries.map(({ key, node }) => [key, node.value]))
  return { place, value, entries, items: null }
}

export function valueNode(place: string, value: unknown): ConfigNode {
  return { place, value, entries: null, items: null }
}

interface Line {
  key: string
  value: string
  place: string
}

interface Section {
  name: string
  place: string
  lines: Line[]
}

/** A section may come in several parts. */
function sectionOf(sections: Section[], name: string, place: string): Section {
  const known = sections.find((each) => each.name === name)
  if (known !== undefined) return known
  const section = { name, place, lines: [] }
  sections.push(section)
  return section
}

/** The parser knows no places: it is given one value at a time, for its quotes, escapes and comments. */
function lineOf(line: string, place: string): Line | null {
  const at = line.indexOf('=')
  const key = line.slice(0, at).trim()
  if (at < 1 || key === '') return null
  return { key, value: valueOf(line.slice(at + 1)), place }
}

function valueOf(text: string): string {
  const { value } = parse(`value=${text}`)
  return value === undefined || value === null ? '' : String(value)
}
