import assert from 'node:assert/strict'

export interface Element {
  name: string
  attributes: Record<string, string>
  children: Element[]
  text: string
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** Reads XML of elements, attributes and texts; whatever a strict parser would refuse in that is refused. */
export function parseXml(text: string): Element {
  assert.doesNotMatch(
    text.replaceAll(/[\t\n\r]/g, ''),
    /[\p{Cc}\ufffe\uffff]/u,
    'a character that XML cannot hold',
  )
  assert.doesNotMatch(text, /\p{Surrogate}/u, 'half of a surrogate pair')
  const root: Element = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const token = /<\?xml [^?]*\?>|<\/([\w-]+)>|<([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const match = token.exec(text)
    assert.ok(match !== null, `not XML at ${at}: ${text.slice(at, at + 80)}`)
    const [, closing, opening, attributes, selfClosing, characters] = match
    if (closing !== undefined) assert.equal(open.pop()!.name, closing)
    if (characters !== undefined) open.at(-1)!.text += decode(characters)
    if (opening === undefined) continue
    const pairs = [...(attributes ?? '').matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [
      name!,
      decode(value!),
    ])
    const element = {
      name: opening,
      attributes: Object.fromEntries(pairs) as Record<string, string>,
      children: [],
      text: '',
    }
    assert.equal(Object.keys(element.attributes).length, pairs.length, 'an attribute is given twice')
    open.at(-1)!.children.push(element)
    if (selfClosing !== '/') open.push(element)
  }
  assert.equal(open.length, 1, 'an element is not closed')
  assert.equal(root.children.length, 1)
  return root.children[0]!
}

function decode(text: string): string {
  return text.replace(/&(#x[\dA-Fa-f]+|#\d+|\w+;?)?;?/g, (whole, name: string | undefined) => {
    const word = (name ?? '').replace(';', '')
    const known = word.startsWith('#x')
      ? String.fromCodePoint(Number.parseInt(word.slice(2), 16))
      : word.startsWith('#')
        ? String.fromCodePoint(Number(word.slice(1)))
        : entities[word]
    assert.ok(known !== undefined && whole.endsWith(';'), `not an entity: ${whole}`)
    return known
  })
}
