import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const style = readFileSync(new URL('../../page/view/style.css', import.meta.url), 'utf8')

/** Custom properties of the block that a selector begins. */
function propertiesOf(selector: string): string[] {
  const from = style.indexOf(`${selector} {`)
  assert.ok(from >= 0, selector)
  const block = style.slice(from, style.indexOf('}', from))
  return Array.from(block.matchAll(/(--[\w-]+): ([^;]+);/g), ([, name, value]) => `${name} ${value}`)
}

const names = (properties: readonly string[]) => properties.map((each) => each.split(' ')[0]!).toSorted()

describe('the palette', () => {
  it('is the same by choice and by preference, and has every color of the light one', () => {
    const chosen = propertiesOf(":root[data-theme='dark']")
    // Style sheets of the browsers that are supported cannot share a block between a rule and a media query.
    assert.deepEqual(propertiesOf(":root:not([data-theme='light'])"), chosen)
    assert.ok(chosen.length > 40)
    const light = names(propertiesOf(':root'))
    assert.deepEqual(
      names(chosen).filter((name) => !light.includes(name)),
      [],
    )
  })
})
