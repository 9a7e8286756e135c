import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BlockWriter, createBlock } from '../src/series-block.ts'
import { SeriesRoutes } from '../src/series-routes.ts'

const word = fc.constantFrom('a', 'b', 'c')
const routes = fc.record({
  test: word,
  name: word,
  method: word,
  status: word,
  tags: fc.option(fc.dictionary(word, word, { maxKeys: 2 })),
})
type Route = {
  test: string
  name: string
  method: string
  status: string
  tags: Record<string, string> | null
}

/** What makes two routes one: tags in the order in which they are given, none and null alike. */
function wordsOf({ test, name, method, status, tags }: Route): string {
  return JSON.stringify([test, name, method, status, ...Object.entries(tags ?? {}).flat()])
}

describe('SeriesRoutes', () => {
  it('finds exactly what was added', () => {
    fc.assert(
      fc.property(fc.array(routes), fc.array(routes), (added, asked) => {
        const known = new SeriesRoutes()
        const expected = new Map<string, BlockWriter>()
        for (const route of added) {
          const writer = new BlockWriter(createBlock('counter'))
          known.add(route.test, route.name, route.method, route.status, route.tags, writer)
          expected.set(wordsOf(route), writer)
        }
        for (const route of [...added, ...asked]) {
          const found = known.find(route.test, route.name, route.method, route.status, route.tags)
          assert.equal(found, expected.get(wordsOf(route)) ?? null)
        }
      }),
    )
  })

  it('forgets everything when cleared', () => {
    const known = new SeriesRoutes()
    known.add('t', 'n', 'm', 's', null, new BlockWriter(createBlock('counter')))
    assert.notEqual(known.find('t', 'n', 'm', 's', null), null)
    known.clear()
    assert.equal(known.find('t', 'n', 'm', 's', null), null)
  })
})
