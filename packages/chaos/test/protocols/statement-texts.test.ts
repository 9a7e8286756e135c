import assert from 'node:assert/strict'

import { StatementTexts } from '../../src/protocols/statement-texts.ts'
import { heapInUse } from '../support/heap-in-use.ts'

describe('StatementTexts', () => {
  it('remembers the latest ones and of each its beginning, in little memory', () => {
    const texts = new StatementTexts<string>()
    const before = heapInUse()
    const long = Buffer.alloc(1_000_000, 'x')
    for (let i = 0; i < 600; i++) texts.set(`s${i}`, long.toString())
    // Kept as a whole they would be 500 MB.
    assert.ok(heapInUse() - before < 50_000_000, 'whole texts are kept')
    assert.equal(texts.get('s99'), undefined)
    assert.equal(texts.get('s100'), 'x'.repeat(1000))
    texts.set('s100', 'again')
    texts.set('one more', 'SELECT 1')
    assert.equal(texts.get('s100'), 'again')
    assert.equal(texts.get('s101'), undefined)
    texts.delete('s100')
    assert.equal(texts.get('s100'), undefined)
    texts.set('n'.repeat(300), 'SELECT 1')
    assert.equal(texts.get('n'.repeat(300)), undefined)
  })
})
