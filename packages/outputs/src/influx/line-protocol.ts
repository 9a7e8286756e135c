import type { FieldValue, Point } from './point.ts'

/**
 * The line protocol of InfluxDB, the same in versions 1, 2 and 3:
 *
 *     measurement,tag=value,tag=value field=1.5,field="text",field=true 1700000000000
 *
 * Tags cannot hold everything: see {@link storable}.
 */

/**
 * A tag as InfluxDB can keep it. A line break would end the line, and a backslash at the end would eat what follows, in
 * every version; nothing escapes them. They are written as characters that look like them, so that different names stay
 * different: a line feed is `␊`, any other control character its picture, the last backslash `⧵`. All else is kept.
 */
export function storable(text: string): string {
  const kept = pictured(text)
  return kept.endsWith('\\') ? `${kept.slice(0, -1)}⧵` : kept
}

/** Line breaks, and other control characters, as characters that look like them. */
export function pictured(text: string): string {
  return hasControl.test(text) ? text.replace(control, picture) : text
}

// eslint-disable-next-line no-control-regex
const hasControl = /[\u0000-\u001f\u007f]/
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f]/g

/** Unicode has a picture of each control character, in their order. */
function picture(character: string): string {
  const code = character.charCodeAt(0)
  return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code)
}

/** A key or value of a tag, or the key of a field, as it stands in a line. */
export function tagText(text: string): string {
  const kept = storable(text)
  return special.test(kept) ? kept.replace(specials, '\\$&') : kept
}

const special = /[,= ]/
const specials = /[,= ]/g

/** The value of a field, as it stands in a line. The protocol has no line breaks in texts either. */
export function fieldText(value: FieldValue): string {
  if (typeof value !== 'string') return String(value)
  return `"${pictured(value).replace(/["\\]/g, '\\$&')}"`
}

/** Tags with a value, in order of their names, as InfluxDB likes them best. */
export function tagsOf({ tags }: Point): [name: string, value: string][] {
  return Object.entries(tags)
    .filter(([name, value]) => name !== '' && value !== '')
    .sort(([one], [other]) => (one < other ? -1 : 1))
}

export function lineOf(point: Point): string {
  let line = point.measurement
  for (const [name, value] of tagsOf(point)) line += `,${tagText(name)}=${tagText(value)}`
  let separator = ' '
  for (const [name, value] of Object.entries(point.fields)) {
    line += `${separator}${tagText(name)}=${fieldText(value)}`
    separator = ','
  }
  return `${line} ${point.at}`
}

export function linesOf(points: readonly Point[]): string {
  return points.map(lineOf).join('\n')
}
