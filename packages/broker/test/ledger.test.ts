import assert from 'node:assert/strict'
import fc from 'fast-check'
import { closeLedger, sumLedgers } from '../src/ledger.ts'

describe('ledger', () => {
  it('calls lost what started and was not reported', () => {
    const ledger = closeLedger(12, { planned: 12, started: 10, finished: 6, interrupted: 1, dropped: 2 })
    assert.deepEqual(ledger, { planned: 12, started: 10, finished: 6, reported: 7, lost: 3, dropped: 2 })
  })

  it('always balances, alone and in sum, even over books that do not', () => {
    const count = fc.nat(1000)
    const books = fc.record({
      planned: count,
      started: count,
      finished: count,
      interrupted: count,
      dropped: count,
    })
    fc.assert(
      fc.property(fc.array(books, { maxLength: 10 }), (all) => {
        const ledgers = all.map((last) => closeLedger(last.planned, last))
        for (const ledger of [...ledgers, sumLedgers(ledgers)]) {
          assert.equal(ledger.started, ledger.reported + ledger.lost)
          assert.ok(ledger.lost >= 0 && ledger.finished <= ledger.reported)
        }
      }),
    )
  })
})
