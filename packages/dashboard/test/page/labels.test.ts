import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fitText, placeLabels, plainLabel } from '../../page/view/labels.ts'
import { hostileNames } from '../support/hostile.ts'

describe('labels of charts', () => {
  it('never overlap, and only those are left out that find no room', () => {
    const wish = fc.record({
      x: fc.integer({ min: 0, max: 500 }),
      width: fc.integer({ min: 1, max: 150 }),
      weight: fc.integer({ min: 0, max: 4 }),
    })
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), (wishes, lanes) => {
        const placed = placeLabels(wishes, lanes, 4)
        const overlaps = (one: number, other: number) => {
          const [a, b] = [wishes[one]!, wishes[other]!]
          return a.x < b.x + b.width + 4 && b.x < a.x + a.width + 4
        }
        wishes.forEach((_, index) => {
          const lane = placed[index]!
          const rivals = wishes.flatMap((__, other) =>
            other !== index && placed[other] !== null && overlaps(index, other) ? [other] : [],
          )
          if (lane !== null) assert.ok(rivals.every((other) => placed[other] !== lane))
          else {
            // Every lane has somebody in the way who is no less important.
            const taken = rivals.filter((other) => wishes[other]!.weight >= wishes[index]!.weight)
            assert.equal(new Set(taken.map((other) => placed[other])).size, lanes)
          }
        })
      }),
    )
  })

  it('places the most important first', () => {
    const wishes = [
      { x: 0, width: 50, weight: 1 },
      { x: 10, width: 50, weight: 3 },
    ]
    assert.deepEqual(placeLabels(wishes, 1, 4), [null, 0])
  })

  it('are one line without what turns or hides text', () => {
    assert.equal(plainLabel('line one\r\nline two\ttab', 40), 'line one line two tab')
    assert.equal(plainLabel('\u202Egnp.exe\u202C right', 40), 'gnp.exe right')
    assert.equal(plainLabel('x'.repeat(10_000), 5), 'xxxx…')
    assert.equal(plainLabel('🦄🦄🦄🦄', 3), '🦄🦄…')
    for (const name of hostileNames)
      assert.match(plainLabel(name, 40), /^[^\p{Cc}\p{Bidi_Control}\u2028\u2029]{0,80}$/u)
  })

  it('are cut to the room that they have', () => {
    const width = (text: string) => Array.from(text).length
    assert.equal(fitText('delay database', 14, width), 'delay database')
    assert.equal(fitText('delay database', 8, width), 'delay d…')
    assert.equal(fitText('delay database', 2, width), '')
  })
})
