import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { readTurns } from '../../src/proxy/read-turns.ts'

const piece = 64 * 1024

class Reader {
  turns = 0

  goOn(): void {
    this.turns++
  }

  /** Until it has to wait. */
  read(): number {
    let pieces = 1
    while (pieces < 10_000 && readTurns.mayGoOn(this, piece)) pieces++
    return pieces
  }
}

describe('turns of reading', () => {
  it('who reads much waits for the next turn of the event loop, with all who come after it', async () => {
    await turn()
    const first = new Reader()
    const others = Array.from({ length: 200 }, () => new Reader())
    assert.equal(first.read(), 64)
    for (const other of others) assert.equal(other.read(), 1)
    assert.equal(first.turns, 0)
    await turn()
    // As many as will fill the next turn; nobody is forgotten, and nobody called twice.
    assert.equal(first.turns, 1)
    assert.equal(others.filter(({ turns }) => turns === 1).length, 63)
    for (let count = 0; count < 5; count++) await turn()
    for (const other of others) assert.equal(other.turns, 1)
  })

  it('little is not counted', async () => {
    const reader = new Reader()
    await turn()
    for (let count = 0; count < 100_000; count++) assert.ok(readTurns.mayGoOn(reader, 512))
    assert.equal(reader.turns, 0)
  })
})
