import assert from 'node:assert/strict'
import { HalfOpen } from '../../src/channels/half-open.ts'

describe('HalfOpen', () => {
  it('gives each newcomer one nonce, and takes it back once', () => {
    const table = new HalfOpen()
    const nonce = table.challenge('a', 0)
    assert.equal(nonce?.length, 32)
    assert.equal(table.challenge('a', 0), null)
    assert.equal(table.take('a', 10), nonce)
    assert.equal(table.take('a', 10), null)
    assert.equal(table.challenge('a', 20), null)
    assert.equal(table.take('never seen', 10), null)
  })

  it('forgets a nonce after its time', () => {
    const table = new HalfOpen(10, 5_000)
    table.challenge('a', 0)
    table.challenge('b', 3_000)
    assert.equal(table.take('a', 5_000), null)
    assert.ok(table.take('b', 5_000))
    assert.equal(table.size, 0)
  })

  it('is bounded: when full, newcomers wait until others are through or gone', () => {
    const table = new HalfOpen(100, 5_000)
    for (let i = 0; i < 1_000; i++) table.challenge(`peer ${i}`, 0)
    assert.equal(table.size, 100)
    assert.equal(table.challenge('late', 100), null)
    assert.ok(table.take('peer 0', 100))
    assert.ok(table.challenge('late', 200))
    assert.ok(table.challenge('much later', 6_000))
    assert.equal(table.size, 1)
  })
})
